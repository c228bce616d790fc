import { z } from 'zod';

const MAX_HOURS = 720;
const hours = z.string().regex(/^[1-9][0-9]{0,2}$/, `must be a whole number of hours from 1 to ${MAX_HOURS}`).transform(Number)
  .refine((value) => value <= MAX_HOURS, `must be a whole number of hours from 1 to ${MAX_HOURS}`);

export const summaryQuery = z.strictObject({
  hours: hours.default(24).meta({ description: `The last so many hours, 1 to ${MAX_HOURS}; 24 unless said.` }),
});
export type SummaryQuery = z.output<typeof summaryQuery>;

const count = z.int();
const rate = z.number().nullable().meta({ description: 'Between 0 and 1; null where nothing was tried.' });
const seconds = z.number().meta({ description: 'Seconds.' });

/** What objects of one status amount to, in one mode and currency. */
const amounts = z.object({
  livemode: z.boolean(),
  status: z.string(),
  currency: z.string(),
  count,
  amount: z.string().meta({ description: 'With all decimals.', examples: ['25.00'] }),
});
export type Amounts = z.output<typeof amounts>;

const audited = z.object({ checked: count, missing: count });

export const summaryObject = z.object({
  object: z.literal('summary'),
  hours: count,
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  failed_logins: z.object({ passwords: count, second_factors: count }),
  addresses: z.object({
    blocked_now: count, blocked_by_gateway: count, blocked_by_people: count, refused: count.meta({ description: 'Calls from blocked addresses.' }),
  }),
  sessions: z.object({ open: count, most_of_one_person: count }).meta({ description: 'Now.' }),
  rate_limit_hits: count,
  api_errors: count.meta({ description: 'Answers of 500 and more, but for what people have paused.' }),
  security_events: z.object({
    by_severity: z.object({ low: count, medium: count, high: count, critical: count }),
    by_kind: z.array(z.object({ kind: z.string(), severity: z.string(), count })).meta({ description: 'The most frequent first.' }),
  }).meta({ description: 'Repetitions count each.' }),
  payments: z.array(amounts).meta({ description: 'That were made in the time, as they are now, in the currency that they are paid in.' }),
  withdrawals: z.array(amounts).meta({ description: 'That were asked for in the time, as they are now.' }),
  withdrawal_risk: z.object({ allow: count, review: count }),
  webhooks: z.object({
    outbound: z.object({ attempts: count, delivered: count, failed: count, success_rate: rate }),
    inbound: z.object({ accepted: count, duplicates: count, refused: count, success_rate: rate }),
  }),
  audit: z.object({
    payments: audited, withdrawals: audited, refunds: audited,
    completeness: z.number().meta({ description: '1: each of the objects that were looked at, the newest 10,000 of a kind, has its audit event.' }),
  }),
  queues: z.object({
    jobs: z.object({ ready: count, scheduled: count, running: count, failed: count, oldest_ready_seconds: seconds }),
    inbox: z.object({ received: count, failed: count, quarantined: count }),
    deliveries: z.object({ due: count, later: count }),
  }).meta({ description: 'Now.' }),
  ledger_check: z.object({ ok: z.boolean(), at: z.iso.datetime(), age_seconds: seconds, duration_seconds: seconds }).nullable()
    .meta({ description: 'The last one; null when there was none.' }),
}).catchall(z.unknown()).meta({ id: 'Summary', description: 'Other parts of the gateway add sections of their own.' });
export type SummaryObject = z.output<typeof summaryObject>;
