import { maskSecrets } from '../../platform/security/crypto/masking';
import type { AnomalySeverity } from './anomaly';

/** What looks wrong in a client's book, as whoever notices it tells it. */
export interface NewAnomaly {
  clientId: string;
  livemode: boolean;
  /** For example `payments.velocity`. */
  kind: string;
  severity: AnomalySeverity;
  /** What it is about: a payment, a withdrawal, a refund, a key, a person. */
  subjectType: string;
  subjectId: string;
  /** One line for people, at most 200 characters. */
  title: string;
  /** The figures and reasons that made it stand out. Masked before they are written. */
  figures?: Readonly<Record<string, unknown>>;
  /** Occurrences with the same key are added up within a day; without one the subject is the key. */
  groupKey?: string;
}

/** An anomaly as the SQL function record_anomaly takes it, secrets and card numbers masked. */
export function anomalyParameter(anomaly: NewAnomaly): string {
  return JSON.stringify({
    client_id: anomaly.clientId,
    livemode: anomaly.livemode,
    kind: anomaly.kind,
    severity: anomaly.severity,
    subject_type: anomaly.subjectType,
    subject_id: anomaly.subjectId,
    title: maskSecrets(anomaly.title),
    figures: maskSecrets(anomaly.figures ?? {}),
    group_key: anomaly.groupKey,
  });
}
