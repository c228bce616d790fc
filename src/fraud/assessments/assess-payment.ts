import { Injectable } from '@nestjs/common';
import { CountryLookup } from '../geo/country-lookup';
import { factsOf } from '../model/stored-facts';
import { type PaymentFacts, payerOf } from '../signals/payer';
import { questionOf } from '../signals/payment-context';
import { paymentSignals, stoppedSightings } from '../signals/payment-signals';
import { type Assessment, assessmentParameter } from './assessment';
import { RiskEngine } from './risk-engine';
import { SharedRounds } from './shared-rounds';

/** How risky a payment looks when it is asked for. */
@Injectable()
export class AssessPayment {
  constructor(
    private readonly engine: RiskEngine,
    private readonly rounds: SharedRounds,
    private readonly countries: CountryLookup,
  ) {}

  /** One round trip, which others share. */
  async assess(told: PaymentFacts, subjectId: string, at: Date): Promise<Assessment> {
    const startedAt = performance.now();
    const facts = { ...told, ipCountry: this.countries.countryOf(told.ip) };
    const { clientId, livemode, amountMinor, currency } = facts;
    const common = { clientId, livemode, subject: 'payment', subjectId, amountMinor, currency, at } as const;
    if (!this.engine.enabled) return { ...common, ...this.engine.unscored() };
    const payer = payerOf(facts);
    const context = await this.rounds.look(questionOf(facts, payer, this.engine.mayHaveModel));
    const signals = paymentSignals(facts, payer, context, this.countryOf(context.places));
    const modelFacts = context.model ? factsOf({ at, amountMinor, currency }, context.model) : undefined;
    const { verdict, revision, model } = await this.engine.judge('payment', signals, context.revision, startedAt, { facts: modelFacts });
    const sightings = verdict.decision === 'block' ? stoppedSightings(facts, payer) : [];
    return { ...common, verdict, signals, sightings, counted: { domain: payer.domain }, revision, model };
  }

  /** The country of the first of these places that is known; where a payment was held or stopped never looks familiar. */
  private countryOf(places: readonly string[] | null): string | null {
    for (const ip of places ?? []) {
      const country = this.countries.countryOf(ip);
      if (country) return country;
    }
    return null;
  }

  /**
   * The assessment as the statement that creates the payment, or refuses it, writes it. Of what is simply let through it writes
   * nothing: the payment says what was thought of it, and the rest follows with `keep`.
   */
  parameterOf(assessment: Assessment): string | null {
    return assessment.verdict.decision === 'allow' ? null : assessmentParameter(assessment);
  }

  /** What follows once the payment is created. */
  async keep(assessment: Assessment): Promise<void> {
    if (assessment.verdict.decision === 'allow' && assessment.revision !== 0) this.rounds.keep(assessment);
    await this.engine.tell(assessment);
  }
}
