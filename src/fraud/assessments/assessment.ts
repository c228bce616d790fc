import { maskSecrets } from '../../platform/security/crypto/masking';
import type { ModelOpinion } from '../model/opinion';
import type { Verdict } from '../rules/evaluate';
import type { Risk } from '../risk';
import { isSmall } from '../signals/sightings';
import type { Sighting } from '../signals/payment-signals';
import type { Signals, Subject } from '../signals/signal-catalogue';

/** What was thought of one thing at one moment, with everything that it was decided from, so that it can be explained and replayed. */
export interface Assessment {
  clientId: string;
  livemode: boolean;
  subject: Subject;
  subjectId: string;
  verdict: Verdict;
  signals: Signals;
  /** What it leaves for later ones to be counted with. */
  sightings: readonly Sighting[];
  /** Where running counters have it: its client's, and that of the domain of the payer's e-mail. */
  counted?: { domain?: string };
  /** Of the rules that decided; 0 while nothing is scored. */
  revision: number;
  amountMinor?: bigint;
  currency?: string;
  /** What the learned model says of it, while one is in force. */
  model?: ModelOpinion;
  at: Date;
}

/** An assessment as objects of the API show it. */
export function riskOf({ verdict: { score, decision, reasons } }: Pick<Assessment, 'verdict'>): Risk {
  return { score, decision, reasons };
}

/** What people are to look at, by what is held. */
const REVIEWED: ReadonlySet<Subject> = new Set(['payment', 'withdrawal']);
const ANOMALIES = { block: { severity: 'high', word: 'stopped' }, review: { severity: 'medium', word: 'held for review' } } as const;

/** The parameter of write_assessment; null while nothing is scored. */
export function assessmentParameter(assessment: Assessment): string | null {
  const { clientId, livemode, subject, subjectId, verdict, at } = assessment;
  if (assessment.revision === 0) return null;
  const review = { client_id: clientId, livemode, subject_id: subjectId, subject, created_at: at };
  return JSON.stringify({
    assessment: rowOf(assessment),
    sightings: assessment.sightings,
    small: isSmallAmount(assessment),
    ...(assessment.counted ? { counted: true, domain: assessment.counted.domain } : {}),
    ...(verdict.decision === 'review' && REVIEWED.has(subject) ? { review } : {}),
    ...anomalyOf(assessment),
  });
}

/** Its row of risk_assessments. */
function rowOf({ clientId, livemode, subject, subjectId, verdict, signals, model, revision, amountMinor, currency, at }: Assessment): object {
  const { score, decision, reasons, fired, shadow } = verdict;
  return {
    client_id: clientId, livemode, subject_id: subjectId, subject, score, decision, reasons, signals, fired, shadow, model, revision,
    amount_minor: amountMinor?.toString(), currency, created_at: at,
  };
}

/** Whether its amount is one that card testers try. */
export function isSmallAmount({ amountMinor, currency }: Assessment): boolean {
  return amountMinor !== undefined && currency !== undefined && isSmall(amountMinor, currency);
}

function anomalyOf({ clientId, livemode, subject, subjectId, verdict }: Assessment): { anomaly?: object } {
  if (verdict.decision === 'allow' || subject === 'login') return {};
  const { severity, word } = ANOMALIES[verdict.decision];
  return {
    anomaly: {
      client_id: clientId, livemode, kind: `risk.${subject}`, severity, subject_type: subject, subject_id: subjectId,
      title: `A ${subject} was ${word}`, figures: maskSecrets({ score: verdict.score, decision: verdict.decision, reasons: verdict.reasons }),
      // What the same rule does again within a day adds up: an attack is one anomaly, not thousands.
      group_key: [subject, verdict.decision, verdict.fired[0]].join(':'),
    },
  };
}
