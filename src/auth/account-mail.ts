import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../platform/config/settings';
import type { Tx } from '../platform/database/unit-of-work';
import { Mailer } from '../platform/mail/mail';
import { LINK_HOURS } from './tokens/one-time-tokens';

/** What the page behind a link does. */
export type LinkAction = 'confirm' | 'reset' | 'invitation';

const NOT_YOU = 'If this was not you, reset your password now and look at your open sessions.';

/** The mails about accounts. Each is written in the change that it tells of; the token of a link is the only secret in any of them. */
@Injectable()
export class AccountMail {
  private readonly publicUrl: string;

  constructor(private readonly mailer: Mailer, @Inject(SETTINGS) { publicUrl }: Settings) {
    this.publicUrl = publicUrl;
  }

  confirmRegistration(tx: Tx, to: string, token: string): Promise<void> {
    return this.send(tx, to, 'Confirm your e-mail address', [
      'Welcome! Confirm your e-mail address to open your account:', this.link('confirm', token),
      `The link works once, for ${LINK_HOURS.registration} hours.`,
      'Whoever asked has chosen its password. If that was not you, ignore this mail: nothing was opened.',
    ]);
  }

  /** To the owner of an address with which somebody tried to open another account, or to move one to. */
  addressInUse(tx: Tx, to: string): Promise<void> {
    return this.send(tx, to, 'You have an account already', [
      'Somebody, perhaps you, wanted to use this e-mail address for an account. It has one already, so nothing was changed.',
      `If you have forgotten your password, ask for a new one where you log in, or with POST ${this.publicUrl}/v1/auth/password/reset.`,
    ]);
  }

  resetPassword(tx: Tx, to: string, token: string): Promise<void> {
    return this.send(tx, to, 'Set a new password', [
      'Somebody, hopefully you, asked for a new password for your account. Set it here:', this.link('reset', token),
      `The link works once, for ${LINK_HOURS.password_reset * 60} minutes.`,
      'If you did not ask for it, ignore this mail: your password stays as it is.',
    ]);
  }

  passwordChanged(tx: Tx, to: string): Promise<void> {
    return this.send(tx, to, 'Your password was changed', [
      'The password of your account was changed just now. Your other sessions have ended.', NOT_YOU,
    ]);
  }

  confirmNewAddress(tx: Tx, to: string, token: string): Promise<void> {
    return this.send(tx, to, 'Confirm your new e-mail address', [
      'You asked to use this e-mail address for your account from now on. Confirm it:', this.link('confirm', token),
      `The link works once, for ${LINK_HOURS.email_change} hours. Until then your account keeps its old address.`,
      'If you did not ask for it, ignore this mail.',
    ]);
  }

  addressChangeAsked(tx: Tx, to: string): Promise<void> {
    return this.send(tx, to, 'Your e-mail address is about to change', [
      'Somebody who is signed in to your account asked to give it another e-mail address. It changes as soon as the new address is confirmed.',
      NOT_YOU,
    ]);
  }

  addressChanged(tx: Tx, to: string): Promise<void> {
    return this.send(tx, to, 'Your e-mail address was changed', [
      'Your account has another e-mail address now; this one no longer opens it.', 'If this was not you, tell the operator of the gateway at once.',
    ]);
  }

  /** `where` is the name of the client that invites, or what the staff is called. */
  invitation(tx: Tx, to: string, token: string, { role, where }: { role: string; where: string }): Promise<void> {
    return this.send(tx, to, 'You are invited', [
      `You are invited to join "${plainName(where)}" as ${role}. Choose your password here:`, this.link('invitation', token),
      `The link works once, for ${LINK_HOURS.invitation / 24} days.`, 'If you do not know what this is about, ignore this mail.',
    ]);
  }

  signingKeyChanged(tx: Tx, to: string): Promise<void> {
    return this.send(tx, to, 'Your signing key was changed', [
      'Your decisions are checked against another signing key from now on.', 'If this was not you, tell an administrator at once.',
    ]);
  }

  secondFactorReset(tx: Tx, to: string): Promise<void> {
    return this.send(tx, to, 'Your second factor was reset', [
      'An operator has given your account a new second factor. The old one and its backup codes no longer work, and your sessions have ended.',
      'If you did not ask for it, tell the operator of the gateway at once.',
    ]);
  }

  /** `what` is a sentence. */
  secondFactorChanged(tx: Tx, to: string, what: string): Promise<void> {
    return this.send(tx, to, 'Your second factor was changed', [what, NOT_YOU]);
  }

  /** The token stands in the fragment, which browsers send to nobody: it comes into no log. */
  private link(action: LinkAction, token: string): string {
    return `${this.publicUrl}/account/${action}#token=${token}`;
  }

  private send(tx: Tx, to: string, subject: string, paragraphs: readonly string[]): Promise<void> {
    return this.mailer.send(tx, { to, subject, text: `${paragraphs.join('\n\n')}\n` });
  }
}

/** A name that others have chosen, without what mail programs make a link of: nobody shall send strangers anywhere in our name. */
function plainName(name: string): string {
  return name.replace(/[^\p{L}\p{N}\p{M} &',-]+/gu, ' ').trim().slice(0, 60);
}
