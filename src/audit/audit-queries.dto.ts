import { z } from 'zod';
import { listQuery, pageOf } from '../platform/http/pagination';
import { idSchema, visibleText } from '../platform/http/validation';

const MAX_HOURS = 720;
const hours = z.string().regex(/^[1-9][0-9]{0,2}$/, `must be a whole number of hours from 1 to ${MAX_HOURS}`).transform(Number)
  .refine((value) => value <= MAX_HOURS, `must be a whole number of hours from 1 to ${MAX_HOURS}`);
const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

export const auditEventObject = z.object({
  id: z.string(),
  object: z.literal('audit_event'),
  kind: z.string().meta({ examples: ['login.succeeded'] }),
  actor: z.object({ type: z.enum(['api_key', 'provider', 'operator', 'system', 'person']), id: z.string().nullable() }),
  client: z.string().nullable(),
  livemode: z.boolean().nullable(),
  object_id: z.string().nullable(),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  request_id: z.string().nullable(),
  api_version: z.string().nullable(),
  before: z.record(z.string(), z.unknown()).nullable().meta({ description: 'Masked.' }),
  after: z.record(z.string(), z.unknown()).nullable().meta({ description: 'Masked.' }),
  occurred_at: z.iso.datetime(),
});
export type AuditEventObject = z.output<typeof auditEventObject>;
export const auditPage = pageOf(auditEventObject);

export const securityEventObject = z.object({
  id: idSchema('sev'),
  object: z.literal('security_event'),
  kind: z.string().meta({ examples: ['suspicious.failed_logins'] }),
  severity: z.enum(SEVERITIES),
  source: z.string().meta({ description: 'Where it came from: an address, a key, a person.' }),
  client: z.string().nullable(),
  actor: z.string().nullable(),
  route: z.string().nullable(),
  user_agent: z.string().nullable(),
  request_id: z.string().nullable(),
  api_version: z.string().nullable(),
  action: z.string().meta({ description: 'What the gateway did about it.' }),
  mitigated: z.boolean(),
  details: z.record(z.string(), z.unknown()),
  count: z.int().meta({ description: 'How often within its minute; further ones of a kind and source are counted, not repeated.' }),
  occurred_at: z.iso.datetime(),
  last_at: z.iso.datetime(),
});
export type SecurityEventObject = z.output<typeof securityEventObject>;
export const securityEventPage = pageOf(securityEventObject);

const ofTime = { hours: hours.optional().meta({ description: `Only the last so many hours, 1 to ${MAX_HOURS}.` }) };

export const userId = z.strictObject({ id: idSchema('usr') });
export const userAuditQuery = listQuery('aud', ofTime);
export type UserAuditQuery = z.output<typeof userAuditQuery>;

export const suspiciousQuery = listQuery('sev', { ...ofTime, severity: z.enum(SEVERITIES).optional() });
export type SuspiciousQuery = z.output<typeof suspiciousQuery>;

export const securityEventsQuery = listQuery('sev', {
  ...ofTime,
  severity: z.enum(SEVERITIES).optional(),
  kind: visibleText(1, 100).optional(),
  user: idSchema('usr').optional(),
  client: idSchema('cli').optional(),
});
export type SecurityEventsQuery = z.output<typeof securityEventsQuery>;
