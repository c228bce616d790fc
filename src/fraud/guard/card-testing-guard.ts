import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SecurityLog } from '../../audit/security-log';
import { Problem } from '../../platform/http/problem';
import { RiskEngine } from '../assessments/risk-engine';
import { guardSignals, listSignals } from '../signals/risk-context';
import { guardEntities } from '../signals/payment-signals';
import type { Book } from '../../platform/outbox/outbox';

/** Cards, customers and addresses that a failure has stopped; see note_failure. */
export type Stopped = readonly { guard: string; shown: string; failures: number; seconds: number }[] | null;

/** A failed payment as note_failure takes it. */
export interface FailureParameter {
  client_id: string;
  livemode: boolean;
  subject_id: string;
  at: Date;
  entities: { guard: string; entity: string; shown: string }[];
}

/** What a failure is known by. */
export interface FailedPayment extends Book {
  id: string;
  customer: string | null;
  payer: { ip?: string } | null;
}

/**
 * Stops who tries out cards: failures are counted by card and address, by customer, and by address alone, each with a threshold and a
 * time for which it is stopped. New payments meet it as a rule; this asks at the moment of paying, when the card is known.
 */
@Injectable()
export class CardTestingGuard {
  constructor(
    private readonly engine: RiskEngine,
    private readonly securityLog: SecurityLog,
  ) {}

  /** Whom a failure counts against, for the statement that writes it; `card` is the provider's fingerprint. Undefined where nobody is known. */
  failureOf({ clientId, livemode, id, customer, payer }: FailedPayment, card: string | undefined, at: Date): FailureParameter | undefined {
    const entities = guardEntities({ ip: payer?.ip, customer: customer ?? undefined, card });
    if (!this.engine.enabled || entities.length === 0) return undefined;
    // A payment can fail several times in the second that a provider tells; each of them counts.
    return { client_id: clientId, livemode, subject_id: `${id} ${randomUUID()}`, at, entities };
  }

  /** @throws Problem 403 `risk_blocked` while the card, the customer or the address is stopped */
  async refuseStopped({ clientId, livemode }: Book, payer: { card?: string; customer?: string; ip?: string }): Promise<void> {
    const guards = guardEntities(payer);
    if (!this.engine.enabled || guards.length === 0) return;
    const context = await this.engine.look({ clientId, livemode, entities: [], lists: payer.card ? { card: payer.card } : {}, guards });
    const { block_list_reason: listed, guard_reason: stopped } = { ...listSignals(context), ...guardSignals(context) };
    const reason = listed ?? stopped;
    if (reason) throw new Problem('risk_blocked', `This attempt is stopped: ${reason}.`, { refusal: 'payment_attempt_stopped' });
  }

  /** Tells of what was stopped just now; after it is written. */
  async tell({ clientId, livemode }: Book, paymentId: string, stopped: Stopped): Promise<void> {
    for (const { guard, shown, failures, seconds } of stopped ?? []) {
      await this.securityLog.write({
        kind: livemode ? 'risk.card_testing' : 'risk.test_card_testing', severity: livemode ? 'high' : 'low', source: `${clientId} ${guard}`, clientId, action: `stopped for ${Math.round(seconds / 60)} min`,
        details: { guard, stopped: shown, failures, payment_id: paymentId },
      });
    }
  }
}
