import { Injectable } from '@nestjs/common';
import type { PayoutOrder } from '../../../payouts/payout';
import { Payouts } from '../../../payouts/payouts';
import type { Tx } from '../../../platform/database/unit-of-work';
import type { Refund } from '../refund';
import { RefundPorts } from './refund-ports';

/** Finds who pays a refund: the simulator in test mode, people for what goes to an address, the provider for the rest. */
@Injectable()
export class OrderRefund {
  constructor(
    private readonly payouts: Payouts,
    private readonly ports: RefundPorts,
  ) {}

  /** Whether anybody can pay it at all. */
  canPay({ livemode, method, destination }: Pick<Refund, 'livemode' | 'method' | 'destination'>): boolean {
    return !livemode || destination !== '' || this.ports.of(method) !== undefined;
  }

  /** Orders the payout of a refund that has become `pending`, in the same transaction. */
  order(tx: Tx, refund: Refund): Promise<void> {
    if (!refund.livemode || refund.destination !== '') return this.payouts.order(tx, payoutOf(refund));
    const port = this.ports.of(refund.method);
    if (!port) throw new Error(`Nobody can pay the refund ${refund.id}.`);
    return port.order(tx, refund);
  }
}

/** What is to be paid for a refund. */
export function payoutOf({ clientId, livemode, id, amountMinor, currency, destination, createdAt }: Refund): PayoutOrder {
  return { clientId, livemode, subjectId: id, amountMinor, currency, destination, notBefore: createdAt };
}
