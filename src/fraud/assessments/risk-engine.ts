import { Inject, Injectable } from '@nestjs/common';
import { SecurityLog } from '../../audit/security-log';
import { SETTINGS, type Settings } from '../../platform/config/settings';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { currentContext } from '../../platform/http/request-context';
import { Metrics } from '../../platform/observability/metrics';
import type { PaymentFacts } from '../model/facts';
import { extraOf, type ModelOpinion, opinionOf } from '../model/opinion';
import { evaluate, type Verdict } from '../rules/evaluate';
import { RuleBook } from '../rules/rule-book';
import { type ContextRequest, contextParameter, type RiskContext } from '../signals/risk-context';
import type { Signals, Subject } from '../signals/signal-catalogue';
import type { Assessment } from './assessment';

/** What everything is taken for while nothing is scored. */
const UNSCORED: Verdict = { score: 0, decision: 'allow', reasons: ['not scored: fraud detection is switched off'], fired: [] };

/** A verdict, of which rules, and what the learned model says beside them. */
export interface Judged extends Verdict {
  revision: number;
  model?: ModelOpinion;
}

/** So many round trips at once, and so many looks in each. */
const READERS = 2;
const TOGETHER = 16;
const LOOK = 'select risk_context(e.p) as context from jsonb_array_elements($1) with ordinality as e (p, n) order by e.n';

/** A look that waits for its round trip. */
interface Asked {
  parameter: string;
  resolve: (context: RiskContext) => void;
  reject: (error: unknown) => void;
}

/** Decides how risky something looks: by the rules in force, from the signals that its feature has gathered. */
@Injectable()
export class RiskEngine {
  /** False where FRAUD_DETECTION_ENABLED says so: then nothing is looked up, scored or kept, and every answer says so. */
  readonly enabled: boolean;
  private readonly asked: Asked[] = [];
  private reading = 0;

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

  /**
   * Reads what is asked for in one round trip. What others ask for meanwhile goes together with the next one, so that a crowd costs
   * hardly more round trips than a single caller, who never waits.
   */
  look(request: ContextRequest): Promise<RiskContext> {
    return new Promise((resolve, reject) => {
      this.asked.push({ parameter: contextParameter(request), resolve, reject });
      if (this.reading < READERS) void this.read();
    });
  }

  private async read(): Promise<void> {
    this.reading += 1;
    while (this.asked.length > 0) {
      const together = this.asked.splice(0, TOGETHER);
      try {
        const rows = await this.unitOfWork.read<{ context: RiskContext }>('risk_context', LOOK, [`[${together.map(({ parameter }) => parameter).join()}]`]);
        together.forEach(({ resolve }, at) => resolve(rows[at]!.context));
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
    }
    this.reading -= 1;
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
    return { ...verdict, revision: set.revision, ...(model ? { model } : {}) };
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
