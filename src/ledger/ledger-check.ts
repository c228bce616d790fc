import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type BookCheck, BOOK_CHECKS } from './ledger-check-queries';
import { LedgerSnapshot } from './ledger-snapshot';

/** What does not agree, where, and what it would have to be. Amounts are minor units. */
export interface LedgerFault {
  where: string;
  expected: string;
  found: string;
  /** The rule that is broken, in words. */
  rule: string;
}

/** What a whole check says. */
export interface LedgerCheckResult {
  ok: boolean;
  /** How many rows the books hold, by what they are: `accounts`, `transfers`, `entries`, and what other rooms have added. */
  counts: Readonly<Record<string, number>>;
  durationMs: number;
  /** The first fault; absent when there is none. */
  fault?: LedgerFault;
}

/** Checks of one room, over the clients that have rows in one of its tables. */
export interface LedgerCheckPart {
  /** Leads to the clients; its key begins with client_id. */
  clientsIn: string;
  /** Which tables to count, by the name under which the result shows them. */
  counts: Readonly<Record<string, string>>;
  checks: readonly BookCheck[];
}

const BOOKS: LedgerCheckPart = {
  clientsIn: 'ledger_accounts',
  counts: { accounts: 'ledger_accounts', transfers: 'ledger_transfers', entries: 'ledger_entries' },
  checks: BOOK_CHECKS,
};

/**
 * Recomputes the whole ledger from its transfers and entries, in one snapshot and while business goes on, and names the first
 * thing that does not agree. The database sums; this process holds one row at a time, however long the books are.
 */
@Injectable()
export class LedgerCheck {
  private readonly parts: LedgerCheckPart[] = [BOOKS];

  constructor(private readonly dataSource: DataSource) {}

  /** Adds the checks of a room that books in the ledger: what its own rows must agree with. */
  register(part: LedgerCheckPart): void {
    this.parts.push(part);
  }

  /** Checks everything. A fault is an answer, not an error; an error means that the check could not be finished. */
  run(): Promise<LedgerCheckResult> {
    const startedAt = performance.now();
    return LedgerSnapshot.read(this.dataSource, async (snapshot) => {
      const counts = await this.count(snapshot);
      const fault = await this.firstFault(snapshot);
      return { ok: !fault, counts, durationMs: Math.round(performance.now() - startedAt), ...(fault ? { fault } : {}) };
    });
  }

  private async count(snapshot: LedgerSnapshot): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const [name, table] of this.parts.flatMap((part) => Object.entries(part.counts))) {
      const [row] = await snapshot.query<{ count: string }>(`select count(*) from ${table}`);
      counts[name] = Number(row!.count);
    }
    return counts;
  }

  private async firstFault(snapshot: LedgerSnapshot): Promise<LedgerFault | undefined> {
    for (const { clientsIn, checks } of this.parts) {
      for await (const { after, upTo } of snapshot.clientRanges(clientsIn)) {
        for (const { name, sql } of checks) {
          const [row] = await snapshot.query<{ place: string; expected: string; found: string }>(sql, [after, upTo]);
          if (row) return { where: row.place, expected: row.expected, found: row.found, rule: name };
        }
      }
    }
    return undefined;
  }
}
