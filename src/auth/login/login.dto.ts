import { z } from 'zod';

/** An e-mail address as it is kept: in lower case, because nobody means another person by another case. */
export const emailText = z.string({ error: ({ input }) => (input === undefined ? 'is required' : 'must be text') }).max(254)
  .transform((text) => text.trim().toLowerCase())
  .pipe(z.email('must be an e-mail address'))
  .meta({ examples: ['ada@example.com'] });

/** A password as it is entered; whether it is long enough was decided when it was set. */
export const enteredPassword = z.string().min(1).max(1_000);
export const captchaText = z.string().max(16_384).meta({ description: 'The solution of GET /v1/auth/captcha; each counts once.' });
/** Six digits of an authenticator, or a backup code. */
export const codeText = z.string().min(1).max(40).meta({ description: 'Six digits of the authenticator, or a backup code.', examples: ['123456'] });

export const loginBody = z.strictObject({ email: emailText, password: enteredPassword, captcha: captchaText.optional() });
export type LoginBody = z.output<typeof loginBody>;

export const secondStepBody = z.strictObject({ ticket: z.string().min(1).max(200), code: codeText });
export type SecondStepBody = z.output<typeof secondStepBody>;

export const ticketAnswer = z.object({
  requires_2fa: z.literal(true),
  ticket: z.string().meta({ description: 'Good for five minutes, and for POST /v1/auth/login/2fa only.' }),
});
export type TicketAnswer = z.output<typeof ticketAnswer>;
