import { Inject, Injectable } from '@nestjs/common';
import { SecurityLog } from '../../audit/security-log';
import { SETTINGS, type Settings } from '../../platform/config/settings';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { currentContext } from '../../platform/http/request-context';
import { Metrics } from '../../platform/observability/metrics';
import type { PaymentFacts } from '../model/facts';
import { extraOf, opinionOf } from '../model/opinion';
import { evaluate, type Verdict } from '../rules/evaluate';
import { RuleBook } from '../rules/rule-book';
import { type ContextRequest, contextParameter, type RiskContext } from '../signals/risk-context';
import type { Signals, Subject } from '../signals/signal-catalogue';
import type { Assessment } from './assessment';

/** What everything is taken for while nothing is scored. */
export const UNSCORED: Verdict = { score: 0, decision: 'allow', reasons: ['not scored: fraud detection is switched off'], fired: [] };

/** A verdict, of which rules, and what the learned model says beside them. */
export type Judged = Pick<Assessment, 'verdict' | 'revision' | 'model'>;

/** Decides how risky something looks: by the rules in force, from the signals that its feature has gathered. */
@Injectable()
export class RiskEngine {
  /** False where FRAUD_DETECTION_ENABLED says so: then nothing is looked up, scored or kept, and every answer says so. */
  readonly enabled: boolean;

  constructor(
    @Inject(SETTINGS) { fraudDetectionEnabled }: Settings,
    private readonly unitOfWork: UnitOfWork,
    private readonly rules: RuleBook,
    private readonly securityLog: SecurityLog,
    private readonly metrics: Metrics,
  ) {
    this.enabled = fraudDetectionEnabled;
    metrics.set('cpgateway_fraud_detection_enabled', {}, this.enabled ? 1 : 0);
  }

  /** The verdict on everything while nothing is scored. */
  unscored(): Pick<Assessment, 'verdict' | 'signals' | 'sightings' | 'revision'> {
    return { verdict: UNSCORED, signals: {}, sightings: [], revision: 0 };
  }

  /**
   * Whether a learned model is in force, as far as this instance knows: without one its figures are not read. What is not known yet is
   * read. One that was turned on just now is learned of with the revision that comes with the next payment, so that one payment may be
   * judged by the rules alone.
   */
  get mayHaveModel(): boolean {
    const { known } = this.rules;
    return known === undefined || known.model !== undefined;
  }

  /** Reads what is asked for in one round trip. */
  async look(request: ContextRequest): Promise<RiskContext> {
    const [row] = await this.unitOfWork.read<{ context: RiskContext }>('risk_context', 'select risk_context($1) as context', [contextParameter(request)]);
    return row!.context;
  }

  /**
   * What the rules of that revision say of the signals, and the learned model of the facts, where both are there. `startedAt`: when
   * somebody began to gather them, by performance.now(). `query`: of the caller's transaction, where there is one: whoever holds a
   * connection must not wait for a second.
   */
  async judge(
    subject: Subject, signals: Signals, revision: number, startedAt: number, { facts, query }: { facts?: PaymentFacts; query?: Tx['query'] } = {},
  ): Promise<Judged> {
    const set = await this.rules.at(revision, query);
    const model = set.model && facts && opinionOf(set.model, facts);
    const verdict = evaluate(set.rules.get(subject) ?? [], set.thresholds.get(subject)!, signals, extraOf(set.model, model));
    this.metrics.increment('cpgateway_risk_assessments_total', { subject, decision: verdict.decision });
    this.metrics.observe('cpgateway_risk_assessment_duration_seconds', {}, (performance.now() - startedAt) / 1000);
    return { verdict, revision: set.revision, model };
  }

  /** Tells whoever watches of what was not simply allowed; after it is written. */
  async tell({ clientId, subject, subjectId, verdict, livemode, amountMinor, currency }: Assessment): Promise<void> {
    const { decision, score, reasons } = verdict;
    if (decision === 'allow') return;
    // What merchants try in test mode is worth a look and wakes nobody.
    const isTest = subject !== 'login' && !livemode;
    const [word, severity] = decision === 'block' ? (['blocked', 'high'] as const) : (['review', 'medium'] as const);
    const { method, route, actor, userAgent, ip } = currentContext();
    await this.securityLog.write({
      kind: isTest ? `risk.test_${word}` : `risk.${word}`, severity: isTest ? 'low' : severity, source: `${subject} ${clientId}`, clientId, actorId: actor?.id,
      route: `${method} ${route}`, userAgent, action: decision === 'block' ? 'refused' : 'held for review',
      details: { ip, subject, subject_id: subjectId, livemode, amount_minor: amountMinor?.toString(), currency, score, reasons },
    });
  }
}
