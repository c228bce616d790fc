import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log';
import { constraintOf, SQLSTATE, sqlStateOf } from '../platform/database/database-errors';
import type { Tx } from '../platform/database/unit-of-work';
import { Problem } from '../platform/http/problem';
import { newId } from '../platform/identifiers';
import type { Book } from '../platform/outbox/outbox';
import { type Payout, payoutFromRow, type PayoutOrder, type PayoutPortName, type PayoutRow } from './payout';

/** The sweep that sends payouts and looks after those without an answer. */
export const PAYOUT_SWEEP = 'payouts.run';

const INSERT = `
  insert into payouts (client_id, livemode, id, subject_id, attempt, port, status, amount_minor, currency, destination, begun_by, reference,
                       not_before, next_check_at)
  select $1, $2, $3, $4, (select coalesce(max(attempt), 0) + 1 from payouts where client_id = $1 and livemode = $2 and subject_id = $4),
         $5, $6, $7, $8, $9, $10, $11, $12, case when $13 then now() end
  returning *`;
const ALIVE = `select * from payouts where client_id = $1 and livemode = $2 and subject_id = $3 and status <> 'failed' for update`;

/** The failure of an attempt whose named transaction the chain did not know. */
export const UNHEARD_OF = 'the chain does not know the transaction that was named';
/** A TRON transaction can be carried out until it expires, a day after it was made at the latest; an hour more for clocks and indexes. */
export const MAY_YET_APPEAR_HOURS = 25;

const LAST = 'select * from payouts where client_id = $1 and livemode = $2 and subject_id = $3 order by attempt desc limit 1 for update';

const MAY_YET_APPEAR = `
  select max(updated_at) + make_interval(hours => $5) as until from payouts
   where client_id = $1 and livemode = $2 and subject_id = $3 and failure = $4
  having max(updated_at) > now() - make_interval(hours => $5)`;

/** Attempts to pay. Each is stored before anything is sent, in the transaction of whoever asks for it. */
@Injectable()
export class Payouts {
  constructor(private readonly audit: AuditLog) {}

  /** Has the simulator pay, in test mode. In live mode people pay: the subject waits until one of the staff takes it. */
  async order(tx: Tx, order: PayoutOrder): Promise<void> {
    if (order.livemode) return;
    await this.insert(tx, order, { port: 'simulator', status: 'created', due: true });
  }

  /** The attempt that has paid or may yet pay, locked; undefined when there is none. */
  async alive(tx: Tx, { clientId, livemode }: Book, subjectId: string): Promise<Payout | undefined> {
    const [row] = await tx.query<PayoutRow>(ALIVE, [clientId, livemode, subjectId]);
    return row && payoutFromRow(row);
  }

  /** One of the staff takes it to pay it by hand; 409 `state_conflict` while another attempt is alive. */
  begin(tx: Tx, order: PayoutOrder, personId: string): Promise<Payout> {
    return this.insert(tx, order, { port: 'manual', status: 'sending', begunBy: personId });
  }

  /**
   * One of the staff has paid on a chain: the transaction's hash is kept with the attempt, a new one or the one that was begun, and is
   * looked up. 409 `transaction_already_used` when it was named for another payout. `unheardOf`: the attempt whose own transaction nobody
   * knows, which may be replaced; a slip of the pen must not keep the right one out.
   */
  async paidOnChain(tx: Tx, order: PayoutOrder, hash: string, personId: string, unheardOf?: string): Promise<Payout> {
    const reference = `${hash}:${order.destination}`;
    let alive = await this.alive(tx, order, order.subjectId);
    if (alive?.reference === reference) return alive;
    if (alive && alive.id === unheardOf) {
      await this.write(tx, alive, { status: 'failed', failure: UNHEARD_OF });
      alive = undefined;
    }
    if (alive && (alive.port !== 'manual' || alive.reference !== null)) {
      throw new Problem('state_conflict', 'Another payout of this is under way. Wait until it has been looked up.');
    }
    const payout = alive ?? (await this.insert(tx, order, { port: 'manual', status: 'sending', begunBy: personId }));
    await this.claim(tx, payout, reference);
    const [row] = await tx.query<PayoutRow>(
      `with named as (
         update payouts set reference = $4, next_check_at = now(), updated_at = now(), revision = revision + 1
          where client_id = $1 and livemode = $2 and id = $3 returning *)
       select * from named`,
      [payout.clientId, payout.livemode, payout.id, reference],
    );
    await this.note(tx, payoutFromRow(row!), 'payout.named');
    return payoutFromRow(row!);
  }

  /**
   * Nobody will pay it. 409 `state_conflict` while something that was sent, or a transaction that was named, is being looked up, and for
   * as long as one that was named and is unknown may yet appear. Whoever
   * took it last may have paid: somebody else has to say that nothing was sent (403 `self_approval`).
   */
  async giveUp(tx: Tx, book: Book, subjectId: string, reason: string, personId: string): Promise<void> {
    const [last] = await tx.query<PayoutRow>(LAST, [book.clientId, book.livemode, subjectId]);
    const alive = last && last.status !== 'failed';
    if (alive && (last.port !== 'manual' || last.reference !== null)) {
      throw new Problem('state_conflict', 'A payout of this may be under way. Wait until it has been looked up.');
    }
    const [unheardOf] = await tx.query<{ until: Date }>(MAY_YET_APPEAR, [book.clientId, book.livemode, subjectId, UNHEARD_OF, MAY_YET_APPEAR_HOURS]);
    if (unheardOf) {
      throw new Problem('state_conflict', `A transaction that was named for this may yet appear on the chain. It can be given up from ${unheardOf.until.toISOString()} on.`);
    }
    if (last?.begun_by === personId) {
      throw new Problem('self_approval', 'You have taken this to pay it. Somebody else has to say that nothing was sent.');
    }
    if (alive) await this.write(tx, payoutFromRow(last), { status: 'failed', failure: reason });
  }

  /** Writes how an attempt stands now. `checkInMs` says when to look at it again; final ones are not looked at. */
  async write(tx: Tx, payout: Payout, change: { status: Payout['status']; failure?: string; checkInMs?: number }): Promise<void> {
    await tx.query(
      `update payouts set status = $4, failure = $5, next_check_at = now() + $6 * interval '1 millisecond', updated_at = now(), revision = revision + 1
        where client_id = $1 and livemode = $2 and id = $3`,
      [payout.clientId, payout.livemode, payout.id, change.status, change.failure ?? null, change.checkInMs ?? null],
    );
    await this.note(tx, { ...payout, status: change.status, failure: change.failure ?? null }, `payout.${change.status}`);
  }

  private async insert(
    tx: Tx, order: PayoutOrder,
    how: { port: PayoutPortName; status: Payout['status']; begunBy?: string; due?: boolean },
  ): Promise<Payout> {
    const { clientId, livemode, subjectId, amountMinor, currency, destination, notBefore } = order;
    try {
      const [row] = await tx.query<PayoutRow>(INSERT, [
        clientId, livemode, newId('po'), subjectId, how.port, how.status, amountMinor.toString(), currency, destination, how.begunBy ?? null,
        null, notBefore, how.due ?? false,
      ]);
      const payout = payoutFromRow(row!);
      await this.note(tx, payout, 'payout.created');
      return payout;
    } catch (error) {
      if (sqlStateOf(error) !== SQLSTATE.uniqueViolation || constraintOf(error) !== 'payouts_one_alive') throw error;
      throw new Problem('state_conflict', 'A payout of this is under way already.', { cause: error });
    }
  }

  /** A name on the chain pays one subject for ever; an attempt that failed leaves it to the next one of the same. */
  private async claim(tx: Tx, { clientId, livemode, id, subjectId }: Payout, reference: string): Promise<void> {
    const claimed = await tx.query(
      `with claimed as (
         insert into payout_references as r (provider, reference, client_id, livemode, payout_id) values ('tron', $1, $2, $3, $4)
         on conflict (provider, reference) do update set payout_id = excluded.payout_id
          where r.client_id = $2 and r.livemode = $3
            and exists (select from payouts p where p.client_id = $2 and p.livemode = $3 and p.id = r.payout_id and p.subject_id = $5 and p.status = 'failed')
         returning 1)
       select 1 from claimed`,
      [reference, clientId, livemode, id, subjectId],
    );
    if (claimed.length === 0) throw new Problem('transaction_already_used', 'This chain transaction was named for a payout before.');
  }

  private note(tx: Tx, payout: Payout, kind: string): Promise<void> {
    const { clientId, livemode, id, subjectId, attempt, port, status, sends, reference, begunBy, failure } = payout;
    return this.audit.record(tx, { clientId, livemode }, {
      kind, objectId: subjectId, after: { payout: id, attempt, port, status, sends, reference, begun_by: begunBy, failure },
    });
  }
}
