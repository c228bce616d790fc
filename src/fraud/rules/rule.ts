import { z } from 'zod';
import { visibleText } from '../../platform/http/validation';
import { SIGNALS, SUBJECTS, WINDOWS } from '../signals/signal-catalogue';

/** One thing that must be so: a signal beside one or several bounds. All bounds of a condition hold, or it does not. */
const condition = z.strictObject({
  signal: z.string().regex(/^[a-z][a-z0-9_]{1,59}$/, 'must be the name of a signal'),
  window: z.enum(WINDOWS).optional().meta({ description: 'For signals that count over time.' }),
  at_least: z.number().optional(),
  at_most: z.number().optional(),
  above: z.number().optional(),
  below: z.number().optional(),
  is: z.boolean().optional(),
  times_usual: z.number().positive().max(1_000_000).optional().meta({ description: 'At least so many times what is usual for it.' }),
}).refine(
  ({ signal: _signal, window: _window, ...bounds }) => Object.values(bounds).some((bound) => bound !== undefined),
  'must have a bound: at_least, at_most, above, below, is or times_usual',
);
export type Condition = z.output<typeof condition>;

export const RULE_MODES = ['active', 'shadow', 'off'] as const;
export const VERDICTS = ['allow', 'review', 'block'] as const;

/** A rule as it is written down: when it fires, what that means, and what people are told. */
export const ruleBody = z.strictObject({
  subject: z.enum(SUBJECTS),
  mode: z.enum(RULE_MODES).default('active').meta({ description: 'In shadow it is evaluated and changes nothing; what it would have done is kept.' }),
  when: z.array(condition).min(1).max(10).meta({ description: 'All of them have to hold.' }),
  score: z.number().min(0.01).max(1).multipleOf(0.01).optional().meta({ description: 'Added to the others. Either this or a verdict.' }),
  verdict: z.enum(VERDICTS).optional().meta({ description: 'block stops whatever the score; review asks for people; allow wipes out the score, never a block.' }),
  reason: visibleText(1, 200).meta({
    description: 'For people. {value}, {window} and {usual} are those of the first condition, {name} any signal, {name|noun} a count with its noun.',
    examples: ['{value} payments from this IP in {window}, usual {usual}'],
  }),
}).superRefine((rule, context) => {
  const refuse = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
  if ((rule.score === undefined) === (rule.verdict === undefined)) refuse(['score'], 'must come alone: a rule has either a score or a verdict');
  rule.when.forEach(({ signal, window, times_usual: times, is }, at) => {
    const known = Object.hasOwn(SIGNALS, signal) ? SIGNALS[signal] : undefined;
    if (!known?.subjects.includes(rule.subject)) return refuse(['when', at, 'signal'], `is no signal of the subject ${rule.subject}; GET /v1/admin/risk/signals lists them`);
    if (known.windows && (!window || !known.windows.includes(window))) refuse(['when', at, 'window'], `must be one of ${known.windows.join(', ')}`);
    if (!known.windows && window) refuse(['when', at, 'window'], 'is only for signals that count over time');
    if (times !== undefined && !known.usual) refuse(['when', at, 'times_usual'], 'is only for signals that have something usual');
    if ((is !== undefined) !== (known.kind === 'flag')) refuse(['when', at], known.kind === 'flag' ? 'must say is: true or false' : 'must have a bound in numbers');
  });
});
export type RuleBody = z.output<typeof ruleBody>;

/** A rule with its name, and the version that is in force. */
export interface Rule extends RuleBody {
  name: string;
  version: number;
}

/** From which score on what is decided about a subject. */
export const thresholdBody = z.strictObject({
  review_from: z.number().min(0.01).max(1).multipleOf(0.01),
  block_from: z.number().min(0.01).max(1).multipleOf(0.01),
  soft_limit: z.number().min(0.01).max(1).multipleOf(0.01)
    .meta({ description: 'How far rules without a verdict can add up. Below block_from, only a verdict blocks.' }),
}).refine(({ review_from: review, block_from: block }) => review <= block, { path: ['review_from'], message: 'must not be above block_from' });
export type Thresholds = z.output<typeof thresholdBody>;

/** A guard against card testing: so many failures of one entity within a window stop it for a time. */
export const guardBody = z.strictObject({
  mode: z.enum(['active', 'off']).default('active'),
  failures: z.int().min(2).max(1000),
  window_seconds: z.int().min(60).max(86_400),
  block_seconds: z.int().min(60).max(30 * 86_400),
  reason: visibleText(1, 200).refine((text) => (text.match(/%s/g) ?? []).length === 2 && !/%(?!s)/.test(text), 'must hold %s twice: the failures and the minutes')
    .meta({ description: 'The first %s is how many failures, the second in how many minutes.' }),
});
export type GuardBody = z.output<typeof guardBody>;

/** Whether a learned model looks at payments, and which: advisory changes nothing and is kept beside what was decided. */
export const modelBody = z.strictObject({
  mode: z.enum(['off', 'advisory', 'active']),
  model_version: z.int().min(1).nullable().meta({ description: 'Of a stored model; GET /v1/admin/risk/models lists them.' }),
  review_from: z.number().min(0.01).max(1).multipleOf(0.01).default(0.5)
    .meta({ description: 'From which probability of fraud on an active model adds its score.' }),
  score: z.number().min(0.01).max(1).multipleOf(0.01).default(0.5).meta({ description: 'Added to the scores of the rules; bounded with them by soft_limit.' }),
});
export type ModelBody = z.output<typeof modelBody>;
