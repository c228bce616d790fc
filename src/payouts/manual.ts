import { Inject, Injectable, Optional } from '@nestjs/common';
import { CHAIN_VIEW } from '../chains/chain-view.provider';
import type { ChainView } from '../chains/tron/chain-view';
import { proofOf } from './chain-proof';
import type { Payout } from './payout';
import type { PayoutFinding, PayoutPort } from './payout-port';

/** People pay; what they say is looked up on the chain. */
@Injectable()
export class ManualPort implements PayoutPort {
  readonly lookAfterMs = 0;
  readonly resendAfterMs = 0;

  constructor(@Optional() @Inject(CHAIN_VIEW) private readonly chain: ChainView | undefined) {}

  async lookUp(payout: Payout): Promise<PayoutFinding> {
    if (!this.chain) return { state: 'waiting', reason: 'no source of the chain is set on this gateway' };
    if (payout.reference === null) return { state: 'waiting', reason: 'nobody has named the transaction yet' };
    return proofOf(payout, await this.chain.examine(payout.reference.split(':', 1)[0]!));
  }
}
