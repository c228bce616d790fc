import { PROBLEMS } from '../http/problem';
import { LIMITS } from '../security/limits/limits';

/** Words of our own code that are too many to list here. So many different ones are told apart; what is no such word never is. */
interface Words {
  form: RegExp;
  most: number;
}

/** The values that a label may have. `routes` are the patterns of the route table. Every other value is told as `other`. */
export type LabelValues = readonly string[] | Words | 'routes';

/** One metric as it stands in the table below. */
export interface MetricDefinition {
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: Readonly<Record<string, LabelValues>>;
  /** Upper bounds of a histogram, in its unit. */
  buckets?: readonly number[];
}

/** What becomes of a value that a label does not know. */
export const OTHER = 'other';

const NONE = {};
const METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS'];
const STATUSES = [...new Set([200, 201, 202, 204, 302, 304, ...Object.values(PROBLEMS).map(({ status }) => status)])].sort().map(String);
const MODES = ['live', 'test'];
const SEVERITIES = ['low', 'medium', 'high', 'critical'];
const DECISIONS = ['allow', 'review', 'block'];
const WAITING = ['pending_review', 'approved', 'processing'];
const SOURCES = ['stripe', 'square', 'toast', 'clover', 'twilio', 'tron', 'generic'];
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const KINDS: Words = { form: /^[a-z][a-z0-9_]{0,40}(\.[a-z0-9_]{1,40}){1,2}$/, most: 150 };
const RULES: Words = { form: /^[a-z][a-z0-9_.]{0,60}$/, most: 60 };
const VERSION: Words = { form: /^v?[0-9][0-9A-Za-z.+-]{0,40}$/, most: 2 };

/** The figure is read from the database, so that every instance tells the same: take the maximum over instances, not the sum. */
const SHARED = 'Same on all instances.';

/**
 * Every metric of the gateway, in one readable table, by the conventions of https://prometheus.io/docs/practices/naming. No label ever
 * holds an id, an address, a name or anything else that a caller can choose: each value is one of a list, and a series stays cheap.
 * Counters begin at nought when an instance starts.
 */
export const METRICS = {
  cpgateway_build_info: { type: 'gauge', help: 'Always 1; which version runs.', labels: { version: VERSION, node: VERSION } },
  cpgateway_http_requests_total: {
    type: 'counter', help: 'Answers by method, route pattern and status.', labels: { method: METHODS, route: 'routes', status: STATUSES },
  },
  cpgateway_http_request_duration_seconds: {
    type: 'histogram', help: 'Time from the headers of a request to the end of its answer.', labels: { method: METHODS, route: 'routes' }, buckets: SECONDS,
  },
  cpgateway_failed_logins_total: {
    type: 'counter', help: 'Wrong passwords and unknown e-mails, and wrong second factors.', labels: { factor: ['password', 'second_factor'] },
  },
  cpgateway_rate_limit_exceeded_total: {
    type: 'counter', help: 'Requests beyond a limit, by the class of the limit and the route.', labels: { limit: Object.keys(LIMITS), route: 'routes' },
  },
  cpgateway_address_blocks_total: {
    type: 'counter', help: 'Addresses that were blocked, by what made it so.', labels: { cause: ['refusals', 'staff_logins', 'person'] },
  },
  cpgateway_security_events_total: {
    type: 'counter', help: 'What was refused or looked wrong, repetitions included.', labels: { severity: SEVERITIES, kind: KINDS },
  },
  cpgateway_webhooks_received_total: {
    type: 'counter', help: 'Events of providers by what became of them at the door.', labels: { source: SOURCES, outcome: ['accepted', 'duplicate', 'refused', 'failed'] },
  },
  cpgateway_webhook_verification_failures_total: {
    type: 'counter', help: 'Events of providers that were refused, by why.',
    labels: {
      source: SOURCES,
      reason: [
        'unknown_source', 'ip_not_allowed', 'signature_missing', 'signature_malformed', 'signature_mismatch', 'timestamp_out_of_window', 'malformed',
        'event_conflict',
      ],
    },
  },
  cpgateway_webhook_attempts_total: {
    type: 'counter', help: 'Attempts to deliver an event to a merchant, by outcome.',
    labels: { outcome: ['delivered', 'status', 'redirect', 'timeout', 'refused_address', 'dns', 'connect', 'tls', 'protocol'] },
  },
  cpgateway_webhook_attempt_duration_seconds: {
    type: 'histogram', help: 'Time that an attempt to deliver took.', labels: NONE, buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
  },
  cpgateway_withdrawals_total: {
    type: 'counter', help: 'Withdrawals that became so, by the decision of the risk rules; blocked: refused for their risk.',
    labels: { status: [...WAITING, 'completed', 'rejected', 'canceled', 'failed', 'blocked'], decision: DECISIONS, mode: MODES },
  },
  cpgateway_risk_assessments_total: {
    type: 'counter', help: 'What the risk rules decided.', labels: { subject: ['payment', 'withdrawal', 'refund', 'login', 'activation'], decision: DECISIONS },
  },
  cpgateway_risk_assessment_duration_seconds: {
    type: 'histogram', help: 'Time that an assessment took.', labels: NONE, buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
  },
  cpgateway_fraud_detection_enabled: { type: 'gauge', help: '1 while risk is assessed, else 0.', labels: NONE },
  cpgateway_alerts_total: { type: 'counter', help: 'Alerts that were raised, by rule.', labels: { rule: RULES, severity: SEVERITIES } },
  cpgateway_alert_deliveries_total: {
    type: 'counter', help: 'Alerts sent to people, by channel and outcome.',
    labels: { channel: ['email', 'webhook', 'slack', 'pagerduty', 'telegram'], outcome: ['sent', 'failed', 'dropped'] },
  },
  cpgateway_blocked_addresses: { type: 'gauge', help: `Addresses and networks that are blocked now. ${SHARED}`, labels: NONE },
  cpgateway_sessions: { type: 'gauge', help: `Open sessions of people. ${SHARED}`, labels: NONE },
  cpgateway_sessions_per_person_max: { type: 'gauge', help: `Open sessions of the person who has most. ${SHARED}`, labels: NONE },
  cpgateway_people_signed_in: {
    type: 'gauge', help: `People by how many sessions they have open at once. ${SHARED}`, labels: { sessions: ['1', '2', '3_to_5', '6_to_10', 'over_10'] },
  },
  cpgateway_withdrawals_waiting: {
    type: 'gauge', help: `Withdrawals that have not ended, 10001 at most. ${SHARED}`, labels: { status: WAITING, mode: MODES },
  },
  cpgateway_audit_completeness_ratio: {
    type: 'gauge', help: `Part of the newest objects of the last 15 minutes that have an audit event; 1 is good. ${SHARED}`,
    labels: { subject: ['payment', 'withdrawal', 'refund'] },
  },
  cpgateway_jobs: {
    type: 'gauge', help: `Jobs in the queue, 20000 at most; failed: given up after all attempts. ${SHARED}`,
    labels: { state: ['ready', 'scheduled', 'running', 'failed'] },
  },
  cpgateway_job_ready_age_seconds: { type: 'gauge', help: `How long the oldest ready job has been waiting. ${SHARED}`, labels: NONE },
  cpgateway_inbox_events: {
    type: 'gauge', help: `Events of providers that are not applied, 10001 at most. ${SHARED}`, labels: { status: ['received', 'failed', 'quarantined'] },
  },
  cpgateway_webhook_deliveries_pending: {
    type: 'gauge', help: `Deliveries to merchants: due now, or waiting for their next attempt, 10001 at most. ${SHARED}`, labels: { state: ['due', 'later'] },
  },
  cpgateway_ledger_check_ok: { type: 'gauge', help: `1 when the last check of the ledger found no fault, 0 when it did or there was none. ${SHARED}`, labels: NONE },
  cpgateway_ledger_check_timestamp_seconds: { type: 'gauge', help: `Unix time at which the ledger was last checked; 0: never. ${SHARED}`, labels: NONE },
  cpgateway_ledger_check_duration_seconds: { type: 'gauge', help: `How long the last check of the ledger took. ${SHARED}`, labels: NONE },
  cpgateway_figures_timestamp_seconds: {
    type: 'gauge', help: 'Unix time at which this instance last read the figures that come from the database.', labels: NONE,
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
/** The metrics of one type. */
export type NameOf<Type extends MetricDefinition['type']> = { [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never }[MetricName];
/** The labels of a metric, all of which have to be given. */
export type LabelsOf<Name extends MetricName> = { [Label in keyof (typeof METRICS)[Name]['labels']]: string };
