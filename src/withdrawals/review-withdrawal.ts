import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type ReviewSubject, ReviewSubjects } from '../fraud/review/review-subjects';
import type { Tx } from '../platform/database/unit-of-work';
import { Problem } from '../platform/http/problem';
import { currentContext } from '../platform/http/request-context';
import type { Book } from '../platform/outbox/outbox';
import type { Withdrawal } from './withdrawal';
import { WithdrawalChanges } from './withdrawal-changes';
import { findInBook } from './withdrawal-lookup';

const SIMULATED = `
  update risk_reviews set status = 'released', reason = 'released by the simulator', decided_by = 'simulator', decided_at = now()
   where client_id = $1 and livemode = $2 and subject_id = $3 and status = 'open'`;

/** What a review means for a withdrawal: while it is held nobody can approve it, and its funds stay held too. */
@Injectable()
export class ReviewWithdrawal implements ReviewSubject, OnModuleInit {
  readonly kind = 'withdrawal';

  constructor(
    private readonly subjects: ReviewSubjects,
    private readonly changes: WithdrawalChanges,
  ) {}

  onModuleInit(): void {
    this.subjects.register(this);
  }

  /** From now on it can be approved, by as many people as before. */
  async release(tx: Tx, book: Book, id: string): Promise<void> {
    const held = await lockHeld(tx, book, id);
    if (held.requestedBy === currentContext().actor?.id) throw new Problem('self_approval', 'You asked for this yourself. Somebody else has to let it go.');
    await this.changes.touch(tx, held, 'withdrawal.released', { review: 'released' });
  }

  /** Ends it: the funds are available again. */
  async reject(tx: Tx, book: Book, id: string, reason: string): Promise<void> {
    await this.changes.move(tx, await lockHeld(tx, book, id), 'reject', { failure: reason, review: 'rejected' });
  }

  /** For test keys, where the simulator decides for all staff; nothing is learnt from it. */
  async releaseIn(tx: Tx, held: Withdrawal): Promise<Withdrawal> {
    await tx.query(SIMULATED, [held.clientId, held.livemode, held.id]);
    return this.changes.touch(tx, held, 'withdrawal.released', { review: 'released' });
  }
}

async function lockHeld(tx: Tx, book: Book, id: string): Promise<Withdrawal> {
  const withdrawal = await findInBook(tx.query, book, id, true);
  if (withdrawal.review !== 'held' || withdrawal.status !== 'pending_review') {
    throw new Problem('state_conflict', 'This withdrawal is not held any more.');
  }
  return withdrawal;
}
