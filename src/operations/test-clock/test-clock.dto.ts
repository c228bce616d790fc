import { z } from 'zod';

const YEAR_SECONDS = 31_536_000;

export const advanceClockBody = z.strictObject({ advance_seconds: z.int().min(1).max(YEAR_SECONDS) });
export type AdvanceClockBody = z.output<typeof advanceClockBody>;

export const testClockObject = z.object({
  object: z.literal('test_clock'),
  advanced_seconds: z.int(),
  moved: z.record(z.string(), z.int())
    .meta({ description: 'How many objects of each kind are due that much sooner.', examples: [{ payments: 2, destinations: 1 }] }),
}).meta({ id: 'TestClock' });
export type TestClockObject = z.output<typeof testClockObject>;
