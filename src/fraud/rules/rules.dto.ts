import { z } from 'zod';
import { visibleText } from '../../platform/http/validation';
import { SIGNALS, SUBJECTS, WINDOWS } from '../signals/signal-catalogue';
import { guardBody, modelBody, ruleBody, thresholdBody } from './rule';

export const DEFINITION_KINDS = ['rule', 'guard', 'threshold', 'model'] as const;
export type DefinitionKind = (typeof DEFINITION_KINDS)[number];

const name = z.string()
  .regex(/^[a-z][a-z0-9_]{1,59}$/, 'must be 2 to 60 small letters, digits and underscores, a letter first')
  .meta({ examples: ['payment_ip_velocity'] });
export const definitionName = z.strictObject({ name });
const note = visibleText(1, 500).meta({ description: 'Why it is changed; kept with the version.' });

const KIND_BODIES = { rule: ruleBody, guard: guardBody, threshold: thresholdBody, model: modelBody } as const;

/** The body of a definition of that kind, checked as a whole. */
export function bodySchemaOf(kind: DefinitionKind): z.ZodType<Record<string, unknown>> {
  return KIND_BODIES[kind] as unknown as z.ZodType<Record<string, unknown>>;
}

export const listRulesQuery = z.strictObject({
  kind: z.enum(DEFINITION_KINDS).default('rule'),
  subject: z.enum(SUBJECTS).optional().meta({ description: 'Only rules of this subject.' }),
});
export type ListRulesQuery = z.output<typeof listRulesQuery>;

export const createRuleBody = z.strictObject({ name, rule: ruleBody, note });
export type CreateRuleBody = z.output<typeof createRuleBody>;

export const changeRuleBody = z.strictObject({
  version: z.int().min(1).meta({ description: 'The version that is changed; 409 stale_revision when it is not the newest any more.' }),
  body: z.record(z.string(), z.unknown()).meta({ description: 'The whole new rule, guard, thresholds or settings of the model.' }),
  note,
});
export type ChangeRuleBody = z.output<typeof changeRuleBody>;

export const definitionObject = z.object({
  name,
  object: z.literal('risk_definition'),
  kind: z.enum(DEFINITION_KINDS),
  version: z.int(),
  body: z.record(z.string(), z.unknown()),
  note: z.string(),
  changed_by: z.string(),
  created_at: z.iso.datetime(),
}).meta({ id: 'RiskDefinition' });
export type DefinitionObject = z.output<typeof definitionObject>;
export const definitionList = z.object({ object: z.literal('list'), data: z.array(definitionObject), has_more: z.literal(false) });

export const signalList = z.object({
  object: z.literal('list'),
  data: z.array(z.object({
    name: z.string(), kind: z.enum(['number', 'flag', 'text']), subjects: z.array(z.enum(SUBJECTS)),
    windows: z.array(z.enum(WINDOWS)), has_usual: z.boolean(), means: z.string(),
  })),
  has_more: z.literal(false),
});

/** Every signal that a rule may name, for whoever writes rules. */
export function presentSignals(): z.output<typeof signalList> {
  const data = Object.entries(SIGNALS).map(([signal, { kind, subjects, windows, usual, means }]) =>
    ({ name: signal, kind, subjects: [...subjects], windows: [...(windows ?? [])], has_usual: usual === true, means }));
  return { object: 'list', data, has_more: false };
}

export const backtestBody = z.strictObject({
  rules: z.array(z.strictObject({ name, rule: ruleBody })).max(50).default([])
    .meta({ description: 'Rules that take the place of those of their name, or are added.' }),
  thresholds: z.strictObject({ subject: z.enum(SUBJECTS), body: thresholdBody }).optional(),
  from: z.iso.datetime().optional().meta({ description: 'Default: 30 days ago.' }),
  to: z.iso.datetime().optional(),
  limit: z.int().min(1).max(50_000).default(20_000).meta({ description: 'How many assessments at most, the newest first.' }),
});
export type BacktestBody = z.output<typeof backtestBody>;

const decisionCounts = z.object({ allow: z.int(), review: z.int(), block: z.int() });
export const backtestAnswer = z.object({
  object: z.literal('backtest'),
  assessments: z.int(),
  truncated: z.boolean().meta({ description: 'There were more than the limit.' }),
  from: z.iso.datetime().nullable(),
  to: z.iso.datetime().nullable(),
  before: decisionCounts.meta({ description: 'As it was decided then.' }),
  after: decisionCounts.meta({ description: 'As these rules would decide.' }),
  changed: z.int(),
  amounts: z.array(z.object({
    subject: z.enum(SUBJECTS), from: z.string(), to: z.string(), currency: z.string(), count: z.int(), amount: z.string(),
  })).meta({ description: 'What would change, by decision and currency.' }),
  labelled: z.object({
    frauds: z.int(), caught_before: z.int(), caught_after: z.int(), legitimate: z.int(), disturbed_before: z.int(), disturbed_after: z.int(),
  }).meta({ description: 'Beside what is known: caught and disturbed are those that are not simply allowed.' }),
  rules: z.record(z.string(), z.int()).meta({ description: 'How often each rule would fire.' }),
  examples: z.array(z.object({
    subject_id: z.string(), subject: z.enum(SUBJECTS), client: z.string(), from: z.string(), to: z.string(), score_before: z.number(),
    score_after: z.number(), reasons_after: z.array(z.string()),
  })).meta({ description: 'The first twenty that would change.' }),
}).meta({ id: 'Backtest' });
export type BacktestAnswer = z.output<typeof backtestAnswer>;
