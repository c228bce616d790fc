import { z } from 'zod';

export const submitTransactionBody = z.strictObject({
  hash: z.string().regex(/^(?:0x)?[0-9a-fA-F]{64}$/, 'must be the hash of a transaction: 64 hex digits')
    .transform((text) => text.slice(-64).toLowerCase())
    .meta({ description: 'The hash of the transaction on TRON.' }),
});
export type SubmitTransactionBody = z.output<typeof submitTransactionBody>;
