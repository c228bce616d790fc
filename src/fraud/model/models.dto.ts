import { z } from 'zod';

export const modelVersion = z.strictObject({
  version: z.string().regex(/^[1-9]\d{0,8}$/, 'must be the number of a stored model').transform(Number),
});

const counted = z.object({ rows: z.int(), frauds: z.int() });
const measured = { auc_roc: z.number(), average_precision: z.number(), card_precision_100: z.number() };

/** How well a model told frauds apart that came after its training. */
export const modelFigures = z.object({
  train: counted,
  test: counted,
  ...measured,
  split: z.object({ train_start: z.iso.date(), train_days: z.int(), delay_days: z.int(), test_days: z.int(), seed: z.int() }),
  rules: z.object(measured).optional()
    .meta({ description: "The score of the rules then in force on the same payments; only where the model was trained from the gateway's own history." }),
});
export type ModelFigures = z.output<typeof modelFigures>;

export const modelObject = z.object({
  version: z.int(),
  object: z.literal('risk_model'),
  figures: modelFigures,
  trained_on: z.string(),
  features: z.array(z.string()),
  created_by: z.string(),
  created_at: z.iso.datetime(),
}).meta({ id: 'RiskModel' });
export type ModelObject = z.output<typeof modelObject>;
export const modelList = z.object({ object: z.literal('list'), data: z.array(modelObject), has_more: z.literal(false) });
