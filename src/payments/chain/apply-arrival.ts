import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { SecurityLog } from '../../audit/security-log';
import { type ArrivalHandler, type ChainArrival, ChainArrivals, type Standing, type WatchedAddress } from '../../chains/chain-arrivals';
import { ChainTransfers } from '../../chains/chain-transfers';
import { SETTINGS, type Settings } from '../../platform/config/settings';
import { SQLSTATE, sqlStateOf } from '../../platform/database/database-errors';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import type { Payment } from '../payment';
import { changeFor, changeStatement } from '../payment-change';
import { findByProvider, type FoundPayment } from '../payment-lookup';
import { paymentRulesOf } from '../payment-rules';
import { type PaymentStatus, statusAfter } from '../payment-state';
import { settle } from '../settlement';
import { decidingAgain } from '../write-change';
import { CHAIN_PROVIDER, chainReference, isUsdt } from './chain-money';

/** Worthless tokens are sent about by anybody; money that no payment takes is somebody's. */
const SEVERITY = { 'deposit.unmatched': 'high', 'chain.wrong_asset': 'medium' } as const;

const EVER = new Date(0);

/** Money as it is put aside. */
interface Kept {
  reference: string;
  amountMinor: bigint;
  currency: string;
  livemode: boolean;
  reason: 'wrong_asset' | 'wrong_mode';
  details: object;
}

/**
 * Applies what arrives on the chain to the payment of its address, by the same rules and through the same statement as any other money.
 * The reference is unique, so that an arrival is credited once, however often and by how many instances it is told.
 */
@Injectable()
export class ApplyArrival implements ArrivalHandler, OnModuleInit {
  private readonly logger = new Logger(ApplyArrival.name);
  /** In production the chain's money is real; elsewhere it pays for both modes, so that the whole way can be tried. */
  private readonly livemode: true | undefined;

  constructor(
    @Inject(SETTINGS) { nodeEnv }: Settings,
    private readonly arrivals: ChainArrivals,
    private readonly transfers: ChainTransfers,
    private readonly unitOfWork: UnitOfWork,
    private readonly securityLog: SecurityLog,
  ) {
    this.livemode = nodeEnv === 'production' ? true : undefined;
  }

  onModuleInit(): void {
    this.arrivals.register(this);
  }

  async standingOf(watched: WatchedAddress): Promise<Standing> {
    return standingOf((await this.find(watched, undefined)).payment);
  }

  /**
   * Credits what is final, one change for each, and after the money puts other tokens aside. Nothing keeps the others back: a token that
   * cannot be put aside is answered.
   * @throws the first fault among those of USDT, after everything was tried
   */
  async apply(watched: WatchedAddress, arrivals: readonly ChainArrival[]): Promise<ChainArrival[]> {
    const final = arrivals.filter(({ state }) => state === 'final');
    const uncredited = await this.eachOf(final.filter(isUsdt), (arrival) => this.credit(watched, arrival));
    const unkept = await this.eachOf(final.filter((arrival) => !isUsdt(arrival)), (arrival) => this.keepToken(watched, arrival));
    if (uncredited[0]) throw uncredited[0].error;
    return unkept.map(({ arrival }) => arrival);
  }

  /** Acts on one after the other; answers those that failed. */
  private async eachOf(arrivals: readonly ChainArrival[], act: (arrival: ChainArrival) => Promise<void>) {
    const failed: { arrival: ChainArrival; error: unknown }[] = [];
    for (const arrival of arrivals) {
      try {
        await act(arrival);
      } catch (error) {
        this.logger.error({ err: error, msg: `could not act on ${chainReference(arrival)} in ${arrival.contract}; will try again` });
        failed.push({ arrival, error });
      }
    }
    return failed;
  }

  private credit(watched: WatchedAddress, arrival: ChainArrival): Promise<void> {
    const money = {
      provider: CHAIN_PROVIDER,
      reference: chainReference(arrival),
      amountMinor: arrival.amountMinor,
      currency: 'USDT',
      occurredAt: arrival.blockTime,
    };
    return decidingAgain(async () => {
      const { payment, clientSettings, counted } = await this.find(watched, money.reference);
      if (counted) return;
      if (!this.fits(payment)) {
        return this.keep(watched, arrival, { ...money, livemode: true, reason: 'wrong_mode', details: { from: arrival.from } });
      }
      const settlement = settle(payment, money, paymentRulesOf(clientSettings));
      await this.unitOfWork.once(changeStatement(changeFor(payment, money, settlement, new Date())));
      if (settlement.creditedMinor === undefined) await this.alert('deposit.unmatched', money.reference, settlement.outcome, watched);
    });
  }

  /** A token that is not USDT is worth nothing to the payment, whatever it calls itself. People may find out what it is. */
  private async keepToken(watched: WatchedAddress, arrival: ChainArrival): Promise<void> {
    const { contract, symbol, from, amountMinor } = arrival;
    await this.keep(watched, arrival, {
      reference: `${chainReference(arrival)}:${contract}`, amountMinor, currency: `TRC20:${contract}`, livemode: watched.livemode,
      reason: 'wrong_asset', details: { symbol, from, contract },
    });
  }

  /** Puts money aside that no payment takes and no book holds. */
  private async keep(
    watched: WatchedAddress, { address, hash }: ChainArrival, { reference, amountMinor, currency, livemode, reason, details }: Kept,
  ): Promise<void> {
    try {
      await this.unitOfWork.once({
        name: 'keep_unmatched',
        text: 'select keep_unmatched($1, false)',
        values: [JSON.stringify([{
          provider: CHAIN_PROVIDER, reference, client_id: watched.clientId, livemode, payment_id: watched.paymentId,
          amount_minor: amountMinor.toString(), currency, reason, wish: 'review', booked: false, details, received_at: new Date(),
        }])],
      });
    } catch (error) {
      // It was kept before.
      if (sqlStateOf(error) === SQLSTATE.uniqueViolation) return;
      throw error;
    }
    const kind = reason === 'wrong_asset' ? 'chain.wrong_asset' : 'deposit.unmatched';
    await this.alert(kind, reference, `kept as an unmatched deposit: ${reason}`, watched, { address, hash, ...details });
  }

  /** Money that is seen and not final makes the payment `processing`; when none of it is left, it waits again. */
  follow(watched: WatchedAddress): Promise<Standing> {
    return decidingAgain(async () => {
      // Read before what is asked next: money that is counted in between moves the payment, so that the statement is refused.
      const { payment } = await this.find(watched, undefined);
      const status = isOpen(payment) && !holdsMoney(payment) && this.fits(payment) ? await this.statusOnChain(payment, watched) : undefined;
      if (!status) return standingOf(payment);
      const exception = payment.exception === 'unknown' ? null : payment.exception;
      await this.unitOfWork.once(changeStatement({ before: payment, after: { status, exception }, at: new Date() }));
      return standingOf(payment);
    });
  }

  /** What becomes of the payment by what is written down; undefined where it stays, or where the chain has never shown money for it. */
  private async statusOnChain({ status }: Payment, watched: WatchedAddress): Promise<PaymentStatus | undefined> {
    const usdt = (await this.transfers.at(watched.address, EVER)).filter(isUsdt);
    if (usdt.length === 0) return undefined;
    for (const arrival of usdt.filter(({ state }) => state === 'seen')) {
      // A look that was overtaken may have written down as seen what another one has counted.
      if (!(await this.find(watched, chainReference(arrival))).counted) return statusAfter(status, 'process');
    }
    return statusAfter(status, 'reorganise');
  }

  private async find({ paymentId }: WatchedAddress, reference: string | undefined): Promise<FoundPayment> {
    const found = await findByProvider(this.unitOfWork, CHAIN_PROVIDER, reference, paymentId);
    if (!found) throw new Error(`The watched payment ${paymentId} is not there.`);
    return found;
  }

  private fits({ livemode }: Payment): boolean {
    return this.livemode === undefined || this.livemode === livemode;
  }

  private async alert(
    kind: keyof typeof SEVERITY, reference: string, action: string, { clientId, paymentId }: WatchedAddress, details: object = {},
  ): Promise<void> {
    this.logger.warn(`money on the chain, ${reference}: ${action}`);
    const source = `${CHAIN_PROVIDER}:${reference}`;
    await this.securityLog.write({
      kind, severity: SEVERITY[kind], source, clientId, action, details: { payment_id: paymentId, ...details },
    });
  }
}

function standingOf(payment: Payment): Standing {
  return { closedAt: isOpen(payment) ? undefined : payment.updatedAt, waitsUntil: payment.expiresAt };
}

/** While some of its money is held, what the chain shows beside it changes nothing: only counted money makes it paid under review. */
function holdsMoney({ review, amountReceivedMinor }: Payment): boolean {
  return review === 'held' && amountReceivedMinor > 0n;
}

function isOpen({ status }: Payment): boolean {
  return status === 'pending' || status === 'processing';
}
