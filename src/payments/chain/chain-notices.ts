import { Injectable } from '@nestjs/common';
import { AddressWatcher } from '../../chains/address-watcher';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import type { ProviderEvent, ProviderEventResult } from '../../platform/providers/provider-event';

/** The source whose events say only that something may have happened on the chain. */
export const CHAIN_SOURCE = 'tron';

/** Takes notices about the chain: whatever they tell is not believed, and the chain is looked at. */
@Injectable()
export class ChainNotices {
  constructor(
    private readonly watcher: AddressWatcher,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Has the address looked at that the event names, by itself or by its payment, and settles the event. */
  async apply({ source, eventId, subject }: ProviderEvent): Promise<ProviderEventResult> {
    const isOurs = await this.watcher.lookSoon({ address: subject.reference, paymentId: subject.paymentId });
    const result: ProviderEventResult = isOurs
      ? { status: 'applied', outcome: 'the chain is looked at' }
      : { status: 'ignored', outcome: 'no address and no payment of ours' };
    await this.unitOfWork.once({
      name: 'quarantine_event',
      text: 'select quarantine_event($1, $2, $3) as stopped',
      values: [JSON.stringify({ source, event_id: eventId, ...result }), null, null],
    });
    return result;
  }
}
