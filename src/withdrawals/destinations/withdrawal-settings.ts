import { z } from 'zod';

const DAY_SECONDS = 86_400;
const MAX_COOLOFF_SECONDS = 30 * DAY_SECONDS;

/** The section of a client's settings that is about withdrawals. Staff set it: whoever has stolen a key must not wave it away. */
export function withdrawalSettings(livemode: boolean) {
  return z.strictObject({
    destination_cooloff_seconds: z.int().min(0).max(MAX_COOLOFF_SECONDS).default(livemode ? DAY_SECONDS : 0)
      .meta({ description: 'How long a new destination waits until withdrawals may go there.' }),
  });
}

/** The cool-off of new destinations in a book, by the book's stored settings. */
export function cooloffSeconds(settings: Readonly<Record<string, unknown>>, livemode: boolean): number {
  return withdrawalSettings(livemode).parse(settings.withdrawals ?? {}).destination_cooloff_seconds;
}
