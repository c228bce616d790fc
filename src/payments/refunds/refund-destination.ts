import { isTronAddress, USDT_CONTRACT } from '../../chains/tron/tron-address';
import type { Tx } from '../../platform/database/unit-of-work';
import type { Payment } from '../payment';
import { DestinationProblem } from './refunds.errors';

/**
 * Where a refund of a payment goes, whole: the named address for a chain payment, which has no sender that could be trusted (an exchange
 * pays from addresses of its own); nowhere else for all others, which go back the way they came.
 *
 * @throws DestinationProblem 422
 */
export async function refundDestination(tx: Tx, { method }: Payment, destination: string | undefined): Promise<string> {
  if (method !== 'usdt_trc20') {
    if (destination === undefined) return '';
    throw new DestinationProblem('not_available', `is for chain payments; this ${method} payment goes back the way it came`);
  }
  if (destination === undefined) throw new DestinationProblem('required', 'is required: name the TRON address that the money goes back to');
  await refuseUnpayable(tx, destination);
  return destination;
}

/** Refuses what is no address, what would burn the money, and addresses of our own, from which it would come back as a payment. */
export async function refuseUnpayable(tx: Tx, destination: string): Promise<void> {
  if (!isTronAddress(destination)) throw new DestinationProblem('invalid', 'must be a TRON address with a correct checksum');
  if (destination === USDT_CONTRACT) throw new DestinationProblem('invalid', 'is the contract of USDT itself; money sent there is lost');
  const ours = await tx.query("select 1 from watched_addresses where chain = 'tron' and address = $1", [destination]);
  if (ours.length > 0) throw new DestinationProblem('invalid', 'is a deposit address of this gateway; name an address of the customer');
}
