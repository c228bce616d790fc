import { z } from 'zod';
import { FAILURES_AT_WILL } from '../deliveries/failures-at-will';

const MAX_ATTEMPTS = 20;
const RECOVER = 'recover';

export const failBody = z.strictObject({
  outcome: z.enum([...FAILURES_AT_WILL, RECOVER])
    .meta({ description: 'How the next attempts fail; `recover` ends it, and the next one is sent.' }),
  attempts: z.int().min(1).max(MAX_ATTEMPTS).default(1)
    .meta({ description: 'How many attempts fail, of whichever deliveries come first.' }),
});
export type FailBody = z.output<typeof failBody>;

export const testReceiverObject = z.object({
  object: z.literal('test_receiver'),
  endpoint: z.string(),
  outcome: z.enum(FAILURES_AT_WILL).nullable().meta({ description: 'How the next attempts fail; null when they are sent.' }),
  attempts: z.int().meta({ description: 'How many of them.' }),
}).meta({ id: 'TestReceiver' });
export type TestReceiverObject = z.output<typeof testReceiverObject>;

/** What a body asks for. It replaces what was asked for before. */
export function plannedBy(endpoint: string, { outcome, attempts }: FailBody): TestReceiverObject {
  const recovers = outcome === RECOVER;
  return { object: 'test_receiver', endpoint, outcome: recovers ? null : outcome, attempts: recovers ? 0 : attempts };
}
