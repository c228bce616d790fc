import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../../platform/config/settings';
import { FolderCarrier } from '../../../platform/mail/folder-carrier';
import { MailNotTaken, SmtpCarrier } from '../../../platform/mail/smtp-carrier';
import { subjectOf, textOf } from '../alert-words';
import type { AlertChannel, AlertMessage, Outcome } from './alert-channel';

const MAX_TEXT = 20_000;

/**
 * Mail to one address, handed over here and not by a job of its own, so that the delivery says whether the mail server has taken it. A
 * mail that goes out twice has the same Message-ID.
 */
@Injectable()
export class EmailChannel implements AlertChannel {
  readonly name = 'email';
  readonly takesMany = true;
  readonly stages = ['trigger', 'escalation'] as const;
  private readonly to?: string;
  private readonly carrier: SmtpCarrier | FolderCarrier;

  constructor(@Inject(SETTINGS) { alerts, smtpUrl, mailFrom, dataDir }: Settings) {
    this.to = alerts.email;
    this.carrier = smtpUrl === undefined ? new FolderCarrier(dataDir, mailFrom) : new SmtpCarrier(smtpUrl, mailFrom);
  }

  get isConfigured(): boolean {
    return this.to !== undefined;
  }

  async send(message: AlertMessage): Promise<Outcome> {
    const { id, writtenAt } = message;
    try {
      await this.carrier.carry({ id, writtenAt, to: this.to!, subject: subjectOf(message), text: textOf(message, MAX_TEXT) });
      return { state: 'sent' };
    } catch (error) {
      if (!(error instanceof MailNotTaken)) throw error;
      return { state: error.forGood ? 'refused' : 'again', error: error.message };
    }
  }
}
