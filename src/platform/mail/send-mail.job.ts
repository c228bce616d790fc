import { Inject, Injectable, Logger } from '@nestjs/common';
import { SETTINGS, type Settings } from '../config/settings';
import { Job, type JobHandler } from '../jobs/job-queue';
import { Envelope } from '../security/crypto/envelope';
import { maskEmail } from '../security/crypto/masking';
import { FolderCarrier } from './folder-carrier';
import { SEND_MAIL } from './mail';
import { openLetter, type SealedLetter } from './sealed-mail';
import { MailNotTaken, SmtpCarrier } from './smtp-carrier';

/** Sends one mail: to the mail server, or into a folder where there is none. Logs whom it went to, masked, and never what it says. */
@Injectable()
@Job(SEND_MAIL)
export class SendMailJob implements JobHandler<SealedLetter> {
  readonly job = SEND_MAIL;
  private readonly logger = new Logger(SendMailJob.name);
  private readonly carrier: SmtpCarrier | FolderCarrier;

  constructor(@Inject(SETTINGS) { smtpUrl, mailFrom, dataDir }: Settings, private readonly envelope: Envelope) {
    this.carrier = smtpUrl === undefined ? new FolderCarrier(dataDir, mailFrom) : new SmtpCarrier(smtpUrl, mailFrom);
  }

  /**
   * At least once: a mail that was handed over and not noted as such goes out again. A server's refusal for good ends the matter.
   * @throws MailNotTaken when the server may take it later; the queue then tries again
   */
  async run(payload: SealedLetter): Promise<void> {
    const letter = openLetter(this.envelope, payload);
    const told = { mail: letter.id, to: maskEmail(letter.to), subject: letter.subject };
    try {
      const path = await this.carrier.carry(letter);
      this.logger.log({ msg: path === undefined ? 'mail sent' : 'mail written to a file: there is no SMTP_URL', ...told, path });
    } catch (error) {
      if (!(error instanceof MailNotTaken && error.forGood)) throw error;
      this.logger.error({ err: error, msg: 'mail refused for good; it will not be sent again', ...told });
    }
  }
}
