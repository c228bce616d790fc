import { Injectable } from '@nestjs/common';
import type { CurrencyCode } from '../money/currency';
import { constraintOf, SQLSTATE, sqlStateOf } from '../platform/database/database-errors';
import type { Tx } from '../platform/database/unit-of-work';
import { Problem } from '../platform/http/problem';
import { newId } from '../platform/identifiers';
import type { Book } from '../platform/outbox/outbox';
import type { AccountKind } from './account-kinds';

/** A movement between two accounts of one book and currency. */
export interface NewTransfer {
  debit: AccountKind;
  credit: AccountKind;
  /** Minor units of the currency, above zero. */
  amountMinor: bigint;
  /** What kind of movement it is, for example `payment` or `fee`. */
  code: string;
  /** The object that it belongs to, for example a payment's id. */
  referenceId: string;
}

/** Funds set aside for a payout: the client's available ones, or those that no payment took. */
export interface Hold extends Pick<NewTransfer, 'amountMinor' | 'code' | 'referenceId'> {
  /** Default `available`. */
  from?: 'available' | 'unmatched';
}

/** The constraints that refuse what an account has not got: at the end of a booking, and at a step on its way. */
const NEVER_NEGATIVE: ReadonlySet<string | undefined> = new Set(['ledger_accounts_never_negative', 'ledger_entries_never_negative']);

/**
 * Moves money inside the caller's transaction. The accounts that a call touches stay locked until the transaction ends, so
 * callers of one book wait for each other; whoever books in several currencies does it in their alphabetical order.
 */
@Injectable()
export class Ledger {
  /**
   * Books transfers at once, in the order given, and answers their ids.
   *
   * @throws Problem 422 `insufficient_funds` when an account has not enough beside what is held; the transaction is then over.
   */
  transfer(tx: Tx, book: Book, currency: CurrencyCode, transfers: readonly NewTransfer[]): Promise<string[]> {
    return this.book(tx, book, currency, 'posted', transfers);
  }

  /**
   * Sets funds aside for a payout (`available` or `unmatched` to `payout`, pending) and answers the transfer's id, which `post` or
   * `void` ends. Until then nobody else can spend them.
   *
   * @throws Problem 422 `insufficient_funds` when not so much is there; the transaction is then over.
   */
  async hold(tx: Tx, book: Book, currency: CurrencyCode, { from = 'available', ...hold }: Hold): Promise<string> {
    const [id] = await this.book(tx, book, currency, 'pending', [{ ...hold, debit: from, credit: 'payout' }]);
    return id!;
  }

  /**
   * Makes a held transfer final. Answers whether this call did it: false when it was posted before.
   *
   * @throws Problem 409 `state_conflict` when it was let go, or is not of this book.
   */
  post(tx: Tx, book: Book, transferId: string): Promise<boolean> {
    return this.settle(tx, book, transferId, 'post');
  }

  /**
   * Lets a held transfer go: the funds are available again. Answers whether this call did it: false when it was let go before.
   *
   * @throws Problem 409 `state_conflict` when it was posted, or is not of this book.
   */
  void(tx: Tx, book: Book, transferId: string): Promise<boolean> {
    return this.settle(tx, book, transferId, 'void');
  }

  private async book(
    tx: Tx, book: Book, currency: CurrencyCode, state: 'posted' | 'pending', transfers: readonly NewTransfer[],
  ): Promise<string[]> {
    const rows = transfers.map(({ debit, credit, amountMinor, code, referenceId }) => ({
      id: newId('tr'), debit, credit, amount_minor: amountMinor.toString(), code, state, reference_id: referenceId,
    }));
    try {
      await tx.query('select ledger_transfer($1, $2, $3, $4)', [book.clientId, book.livemode, currency, JSON.stringify(rows)]);
    } catch (error) {
      throw insufficientFunds(error, currency);
    }
    return rows.map(({ id }) => id);
  }

  private async settle(tx: Tx, book: Book, transferId: string, action: 'post' | 'void'): Promise<boolean> {
    try {
      const [row] = await tx.query<{ done: boolean }>('select ledger_settle($1, $2, $3, $4) as done', [
        book.clientId, book.livemode, transferId, action,
      ]);
      return row!.done;
    } catch (error) {
      if (sqlStateOf(error) !== SQLSTATE.transferSettled) throw error;
      throw new Problem('state_conflict', 'These funds are not held any more: the other decision about them came first.', { cause: error });
    }
  }
}

/** 422 `insufficient_funds` for an error that says that an account has not enough; any other error as it is. */
export function insufficientFunds(error: unknown, currency: CurrencyCode): unknown {
  return isOverdrawn(error) ? new Problem('insufficient_funds', `There is not enough ${currency} for this.`, { cause: error }) : error;
}

function isOverdrawn(error: unknown): boolean {
  return sqlStateOf(error) === SQLSTATE.checkViolation && NEVER_NEGATIVE.has(constraintOf(error));
}
