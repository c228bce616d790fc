/** Where an anomaly is: nobody has looked, somebody is looking, or somebody has said what it was. */
export const ANOMALY_STATUSES = ['open', 'investigating', 'resolved', 'false_positive'] as const;
export type AnomalyStatus = (typeof ANOMALY_STATUSES)[number];

/**
 * What people may make of an anomaly, and from where. What was closed can be opened again; to say the opposite of it, it has to be. The
 * database holds the same table in anomaly_may_become().
 */
export const ANOMALY_TRANSITIONS: Readonly<Record<AnomalyStatus, readonly AnomalyStatus[]>> = {
  open: ['investigating', 'resolved', 'false_positive'],
  investigating: ['resolved', 'false_positive'],
  resolved: ['open', 'investigating'],
  false_positive: ['open', 'investigating'],
};

/** Whether an anomaly may go from one status to another; staying where it is always may. */
export function mayBecome(from: AnomalyStatus, to: AnomalyStatus): boolean {
  return from === to || ANOMALY_TRANSITIONS[from].includes(to);
}

/** Whether people are done with it. */
export function isClosed(status: AnomalyStatus): boolean {
  return status === 'resolved' || status === 'false_positive';
}
