import { z } from 'zod';

/** The token under which Nest provides the `CaptchaCheck` that the settings name. */
export const CAPTCHA: unique symbol = Symbol('CAPTCHA');

/** What somebody may send as a solution at most, in bytes; the tokens of all providers are well below. */
export const MAX_SOLUTION_BYTES = 8 * 1024;

/** Tells people from programs before something is done that programs would do a million times. */
export interface CaptchaCheck {
  /** What a browser needs to show or solve the CAPTCHA: public, and good for one solution. */
  challenge(): Promise<CaptchaChallenge>;
  /**
   * Whether the solution is genuine, fresh and used for the first time. Asking uses it up. Whatever somebody sends is answered with
   * true or false. `ip` is the address it came from, for providers that weigh it.
   * @throws CaptchaUnavailable when the provider cannot be asked
   */
  passes(solution: string, ip: string | undefined): Promise<boolean>;
}

/** The provider did not say whether the solution is good. The message is for the operator's log, not for callers. */
export class CaptchaUnavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'CaptchaUnavailable';
  }
}

function hex(bytes: number): z.ZodString {
  return z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `must be ${bytes} bytes in lower-case hex`);
}

/** A proof of work as ALTCHA's widget reads it, signed by this gateway (https://altcha.org/docs/v2/proof-of-work-captcha). */
const altchaProof = z.object({
  parameters: z.strictObject({
    algorithm: z.literal('PBKDF2/SHA-256'),
    cost: z.int().positive().meta({ description: 'Rounds of the key derivation for each counter that is tried.' }),
    expiresAt: z.int().positive().meta({ description: 'Unix time in seconds; a solution is accepted until then.' }),
    keyLength: z.literal(32),
    keyPrefix: hex(16).meta({ description: 'What the key begins with that the right counter leads to.' }),
    keySignature: hex(32),
    nonce: hex(16),
    salt: hex(16),
  }),
  signature: hex(32),
});

/** What ALTCHA's widget posts, once it is decoded. */
export const altchaPayload = z.object({
  challenge: altchaProof,
  solution: z.object({ counter: z.int().min(0).max(0xffff_ffff), derivedKey: hex(32) }),
});
export type AltchaPayload = z.output<typeof altchaPayload>;

/** The answer of `GET /v1/auth/captcha`. Its members are named as ALTCHA's widget and the other providers have them. */
export const captchaChallenge = z
  .discriminatedUnion('provider', [
    altchaProof.extend({ provider: z.literal('altcha') })
      .meta({ description: 'Solve it with the ALTCHA widget, and send what the widget puts into its field.' }),
    z.object({
      provider: z.enum(['turnstile', 'hcaptcha', 'recaptcha']),
      site_key: z.string().meta({ description: 'Give it to the widget of the provider, and send the token that the widget answers.' }),
    }),
  ])
  .meta({ description: 'What a browser needs to solve the CAPTCHA. Good for one solution.' });
export type CaptchaChallenge = z.output<typeof captchaChallenge>;
