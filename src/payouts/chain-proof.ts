import { formatAmount } from '../money/money';
import type { Sighting } from '../chains/tron/chain-view';
import { FINAL_CONFIRMATIONS } from '../chains/tron/tron-source';
import { USDT_CONTRACT } from '../chains/tron/tron-address';
import type { Payout } from './payout';
import type { PayoutFinding } from './payout-port';

/**
 * Whether a chain transaction is the payout that people say it is: exactly the amount in USDT, to the whole destination, not before it was
 * asked for, and final. Anything that may still change, or that the sources do not agree on, is waited for; `none` is what the chain does
 * not know (yet).
 */
export function proofOf(payout: Payout, sighting: Sighting): PayoutFinding {
  if (sighting.state === 'unknown') return { state: 'none' };
  if (sighting.state === 'unreachable' || sighting.state === 'disagreement') return waiting(sighting.reason);
  const confirmations = `${sighting.confirmations} of ${FINAL_CONFIRMATIONS} confirmations`;
  if (!sighting.final) return waiting(confirmations);
  if (sighting.state === 'reverted') return refused(`the transaction failed: ${sighting.failure}`);
  if (sighting.blockTime < payout.notBefore) return refused('the transaction is older than what it is said to pay');
  const paid = sighting.transfers
    .filter(({ contract, to }) => contract === USDT_CONTRACT && to === payout.destination)
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  if (paid === 0n) return refused(`the transaction sends no USDT to ${payout.destination}`);
  if (paid !== payout.amountMinor) {
    return refused(`the transaction sends ${formatAmount(paid, 'USDT')} USDT instead of ${formatAmount(payout.amountMinor, 'USDT')}`);
  }
  return { state: 'paid', by: 'chain' };
}

function waiting(reason: string): PayoutFinding {
  return { state: 'waiting', reason };
}

function refused(reason: string): PayoutFinding {
  return { state: 'refused', reason };
}
