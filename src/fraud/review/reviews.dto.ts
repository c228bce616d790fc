import { z } from 'zod';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { freeText } from '../../platform/http/validation';

export const REVIEW_STATUSES = ['open', 'released', 'rejected', 'closed'] as const;
const KINDS = ['payment', 'withdrawal'] as const;

/** A review has the identifier of what it is about. */
const subjectId = z.string()
  .regex(/^(pay|wd)_[0-9a-f]{32}$/, 'must be the identifier of a payment or a withdrawal')
  .meta({ examples: ['pay_019a9f0c2b7e4f3a9d1c5b8e7a6f0d21'] });
export const reviewId = z.strictObject({ id: subjectId });

export const listReviewsQuery = listQuery('pay', {
  starting_after: subjectId.optional(), ending_before: subjectId.optional(),
  status: z.enum(REVIEW_STATUSES).default('open'), subject: z.enum(KINDS).default('payment'),
});
export type ListReviewsQuery = z.output<typeof listReviewsQuery>;

export const decideReviewBody = z.strictObject({
  reason: freeText(1, 500).meta({ description: 'Why. A merchant whose withdrawal is rejected is told it.' }),
});
export type DecideReviewBody = z.output<typeof decideReviewBody>;

export const reviewObject = z.object({
  id: subjectId,
  object: z.literal('review'),
  subject: z.enum(KINDS),
  client: z.string(),
  livemode: z.boolean(),
  status: z.enum(REVIEW_STATUSES).meta({ description: 'closed: it ended by itself, before anybody had decided.' }),
  amount: z.string().nullable(),
  currency: z.string().nullable(),
  score: z.number(),
  reasons: z.array(z.string()),
  signals: z.record(z.string(), z.unknown()).meta({ description: 'Everything that the rules looked at.' }),
  rules: z.array(z.string()).meta({ description: 'The rules that fired.' }),
  model: z.unknown().meta({ description: 'What the learned model says, where there is one.' }),
  reason: z.string().nullable(),
  decided_by: z.string().nullable(),
  decided_at: z.iso.datetime().nullable(),
  created_at: z.iso.datetime(),
}).meta({ id: 'Review' });
export type ReviewObject = z.output<typeof reviewObject>;
export const reviewPage = pageOf(reviewObject);
