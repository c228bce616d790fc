import { Injectable, type StreamableFile } from '@nestjs/common';
import type { CurrencyCode } from '../money/currency';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { idLowerBound } from '../platform/identifiers';
import { csvLine } from '../platform/http/csv';
import { columnsOf, csvFile, refuseCursors } from '../platform/http/csv-export';
import { keyset, type KeysetClause, type Page, toPage } from '../platform/http/pagination';
import { currentAccess } from '../platform/http/request-context';
import type { Book } from '../platform/outbox/outbox';
import { type EntryObject, entryObject, type EntryRow, presentEntry, type StatementQuery } from './ledger.dto';

/** Rows of an export that are in memory at a time. */
const EXPORT_PAGE = 1_000;
/** Before and after every entry there can be. */
const EVER = { from: new Date(0), to: new Date('9999-12-31T23:59:59.999Z') };
const COLUMNS = columnsOf(entryObject);

/** What an export tells of one account: the numbers of its first and its last entry; null when there is none. */
interface ExportedAccount {
  currency: CurrencyCode;
  first: string | null;
  last: string | null;
}

/** The end is fixed when the export starts: what is booked meanwhile is the next export's. */
const EXPORTED_ACCOUNTS = `
  select a.currency,
         (select e.seq from ledger_entries e
           where e.client_id = $1 and e.livemode = $2 and e.kind = $3 and e.currency = a.currency and e.id >= $5
          order by e.id limit 1) as first,
         (select e.seq from ledger_entries e
           where e.client_id = $1 and e.livemode = $2 and e.kind = $3 and e.currency = a.currency and e.id < $6
          order by e.id desc limit 1) as last
    from ledger_accounts a
   where a.client_id = $1 and a.livemode = $2 and a.kind = $3 and ($4::text is null or a.currency = $4)
   order by a.currency`;

const EXPORTED_ENTRIES = `
  select e.*, t.code, t.reference_id
    from ledger_entries e join ledger_transfers t on t.client_id = e.client_id and t.id = e.transfer_id
   where e.client_id = $1 and e.livemode = $2 and e.kind = $3 and e.currency = $4 and e.seq between $5 and $6
   order by e.seq limit $7`;

/** The query of one page of a statement: one index scan at any depth, then the transfers of that page alone. */
export function statementPage({ clientId, livemode }: Book, { account, currency, ...page }: StatementQuery): KeysetClause {
  const clause = keyset('ent', { client_id: clientId, livemode, kind: account, currency }, page);
  return {
    sql: `with page as (select * from ledger_entries ${clause.sql})
          select page.*, t.code, t.reference_id
            from page join ledger_transfers t on t.client_id = page.client_id and t.id = page.transfer_id
           order by page.id ${page.ending_before ? 'asc' : 'desc'}`,
    values: clause.values,
  };
}

/** Reads the statement of one kind of account of the caller's own book, in the mode of its key. */
@Injectable()
export class StatementReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** A page of entries, newest first. */
  async page(query: StatementQuery): Promise<Page<EntryObject>> {
    const { sql, values } = statementPage(currentAccess(), query);
    return toPage(await this.unitOfWork.read<EntryRow>('', sql, values), query, presentEntry);
  }

  /**
   * Every entry that the filters let through, as CSV: currency by currency, the oldest first, so that the running balance reads
   * downwards. It is sent while it is read; `limit` does not apply, and cursors are refused because an export has no pages.
   */
  async csv(query: StatementQuery): Promise<StreamableFile> {
    refuseCursors(query);
    const { clientId, livemode } = currentAccess();
    const accounts = await this.unitOfWork.read<ExportedAccount>('exported_accounts', EXPORTED_ACCOUNTS, [
      clientId, livemode, query.account, query.currency ?? null, bound(query.created_gte, EVER.from), bound(query.created_lt, EVER.to),
    ]);
    return csvFile(`statement-${query.account}`, this.lines({ clientId, livemode }, query.account, accounts));
  }

  private async *lines({ clientId, livemode }: Book, account: string, accounts: readonly ExportedAccount[]): AsyncGenerator<string> {
    yield csvLine(COLUMNS);
    for (const { currency, first, last } of accounts) {
      if (first === null || last === null) continue;
      for (let from = BigInt(first); from <= BigInt(last); from += BigInt(EXPORT_PAGE)) {
        const values = [clientId, livemode, account, currency, from.toString(), last, EXPORT_PAGE];
        const rows = await this.unitOfWork.read<EntryRow>('exported_entries', EXPORTED_ENTRIES, values);
        yield rows.map((row) => csvLine(cellsOf(presentEntry(row)))).join('');
      }
    }
  }
}

function bound(time: string | undefined, otherwise: Date): string {
  return idLowerBound('ent', time === undefined ? otherwise : new Date(time));
}

function cellsOf(entry: EntryObject): string[] {
  return COLUMNS.map((name) => entry[name]);
}
