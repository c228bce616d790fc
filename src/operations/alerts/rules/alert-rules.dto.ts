import { z } from 'zod';
import { CHANNELS } from '../channels/alert-channel';
import { SEVERITIES } from '../alerts.dto';

const DAY_SECONDS = 86_400;
const seconds = z.int().min(60).max(DAY_SECONDS);
const channels = z.array(z.enum(CHANNELS)).max(CHANNELS.length)
  .refine((names) => new Set(names).size === names.length, 'must not name a channel twice');
const escalation = z.strictObject({
  after_seconds: seconds.meta({ description: 'For how long somebody has to acknowledge it, each time.' }),
  channels: channels.min(1).meta({ description: 'The channels that it goes to next, in this order.' }),
}).nullable();
const threshold = z.int().min(1).max(1_000).meta({
  description: 'So many hits; of `webhook_failure_rate` the percent of attempts that must be exceeded, of `sensitive_operations` how many times the usual.',
});

export const alertRuleObject = z.object({
  name: z.string().meta({ examples: ['failed_logins'] }),
  object: z.literal('alert_rule'),
  what: z.string(),
  measure: z.enum(['security_events', 'sensitive_operations', 'webhook_failures', 'webhook_failure_rate']),
  kinds: z.array(z.string()).meta({ description: 'Kinds of security events that are counted.' }),
  severities: z.array(z.string()).meta({ description: 'Severities whose security events are all counted.' }),
  grouped_by: z.enum(['all', 'kind', 'source', 'actor']),
  threshold,
  at_least: z.int().meta({ description: 'Below so many a rate or a multiple says nothing.' }),
  window_seconds: z.int(),
  cooldown_seconds: z.int(),
  severity: z.enum(SEVERITIES),
  channels: z.array(z.enum(CHANNELS)).meta({ description: 'The channels that are told at once, those that are set up.' }),
  escalation,
  enabled: z.boolean(),
  revision: z.int(),
  changed_by: z.string().nullable(),
  changed_at: z.iso.datetime(),
}).meta({ id: 'AlertRule' });
export type AlertRuleObject = z.output<typeof alertRuleObject>;
export const alertRuleList = z.object({ object: z.literal('list'), data: z.array(alertRuleObject), has_more: z.literal(false) });

export const ruleName = z.strictObject({ name: z.string().regex(/^[a-z_]{1,60}$/, 'must be the name of a rule, such as failed_logins') });

export const changeRuleBody = z.strictObject({
  threshold: threshold.optional(),
  window_seconds: seconds.optional(),
  cooldown_seconds: seconds.optional(),
  enabled: z.boolean().optional(),
  channels: channels.optional(),
  escalation: escalation.optional(),
  revision: z.int().optional().meta({ description: 'Refuses the change when the rule has another revision by now.' }),
}).refine(({ revision: _revision, ...changes }) => Object.keys(changes).length > 0, 'must change something');
export type ChangeRuleBody = z.output<typeof changeRuleBody>;
