import type { AlertMessage, Stage } from './channels/alert-channel';
import type { AlertObject } from './alerts.dto';
import type { AlertRule } from './rules/alert-rule';

const MINUTE = 60;
const HOUR = 3_600;
/** So many are told in full; of the rest only how many they are. */
const TOLD_IN_FULL = 10;
const PREFIXES: Readonly<Record<Stage, string>> = { trigger: '', escalation: 'Nobody has acknowledged: ', acknowledge: 'Acknowledged: ', resolve: 'Resolved: ' };
const GROUP_WORDS: Readonly<Record<AlertRule['grouped_by'], string>> = { all: '', kind: ': ', source: ' from ', actor: ' of ' };

/** What was counted, as the database answers it. */
export interface Figures {
  hits: string;
  figures: Record<string, unknown>;
}

/** One line: how much of what, from whom, within which time. */
export function titleOf(rule: AlertRule, group: string, { hits, figures }: Figures): string {
  const within = `within ${duration(rule.window_seconds)}`;
  if (rule.measure === 'webhook_failure_rate') return `${String(figures['percent'])} percent ${rule.what} ${within}`;
  if (rule.measure === 'sensitive_operations') return `${hits} ${rule.what} ${within}, where ${String(figures['usual'])} are usual`;
  return `${hits} ${rule.what}${group && GROUP_WORDS[rule.grouped_by] + group} ${within}`;
}

/** What happened and when the rule speaks, with the figures that there are. */
export function descriptionOf(rule: AlertRule, { hits, figures }: Figures): string {
  const told = Object.entries(figures)
    .filter(([, value]) => value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${name.replaceAll('_', ' ')}: ${Array.isArray(value) ? value.join(', ') : String(value)}`);
  return [`${hits} so far; the alert is raised ${thresholdOf(rule)} within ${duration(rule.window_seconds)}.`, ...told].join('\n');
}

function thresholdOf({ measure, threshold, at_least: atLeast }: AlertRule): string {
  if (measure === 'webhook_failure_rate') return `above ${threshold} percent of at least ${atLeast} attempts`;
  if (measure === 'sensitive_operations') return `at ${threshold} times the usual, and at least ${atLeast},`;
  return `at ${threshold}`;
}

/** One line about one alert. */
export function summaryOf(stage: Stage, { severity, title }: AlertObject): string {
  return `${PREFIXES[stage]}[${severity}] ${title}`;
}

/** The subject of a mail: the gravest first, and how many there are beside it. */
export function subjectOf(message: AlertMessage): string {
  const [first, ...others] = gravestFirst(message.alerts);
  return summaryOf(message.stage, first) + (others.length > 0 ? ` and ${counted(others.length, 'more alert')}` : '');
}

/** The whole message as plain text, cut to what the channel takes. */
export function textOf(message: AlertMessage, maxLength: number): string {
  const alerts = gravestFirst(message.alerts);
  const head = alerts.length > 1 ? [`${alerts.length} alerts were raised together.`] : [];
  const rest = alerts.slice(TOLD_IN_FULL);
  const tail = rest.length > 0 ? [`${counted(rest.length, 'more alert')}: ${rest.map(({ id }) => id).join(', ')}`] : [];
  const text = [...head, ...alerts.slice(0, TOLD_IN_FULL).map((alert) => paragraphOf(message.stage, alert)), ...tail].join('\n\n');
  return text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
}

function paragraphOf(stage: Stage, alert: AlertObject): string {
  return [
    summaryOf(stage, alert),
    alert.description,
    `first: ${alert.first_at}`,
    `last: ${alert.last_at}`,
    `GET /v1/admin/audit/alerts/${alert.id} - what to do: the runbook, "Alerts", ${alert.rule}`,
  ].join('\n');
}

const GRAVITY: Readonly<Record<AlertObject['severity'], number>> = { critical: 0, high: 1, medium: 2, low: 3 };

function gravestFirst(alerts: readonly AlertObject[]): AlertObject[] {
  return alerts.toSorted((a, b) => GRAVITY[a.severity] - GRAVITY[b.severity]);
}

/** Seconds as people say them. */
export function duration(seconds: number): string {
  if (seconds % HOUR === 0) return counted(seconds / HOUR, 'hour');
  return seconds % MINUTE === 0 ? counted(seconds / MINUTE, 'minute') : counted(seconds, 'second');
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
