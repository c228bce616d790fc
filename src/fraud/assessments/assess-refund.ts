import { Injectable } from '@nestjs/common';
import type { Tx } from '../../platform/database/unit-of-work';
import type { RiskContext } from '../signals/risk-context';
import { type RefundFacts, refundSignals } from '../signals/refund-signals';
import type { Book } from '../../platform/outbox/outbox';
import type { Assessment } from './assessment';
import { RiskEngine } from './risk-engine';

/** How risky a refund looks when it is asked for. */
@Injectable()
export class AssessRefund {
  constructor(private readonly engine: RiskEngine) {}

  /** Decides inside the refund's transaction, from what the feature has read; `context` is null while nothing is scored. */
  async assess(query: Tx['query'], { clientId, livemode }: Book, facts: RefundFacts, context: RiskContext | null, subjectId: string): Promise<Assessment> {
    const { amountMinor, currency, now: at } = facts;
    const common = { clientId, livemode, subject: 'refund', subjectId, amountMinor, currency, at } as const;
    const startedAt = performance.now();
    if (!context) return { ...common, ...this.engine.unscored() };
    const signals = refundSignals(facts, context);
    const { verdict, revision } = await this.engine.judge('refund', signals, context.revision, startedAt, { query });
    return { ...common, verdict, signals, sightings: [], revision };
  }
}
