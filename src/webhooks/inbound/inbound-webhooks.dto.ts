import { z } from 'zod';

/** What a provider is told once its event is stored. */
export const webhookReceipt = z.object({
  received: z.literal(true),
  duplicate: z.literal(true).optional().meta({ description: 'The event was here before; this delivery changed nothing.' }),
});
export type WebhookReceipt = z.output<typeof webhookReceipt>;
