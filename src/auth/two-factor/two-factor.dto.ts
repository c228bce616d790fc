import { z } from 'zod';
import { codeText, enteredPassword } from '../login/login.dto';

/** The body may be left out. */
export const enrolBody = z.strictObject({
  password: enteredPassword.optional().meta({ description: 'Needed when you logged in more than ten minutes ago.' }),
}).prefault({});
export type EnrolBody = z.output<typeof enrolBody>;

export const verifyBody = z.strictObject({ code: codeText });
export type VerifyBody = z.output<typeof verifyBody>;

export const disableBody = z.strictObject({ password: enteredPassword, code: codeText });
export type DisableBody = z.output<typeof disableBody>;

export const renewCodesBody = z.strictObject({
  code: codeText.optional().meta({ description: 'Needed unless a second factor was entered in the last five minutes.' }),
}).prefault({});
export type RenewCodesBody = z.output<typeof renewCodesBody>;

export const enrolmentAnswer = z.object({
  secret: z.string().meta({ description: 'For authenticators that are typed into. Base32.' }),
  otpauth_uri: z.string().meta({ examples: ['otpauth://totp/CPGateway:ada%40example.com?secret=…&issuer=CPGateway'] }),
  qr_png: z.string().meta({ description: 'The same as a picture: a data URI.' }),
  qr_svg: z.string().meta({ description: 'The same as SVG.' }),
});
export type EnrolmentAnswer = z.output<typeof enrolmentAnswer>;

export const backupCodesAnswer = z.object({
  backup_codes: z.array(z.string()).meta({ description: 'Shown this once. Each opens once.', examples: [['k7mp-2xqa-9wtr-hc4d']] }),
});
export type BackupCodesAnswer = z.output<typeof backupCodesAnswer>;

export const statusAnswer = z.object({
  object: z.literal('two_factor'),
  enabled: z.boolean(),
  enabled_at: z.iso.datetime().nullable(),
  backup_codes_left: z.int(),
});
export type StatusAnswer = z.output<typeof statusAnswer>;

export const stepUpAnswer = z.object({ object: z.literal('step_up'), second_factor_at: z.iso.datetime(), fresh_until: z.iso.datetime() });
export type StepUpAnswer = z.output<typeof stepUpAnswer>;
