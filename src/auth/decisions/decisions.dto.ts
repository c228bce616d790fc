import { z } from 'zod';

/** What a person was shown and has signed. A field that differs from the object as it is refuses the decision. */
export const decisionBody = z.strictObject({
  revision: z.int().min(1).meta({ description: 'The revision of the object as it was shown.' }),
  amount: z.string().max(60).meta({ description: 'With all decimals of its currency, as it was shown.', examples: ['25.00'] }),
  currency: z.string().max(10),
  destination: z.string().max(300).meta({ description: 'The whole destination as it was shown; empty where the object has none.' }),
  totp_code: z.string().min(6).max(32).meta({ description: 'A code of your second factor; it is used up by this decision and nothing else.' }),
});
export type DecisionBody = z.output<typeof decisionBody>;

/** The headers that carry a signed decision. */
export interface SignedHeaders {
  /** `X-Timestamp`: unix seconds. */
  timestamp?: string;
  /** `X-Admin-Signature`: `ed25519=` and 64 bytes in base64. */
  signature?: string;
}
