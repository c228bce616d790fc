import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/unit-of-work';
import { JobQueue } from '../jobs/job-queue';
import { Envelope } from '../security/crypto/envelope';
import { sealLetter } from './sealed-mail';

/** The job that sends one mail. */
export const SEND_MAIL = 'mail.send';

/** A mail in plain text. Links and tokens belong into the text: the subject is shown in logs and on locked screens. */
export interface Mail {
  /** One bare address, such as `anna@example.com`. */
  to: string;
  subject: string;
  text: string;
}

/** One address and nothing around it: no second one, no name, no quoting, and nothing that could end a line (RFC 5322, 3.4.1). */
const BARE_ADDRESS = /^[^\s\p{C}@<>()[\]\\,;:"]{1,64}@[^\s\p{C}@<>()[\]\\,;:"]{1,255}$/u;
const LINE_ENDERS = /[\p{Cc}\u2028\u2029]+/gu;

/** Sends mail as part of a change: a mail exists exactly when its change does. */
@Injectable()
export class Mailer {
  constructor(
    private readonly jobs: JobQueue,
    private readonly envelope: Envelope,
  ) {}

  /**
   * Writes the mail down in the caller's transaction; it goes out after the commit, and never after a rollback. It goes out at least
   * once: when a process dies between handing the mail over and noting it, the same mail comes twice, with the same Message-ID.
   * Line breaks in the subject become spaces.
   * @throws Error when `to` is not one bare address; whoever takes addresses in checks them first, so this is a fault of the program
   */
  async send(tx: Tx, { to, subject, text }: Mail): Promise<void> {
    if (!BARE_ADDRESS.test(to)) throw new Error('A mail needs one bare address to go to.');
    await this.jobs.add(tx, SEND_MAIL, sealLetter(this.envelope, { to, subject: subject.replace(LINE_ENDERS, ' ').trim(), text }));
  }
}
