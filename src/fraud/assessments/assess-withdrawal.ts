import { Injectable } from '@nestjs/common';
import { CountryLookup } from '../geo/country-lookup';
import type { ContextRequest, RiskContext } from '../signals/risk-context';
import { type WithdrawalAsk, type WithdrawalFacts, withdrawalRequest, withdrawalSightings, withdrawalSignals } from '../signals/withdrawal-signals';
import type { Assessment } from './assessment';
import { RiskEngine } from './risk-engine';

/** How risky a withdrawal looks when it is asked for. */
@Injectable()
export class AssessWithdrawal {
  constructor(
    private readonly engine: RiskEngine,
    private readonly countries: CountryLookup,
  ) {}

  /** What the feature reads along with its own facts, so that it stays one round trip; undefined while nothing is scored. */
  request(ask: WithdrawalAsk): ContextRequest | undefined {
    return this.engine.enabled ? withdrawalRequest(this.located(ask)) : undefined;
  }

  /** Decides from what was read. What it answers is written by the statement that holds the funds, or that refuses. */
  async assess(ask: WithdrawalAsk, facts: WithdrawalFacts, context: RiskContext | null, subjectId: string): Promise<Assessment> {
    const { clientId, livemode } = ask;
    const { amountMinor, currency, now: at } = facts;
    const common = { clientId, livemode, subject: 'withdrawal', subjectId, amountMinor, currency, at } as const;
    const startedAt = performance.now();
    if (!context) return { ...common, ...this.engine.unscored() };
    const located = this.located(ask);
    const signals = withdrawalSignals(facts, located, withdrawalRequest(located), context);
    const { verdict, revision } = await this.engine.judge('withdrawal', signals, context.revision, startedAt);
    return { ...common, verdict, signals, sightings: withdrawalSightings(located, verdict.decision === 'allow'), revision };
  }

  private located(ask: WithdrawalAsk): WithdrawalAsk {
    return { ...ask, ipCountry: this.countries.countryOf(ask.ip) };
  }
}
