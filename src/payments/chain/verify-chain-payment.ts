import { Injectable } from '@nestjs/common';
import { AddressLook } from '../../chains/address-look';
import type { ChainArrival, WatchedAddress } from '../../chains/chain-arrivals';
import { ChainTransfers } from '../../chains/chain-transfers';
import { ChainUnavailable, type Sighting } from '../../chains/tron/chain-view';
import { WatchedAddresses } from '../../chains/watched-addresses';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem, Problem } from '../../platform/http/problem';
import type { Book } from '../../platform/outbox/outbox';
import type { Payment } from '../payment';
import { findByProvider } from '../payment-lookup';
import { paymentRulesOf, toleranceMinor } from '../payment-rules';
import { CHAIN_PROVIDER, chainReference, isUsdt } from './chain-money';
import { type ChainVerification, type Missing, MISSING_BECAUSE, presentVerification } from './chain-verification';

/** What became of money under its name: the payment that took it, and why it (or its rest) is kept aside. */
const FATE = `
  select (select payment_id from provider_references where provider = $1 and reference = $2) as credited_to,
         (select reason from unmatched_deposits where provider = $1 and reference = $2) as kept_because`;

interface Fate {
  credited_to: string | null;
  kept_because: string | null;
}

/**
 * Tells whether a payment is paid on the chain, after a look at the chain at this moment. Whatever the look finds is booked at once, by
 * the same rules as when the watcher finds it. Needs no caller: merchants and staff both ask here.
 */
@Injectable()
export class VerifyChainPayment {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly addressLook: AddressLook,
    private readonly addresses: WatchedAddresses,
    private readonly transfers: ChainTransfers,
  ) {}

  /**
   * Looks at one transaction, or without a hash at all that has arrived at the payment's address.
   * @param hash 64 hex digits, lower case
   * @throws NotFoundProblem; Problem `state_conflict` for a payment that is not made on chain; Problem `transaction_already_used` when
   *   the transaction pays other payments only, or its money was counted for another one
   */
  async verify(book: Book, paymentId: string, hash?: string): Promise<ChainVerification> {
    const watched = await this.addresses.ofPayment(book, paymentId);
    if (!watched) throw await this.refusalOf(book, paymentId);
    return hash === undefined ? this.verifyAddress(watched) : this.verifyHash(watched, hash);
  }

  private async verifyHash(watched: WatchedAddress, hash: string): Promise<ChainVerification> {
    const before = await this.transfers.of(hash, watched.address);
    if (before.some((arrival) => arrival.state === 'final' && isUsdt(arrival))) return this.conclude(watched, hash, before);
    const sighting = await this.addressLook.examine(watched, hash);
    const arrivals = await this.transfers.of(hash, watched.address);
    if (sighting.state === 'seen' && !arrivals.some(isUsdt)) await this.refuseOthersMoney(sighting);
    return this.conclude(watched, hash, arrivals, sighting);
  }

  private async verifyAddress(watched: WatchedAddress): Promise<ChainVerification> {
    try {
      await this.addressLook.look(watched);
    } catch (error) {
      if (!(error instanceof ChainUnavailable)) throw error;
      return presentVerification(watched.paymentId, watched.address, null, undefined, [MISSING_BECAUSE.unreachable()]);
    }
    const newestFirst = (await this.transfers.at(watched.address, new Date(0))).toReversed();
    const telling = newestFirst.find((arrival) => isUsdt(arrival) && arrival.state !== 'gone') ?? newestFirst[0];
    const { paymentId, address } = watched;
    if (!telling) return presentVerification(paymentId, address, null, undefined, [MISSING_BECAUSE.nothing(address)]);
    return this.conclude(watched, telling.hash, newestFirst.filter(({ hash }) => hash === telling.hash));
  }

  /** Without a sighting what is written down counts: it is settled, or has just been looked at. */
  private async conclude(
    watched: WatchedAddress, hash: string, arrivals: readonly ChainArrival[], sighting?: Sighting,
  ): Promise<ChainVerification> {
    const arrival = arrivals.find(isUsdt);
    const obstacle = (sighting && obstacleIn(sighting)) ?? obstacleAmong(arrivals, watched.address);
    const missing = arrival && !obstacle
      ? await this.missingFor(watched, arrival)
      : [obstacle ?? MISSING_BECAUSE.otherAddress(watched.address)];
    return presentVerification(watched.paymentId, watched.address, hash, arrival, missing);
  }

  /** What USDT at the right address still lacks. */
  private async missingFor(watched: WatchedAddress, arrival: ChainArrival): Promise<Missing[]> {
    const reference = chainReference(arrival);
    const [fate] = await this.unitOfWork.read<Fate & Record<string, unknown>>('fate_of_money', FATE, [CHAIN_PROVIDER, reference]);
    if (fate!.credited_to && fate!.credited_to !== watched.paymentId) throw alreadyUsed('Its money was credited to another payment.');
    const found = (await findByProvider(this.unitOfWork, CHAIN_PROVIDER, undefined, watched.paymentId))!;
    const isCounted = fate!.credited_to !== null || fate!.kept_because !== null;
    const short = shortMinor(found.payment, found.clientSettings, isCounted ? 0n : arrival.amountMinor);
    return [
      ...(arrival.state === 'final' ? [] : [MISSING_BECAUSE.young(arrival)]),
      ...(fate!.kept_because && !fate!.credited_to ? [MISSING_BECAUSE.keptAside(fate!.kept_because)] : []),
      ...(short > 0n && !fate!.kept_because ? [MISSING_BECAUSE.short(found.payment.payAmountMinor, short)] : []),
    ];
  }

  private async refuseOthersMoney(sighting: Sighting & { state: 'seen' }): Promise<void> {
    const payees = sighting.transfers.filter(isUsdt).map(({ to }) => to);
    if ((await this.addresses.among(payees)).length > 0) throw alreadyUsed('It pays to the address of another payment.');
  }

  private async refusalOf({ clientId, livemode }: Book, id: string): Promise<Problem> {
    const rows = await this.unitOfWork.read(
      'payment_exists', 'select 1 from payments where client_id = $1 and livemode = $2 and id = $3', [clientId, livemode, id],
    );
    if (rows.length === 0) return new NotFoundProblem('payment');
    return new Problem('state_conflict', 'This payment is not made on chain: it has no deposit address.');
  }
}

function alreadyUsed(why: string): Problem {
  return new Problem('transaction_already_used', `This transaction is not for this payment. ${why}`);
}

/** Why a transaction cannot count now, whatever it transfers. */
function obstacleIn(sighting: Sighting): Missing | undefined {
  switch (sighting.state) {
    case 'seen': return undefined;
    case 'reverted': return MISSING_BECAUSE.reverted(sighting.failure);
    default: return MISSING_BECAUSE[sighting.state]();
  }
}

/** Why what arrived is not USDT that counts. */
function obstacleAmong(arrivals: readonly ChainArrival[], address: string): Missing | undefined {
  const arrival = arrivals.find(isUsdt);
  if (!arrival) return arrivals[0] ? MISSING_BECAUSE.otherToken(arrivals[0]) : MISSING_BECAUSE.otherAddress(address);
  if (arrival.state === 'gone') return MISSING_BECAUSE.unknown();
  return arrival.state === 'reverted' ? MISSING_BECAUSE.reverted(arrival.failure ?? 'FAILED') : undefined;
}

/** How much a payment lacks, beyond the merchant's tolerance, once `onItsWayMinor` is added to what it has received. */
function shortMinor(payment: Payment, settings: Record<string, unknown>, onItsWayMinor: bigint): bigint {
  if (payment.status === 'succeeded') return 0n;
  const lacking = payment.payAmountMinor - payment.amountReceivedMinor - onItsWayMinor;
  return lacking > toleranceMinor(paymentRulesOf(settings), payment.method, payment.payCurrency) ? lacking : 0n;
}
