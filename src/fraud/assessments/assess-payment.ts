import { Injectable } from '@nestjs/common';
import { CountryLookup } from '../geo/country-lookup';
import { factsOf } from '../model/stored-facts';
import { type PaymentFacts, paymentRequest, paymentSightings, paymentSignals } from '../signals/payment-signals';
import type { Assessment } from './assessment';
import { RiskEngine } from './risk-engine';

/** How risky a payment looks when it is asked for. */
@Injectable()
export class AssessPayment {
  constructor(
    private readonly engine: RiskEngine,
    private readonly countries: CountryLookup,
  ) {}

  /** One round trip. What it answers is written by the statement that creates the payment, or that refuses it. */
  async assess(told: PaymentFacts, subjectId: string, at: Date): Promise<Assessment> {
    const startedAt = performance.now();
    const facts = { ...told, ipCountry: this.countries.countryOf(told.ip) };
    const { clientId, livemode, amountMinor, currency } = facts;
    const common = { clientId, livemode, subject: 'payment', subjectId, amountMinor, currency, at } as const;
    if (!this.engine.enabled) return { ...common, ...this.engine.unscored() };
    const request = { ...paymentRequest(facts), ...(this.engine.mayHaveModel ? { model: { customer: facts.customer } } : {}) };
    const context = await this.engine.look(request);
    const signals = paymentSignals(facts, request, context);
    const modelFacts = context.model ? factsOf({ at, amountMinor, currency }, context.model) : undefined;
    const { revision, model, ...verdict } = await this.engine.judge('payment', signals, context.revision, startedAt, { facts: modelFacts });
    return { ...common, verdict, signals, sightings: paymentSightings(facts, verdict.decision === 'allow'), revision, model };
  }
}
