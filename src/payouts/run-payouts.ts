import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type Tx, UnitOfWork } from '../platform/database/unit-of-work';
import { Problem } from '../platform/http/problem';
import { Sweeper } from '../platform/jobs/sweeper';
import type { Book } from '../platform/outbox/outbox';
import { ManualPort } from './manual';
import { type Payout, payoutFromRow, type PayoutPortName, type PayoutRow } from './payout';
import { PayoutOwners } from './payout-owners';
import type { PayoutFinding, PayoutPort } from './payout-port';
import { PAYOUT_SWEEP, Payouts, UNHEARD_OF } from './payouts';
import { SimulatorPort } from './simulator';

const EVERY_MS = 1_000;
const BATCH = 20;
/** How long a claimed row is left alone by other sweeps; longer than any send takes. */
const LEASE_MS = 60_000;
const PAUSED_CHECK_MS = 5_000;
const WAITING_CHECK_MS = 10_000;

const CLAIM = `
  with due as (
    select client_id, livemode, id from payouts where next_check_at <= now() order by next_check_at limit $1 for update skip locked
  ), claimed as (
    update payouts p set next_check_at = now() + $2 * interval '1 millisecond' from due
     where p.client_id = due.client_id and p.livemode = due.livemode and p.id = due.id returning p.*
  ) select * from claimed`;
const NAMED = `select * from payouts
   where client_id = $1 and livemode = $2 and subject_id = $3 and port = 'manual' and status = 'sending' and reference is not null`;
const REPLACED = 'select * from payouts where client_id = $1 and livemode = $2 and subject_id = $3 and failure = $4 order by attempt limit 20';
const LOCK = 'select * from payouts where client_id = $1 and livemode = $2 and id = $3 for update';

/**
 * Sends payouts and finds out what became of them. A payout is stored as under way before it is handed to its port; after a send without
 * an answer, or a death in the middle of it, the port is asked first whether it has paid. Only a port that has never heard of it, long
 * after the send, is given it again.
 */
@Injectable()
export class RunPayouts implements OnApplicationBootstrap {
  private readonly logger = new Logger(RunPayouts.name);
  private readonly ports: Readonly<Record<PayoutPortName, PayoutPort>>;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sweeper: Sweeper,
    private readonly payouts: Payouts,
    private readonly owners: PayoutOwners,
    simulator: SimulatorPort,
    manual: ManualPort,
  ) {
    this.ports = { simulator, manual };
  }

  onApplicationBootstrap(): void {
    this.sweeper.every(PAYOUT_SWEEP, EVERY_MS, () => this.sweep());
  }

  /** Takes what is due, each payout by itself; answers whether there may be more. */
  async sweep(): Promise<boolean> {
    const rows = await this.unitOfWork.read<PayoutRow>('claim_payouts', CLAIM, [BATCH, LEASE_MS]);
    await Promise.all(rows.map(async (row) => {
      try {
        await this.run(payoutFromRow(row));
      } catch (error) {
        this.logger.error({ err: error, msg: `payout ${row.id} could not be looked after; will try again` });
      }
    }));
    return rows.length === BATCH;
  }

  /** Takes one payout a step further: sends one that was not sent, or looks up one that was. */
  async run(payout: Payout): Promise<void> {
    if (payout.status === 'created') await this.send(payout);
    else if (payout.status !== 'completed' && payout.status !== 'failed') await this.conclude(payout, await this.lookUp(payout));
  }

  /** The attempt whose named transaction nobody knows at this moment, so that another may be named in its place; looks and changes nothing. */
  async unheardOf(book: Book, subjectId: string): Promise<string | undefined> {
    const [row] = await this.unitOfWork.read<PayoutRow>('', NAMED, [book.clientId, book.livemode, subjectId]);
    const finding = row && (await this.lookUp(payoutFromRow(row)));
    return finding?.state === 'none' ? row!.id : undefined;
  }

  /**
   * Refuses to give a subject up while a transaction that was once named for it, and was not known then, is on the chain after all.
   *
   * @throws Problem 409 `state_conflict`
   */
  async refuseIfHeardOf(book: Book, subjectId: string): Promise<void> {
    const rows = await this.unitOfWork.read<PayoutRow>('', REPLACED, [book.clientId, book.livemode, subjectId, UNHEARD_OF]);
    for (const row of rows) {
      const { state } = await this.lookUp(payoutFromRow(row));
      if (state === 'none' || state === 'refused') continue;
      throw new Problem('state_conflict', `The transaction ${row.reference!.split(':', 1)[0]} that was named before may have paid this. Name it again to have it looked up.`);
    }
  }

  private async send(stored: Payout): Promise<void> {
    const port = this.ports[stored.port];
    const markedAt = performance.now();
    const payout = await this.markSending(stored);
    if (!payout || !port.send) return;
    // A process that was stopped for so long may not be alone any more: others look it up, and this one leaves it to them.
    if (performance.now() - markedAt > port.resendAfterMs / 2) return;
    try {
      await this.conclude(payout, await port.send(payout));
    } catch (error) {
      this.logger.warn({ err: error, msg: `payout ${payout.id} was sent and not answered` });
      await this.change(payout, (tx) => this.payouts.write(tx, payout, { status: 'unknown', checkInMs: port.lookAfterMs }));
    }
  }

  /** From here on it may be under way, whatever happens to this process. Undefined when it is paused, or somebody else's. */
  private async markSending(payout: Payout): Promise<Payout | undefined> {
    try {
      return await this.change(payout, async (tx) => {
        await tx.query("select check_running('withdrawals', $1)", [payout.clientId]);
        const [row] = await tx.query<PayoutRow>(
          `with sent as (update payouts set sends = sends + 1 where client_id = $1 and livemode = $2 and id = $3 and status = 'created' returning *)
           select * from sent`,
          [payout.clientId, payout.livemode, payout.id],
        );
        if (!row) return undefined;
        const sending = payoutFromRow(row);
        await this.payouts.write(tx, sending, { status: 'sending', checkInMs: this.ports[payout.port].lookAfterMs + LEASE_MS });
        if (sending.sends === 1) await this.owners.of(sending).started(tx, sending);
        return { ...sending, status: 'sending' as const };
      });
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'paused') throw error;
      await this.checkAgain(payout, PAUSED_CHECK_MS);
      return undefined;
    }
  }

  private async lookUp(payout: Payout): Promise<PayoutFinding> {
    try {
      return await this.ports[payout.port].lookUp(payout);
    } catch (error) {
      return { state: 'waiting', reason: error instanceof Error ? error.message : 'no answer' };
    }
  }

  /** Writes what a port has said. */
  private async conclude(payout: Payout, finding: PayoutFinding): Promise<void> {
    switch (finding.state) {
      case 'paid':
        return this.end(payout, async (tx) => {
          await this.payouts.write(tx, payout, { status: 'completed' });
          await this.owners.of(payout).completed(tx, payout, finding.by);
        });
      case 'refused':
        return this.end(payout, async (tx) => {
          await this.payouts.write(tx, payout, { status: 'failed', failure: finding.reason });
          // What people name by mistake is not the end: they may name another transaction, or give up.
          if (payout.port !== 'manual') await this.owners.of(payout).failed(tx, payout, finding.reason);
        });
      case 'waiting':
        return this.checkAgain(payout, WAITING_CHECK_MS);
      case 'none':
        return this.ports[payout.port].send ? this.sendAgain(payout) : this.checkAgain(payout, WAITING_CHECK_MS);
    }
  }

  private async end(payout: Payout, work: (tx: Tx) => Promise<void>): Promise<void> {
    await this.change(payout, work);
  }

  /** Only long after the send: until then it may be under way. Everybody who looks sees the same rows, so one of them sends. */
  private async sendAgain(payout: Payout): Promise<void> {
    const { resendAfterMs } = this.ports[payout.port];
    await this.unitOfWork.read('', `
      update payouts
         set status = case when updated_at <= now() - $4 * interval '1 millisecond' then 'created' else status end,
             next_check_at = greatest(now(), updated_at + $4 * interval '1 millisecond')
       where client_id = $1 and livemode = $2 and id = $3 and status in ('sending', 'unknown') and sends = $5`,
    [payout.clientId, payout.livemode, payout.id, resendAfterMs, payout.sends]);
  }

  private async checkAgain(payout: Payout, inMs: number): Promise<void> {
    await this.unitOfWork.read('', `
      update payouts set next_check_at = now() + $4 * interval '1 millisecond'
       where client_id = $1 and livemode = $2 and id = $3 and status not in ('completed', 'failed')`,
    [payout.clientId, payout.livemode, payout.id, inMs]);
  }

  /** Works on a payout that has not ended, with its subject and itself locked; undefined when it has ended meanwhile. */
  private change<T>(payout: Payout, work: (tx: Tx) => Promise<T>): Promise<T | undefined> {
    return this.unitOfWork.run(async (tx) => {
      await this.owners.of(payout).lock(tx, payout);
      const [row] = await tx.query<PayoutRow>(LOCK, [payout.clientId, payout.livemode, payout.id]);
      if (!row || row.status === 'completed' || row.status === 'failed' || row.sends !== payout.sends) return undefined;
      return work(tx);
    });
  }
}
