import { Inject, Injectable, Optional } from '@nestjs/common';
import { CHAIN_VIEW } from '../chains/chain-view.provider';
import type { ChainView } from '../chains/tron/chain-view';
import { proofOf } from './chain-proof';
import type { Payout } from './payout';
import type { PayoutFinding, PayoutPort } from './payout-port';
import { MAY_YET_APPEAR_HOURS, UNHEARD_OF } from './payouts';

/** People pay; what they say is looked up on the chain. */
@Injectable()
export class ManualPort implements PayoutPort {
  readonly lookAfterMs = 0;
  readonly resendAfterMs = 0;

  constructor(@Optional() @Inject(CHAIN_VIEW) private readonly chain: ChainView | undefined) {}

  async lookUp(payout: Payout): Promise<PayoutFinding> {
    if (!this.chain) return { state: 'waiting', reason: 'no source of the chain is set on this gateway' };
    if (payout.reference === null) return { state: 'waiting', reason: 'nobody has named the transaction yet' };
    const finding = proofOf(payout, await this.chain.examine(payout.reference.split(':', 1)[0]!));
    return finding.state === 'none' && (await this.isTooOldToAppear(payout)) ? { state: 'refused', reason: UNHEARD_OF } : finding;
  }

  /** Only by a view of the chain that is up to date: one that stands still knows nothing of what came since. */
  private async isTooOldToAppear({ updatedAt }: Payout): Promise<boolean> {
    const { at } = await this.chain!.head();
    return at.getTime() - updatedAt.getTime() > MAY_YET_APPEAR_HOURS * 3_600_000;
  }
}
