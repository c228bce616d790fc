import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { SecurityLog } from '../../audit/security-log';
import { type Aftermath, type ChainArrival, ChainArrivals, type WatchedAddress } from '../../chains/chain-arrivals';
import { SETTINGS, type Settings } from '../../platform/config/settings';
import { SQLSTATE, sqlStateOf } from '../../platform/database/database-errors';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import type { Payment } from '../payment';
import { changeFor, changeStatement } from '../payment-change';
import { findByProvider, type FoundPayment } from '../payment-lookup';
import { paymentRulesOf } from '../payment-rules';
import { statusAfter } from '../payment-state';
import { settle } from '../settlement';
import { decidingAgain } from '../write-change';
import { CHAIN_PROVIDER, chainReference, isUsdt } from './chain-money';

/** Worthless tokens are sent about by anybody; money that no payment takes is somebody's. */
const SEVERITY = { 'deposit.unmatched': 'high', 'chain.wrong_asset': 'medium' } as const;

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
export class ApplyArrival implements OnModuleInit {
  private readonly logger = new Logger(ApplyArrival.name);
  /** In production the chain's money is real; elsewhere it pays for both modes, so that the whole way can be tried. */
  private readonly livemode: true | undefined;

  constructor(
    @Inject(SETTINGS) { nodeEnv }: Settings,
    private readonly arrivals: ChainArrivals,
    private readonly unitOfWork: UnitOfWork,
    private readonly securityLog: SecurityLog,
  ) {
    this.livemode = nodeEnv === 'production' ? true : undefined;
  }

  onModuleInit(): void {
    this.arrivals.register((watched, arrivals) => this.apply(watched, arrivals));
  }

  /** Credits what is final, one change for each; then the payment shows whether money is on its way to it. */
  async apply(watched: WatchedAddress, arrivals: readonly ChainArrival[]): Promise<Aftermath> {
    for (const arrival of arrivals.filter(({ state }) => state === 'final')) {
      if (isUsdt(arrival)) await this.credit(watched, arrival);
      else await this.keepToken(watched, arrival);
    }
    return this.followProgress(watched, arrivals.filter(isUsdt));
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
  private followProgress(watched: WatchedAddress, usdt: readonly ChainArrival[]): Promise<Aftermath> {
    return decidingAgain(async () => {
      const { payment } = await this.find(watched, undefined);
      const trigger = usdt.some(({ state }) => state === 'seen') ? 'process' : 'reorganise';
      const status = usdt.length > 0 && this.fits(payment) ? statusAfter(payment.status, trigger) : undefined;
      if (!status) return { closedAt: isOpen(payment) ? undefined : payment.updatedAt };
      const exception = payment.exception === 'unknown' ? null : payment.exception;
      await this.unitOfWork.once(changeStatement({ before: payment, after: { status, exception }, at: new Date() }));
      return { closedAt: undefined };
    });
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

function isOpen({ status }: Payment): boolean {
  return status === 'pending' || status === 'processing';
}
