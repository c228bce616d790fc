import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work';
import type { Payout, SettledBy } from './payout';

/** What asks for payouts, told of their fate inside the transaction that writes it: both commit, or neither. */
export interface PayoutOwner {
  /** Locks the subject. Called first in every transaction, so that all who change both lock them in one order. */
  lock(tx: Tx, payout: Payout): Promise<void>;
  /** It is about to be sent. */
  started(tx: Tx, payout: Payout): Promise<void>;
  /** It was paid: the hold is posted. */
  completed(tx: Tx, payout: Payout, by: SettledBy): Promise<void>;
  /** It was not paid and never will be: the hold is let go. */
  failed(tx: Tx, payout: Payout, reason: string): Promise<void>;
}

const PREFIXES = ['wd', 'ref'] as const;

/** The port between payouts, which know how to pay, and the features that know what for; found by the prefix of the subject's id. */
@Injectable()
export class PayoutOwners {
  private readonly owners = new Map<string, PayoutOwner>();

  /** Called once by each feature that asks for payouts. */
  register(prefix: (typeof PREFIXES)[number], owner: PayoutOwner): void {
    if (this.owners.has(prefix)) throw new Error(`Payouts for ${prefix} have an owner already.`);
    this.owners.set(prefix, owner);
  }

  of({ subjectId }: Payout): PayoutOwner {
    const owner = this.owners.get(subjectId.split('_', 1)[0]!);
    if (!owner) throw new Error(`No feature has registered for the payouts of ${subjectId}.`);
    return owner;
  }
}
