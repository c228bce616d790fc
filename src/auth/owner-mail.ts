import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work';
import { Mailer } from '../platform/mail/mail';

const OWNERS = "select email from people where client_id = $1 and role = 'owner' and status = 'active' order by id";

/** Mails to everybody who owns a client, about what concerns its money. */
@Injectable()
export class OwnerMail {
  constructor(private readonly mailer: Mailer) {}

  /** Writes one mail to each owner in the change that it tells of; none where a client has no people. */
  async tell(tx: Tx, clientId: string, subject: string, paragraphs: readonly string[]): Promise<void> {
    const owners = await tx.query<{ email: string }>(OWNERS, [clientId]);
    for (const { email } of owners) await this.mailer.send(tx, { to: email, subject, text: `${paragraphs.join('\n\n')}\n` });
  }
}
