import { z } from 'zod';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { freeText, idSchema, visibleText } from '../../platform/http/validation';

export const ALERT_STATUSES = ['open', 'acknowledged', 'resolved'] as const;
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
const time = z.iso.datetime();

export const alertObject = z.object({
  id: idSchema('alr'),
  object: z.literal('alert'),
  rule: z.string().meta({ examples: ['failed_logins'] }),
  group: z.string().nullable().meta({ description: 'The kind, source or actor that the rule counts by; null when it counts all together.' }),
  severity: z.enum(SEVERITIES),
  title: z.string().meta({ examples: ['50 failed logins within 1 hour'] }),
  description: z.string().meta({ description: 'What happened, with figures up to the last hit that was added.' }),
  figures: z.record(z.string(), z.unknown()),
  count: z.int().meta({ description: 'Hits so far; those of the cool-down are added here instead of raising a new alert.' }),
  status: z.enum(ALERT_STATUSES),
  first_at: time,
  last_at: time,
  raised_at: time,
  acknowledged_by: z.string().nullable(),
  acknowledged_at: time.nullable(),
  resolved_by: z.string().nullable(),
  resolved_at: time.nullable(),
  note: z.string().nullable(),
  escalation_level: z.int().meta({ description: 'To how many further channels it has gone because nobody had acknowledged it.' }),
  next_escalation_at: time.nullable(),
}).meta({ id: 'Alert' });
export type AlertObject = z.output<typeof alertObject>;
export const alertPage = pageOf(alertObject);

const deliveryObject = z.object({
  channel: z.enum(['email', 'webhook', 'slack', 'pagerduty', 'telegram']),
  stage: z.enum(['trigger', 'escalation', 'acknowledge', 'resolve']),
  level: z.int(),
  status: z.enum(['pending', 'sending', 'sent', 'failed', 'canceled']),
  attempts: z.int(),
  last_error: z.string().nullable().meta({ description: 'Masked.' }),
  next_attempt_at: time.nullable(),
  sent_at: time.nullable(),
});
export type AlertDeliveryObject = z.output<typeof deliveryObject>;

export const alertWithDeliveries = alertObject.extend({
  deliveries: z.array(deliveryObject).meta({ description: 'Whom the alert was told, and what came of it.' }),
}).meta({ id: 'AlertWithDeliveries' });
export type AlertWithDeliveries = z.output<typeof alertWithDeliveries>;

export const alertId = z.strictObject({ id: idSchema('alr') });
export const listAlertsQuery = listQuery('alr', {
  status: z.enum(ALERT_STATUSES).optional(),
  severity: z.enum(SEVERITIES).optional(),
  rule: visibleText(1, 100).optional(),
});
export type ListAlertsQuery = z.output<typeof listAlertsQuery>;

export const acknowledgeBody = z.strictObject({ note: freeText(1, 2000).optional() });
export type AcknowledgeBody = z.output<typeof acknowledgeBody>;
export const resolveBody = z.strictObject({ note: freeText(1, 2000).meta({ description: 'What it was, and what was done.' }) });
export type ResolveBody = z.output<typeof resolveBody>;
