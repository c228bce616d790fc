import { z } from 'zod';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { CLIENT_ROLES, STAFF_ROLES } from '../../platform/http/roles';
import { idSchema, visibleText } from '../../platform/http/validation';
import { captchaText, codeText, emailText, enteredPassword } from '../login/login.dto';
import { newPassword } from '../passwords/password-rules';

/** RFC 5321, 4.5.3.1.1. */
const LONGEST_LOCAL_PART = 64;

/** An address that mail will be sent to. */
export const newEmailText = emailText.refine((email) => email.indexOf('@') <= LONGEST_LOCAL_PART, 'has more than 64 characters before the @');

const linkToken = z.string().min(1).max(200).meta({ description: 'What the link in the mail has after token=.' });
const maybeCode = codeText.optional().meta({ description: 'Needed with a second factor, unless one was entered in the last five minutes.' });

export const registerBody = z.strictObject({
  email: newEmailText,
  password: newPassword,
  captcha: captchaText.optional(),
  client_name: visibleText(1, 200).refine((name) => name.trim() !== '', 'must not be blank').transform((name) => name.trim()).optional()
    .meta({ description: 'What your company or shop is called.' }),
  referral_code: z.string().min(1).max(40).transform((code) => code.trim().toLowerCase()).optional()
    .meta({ description: 'The code of whoever sent you.' }),
});
export type RegisterBody = z.output<typeof registerBody>;

export const accepted = z.object({ status: z.literal('accepted') })
  .meta({ description: 'The same whether the address is known or not. If there is something to do, a mail says what.' });
export type Accepted = z.output<typeof accepted>;
export const ACCEPTED: Accepted = { status: 'accepted' };

export const verifyEmailBody = z.strictObject({ token: linkToken });
export type VerifyEmailBody = z.output<typeof verifyEmailBody>;
export const confirmedEmail = z.object({ status: z.literal('confirmed'), email: z.string() });
export type ConfirmedEmail = z.output<typeof confirmedEmail>;

export const changeEmailBody = z.strictObject({ email: newEmailText, current_password: enteredPassword, code: maybeCode });
export type ChangeEmailBody = z.output<typeof changeEmailBody>;

export const resetPasswordBody = z.strictObject({ email: emailText });
export type ResetPasswordBody = z.output<typeof resetPasswordBody>;
export const confirmResetBody = z.strictObject({
  token: linkToken, password: newPassword, code: codeText.optional().meta({ description: 'Needed with a second factor.' }),
});
export type ConfirmResetBody = z.output<typeof confirmResetBody>;
export const changePasswordBody = z.strictObject({ current_password: enteredPassword, new_password: newPassword, code: maybeCode });
export type ChangePasswordBody = z.output<typeof changePasswordBody>;
export const changedPassword = z.object({ status: z.literal('changed') });
export type ChangedPassword = z.output<typeof changedPassword>;

export const profileObject = z.object({
  id: idSchema('usr'),
  object: z.literal('profile'),
  email: z.string(),
  role: z.enum([...CLIENT_ROLES, ...STAFF_ROLES]),
  client: idSchema('cli').nullable().meta({ description: 'The client that you belong to; null for staff.' }),
  two_factor_enabled: z.boolean(),
  referral_code: z.string().meta({ description: 'What others may name when they register.' }),
  referrals: z.int().meta({ description: 'How many have registered with it.' }),
  created_at: z.iso.datetime(),
});
export type ProfileObject = z.output<typeof profileObject>;

export const activityObject = z.object({
  id: idSchema('aud'),
  object: z.literal('activity'),
  kind: z.string().meta({ examples: ['login.succeeded'] }),
  object_id: z.string().nullable().meta({ description: 'What it was done to.' }),
  ip: z.string().nullable(),
  device: z.string().nullable().meta({ description: 'What the browser or program calls itself.' }),
  at: z.iso.datetime(),
});
export type ActivityObject = z.output<typeof activityObject>;
export const listActivityQuery = listQuery('aud', {});
export const activityPage = pageOf(activityObject);
