import { createTransport } from 'nodemailer';
import { maskEmail, maskSecrets } from '../security/crypto/masking';
import type { Letter } from './sealed-mail';

/** A mail was not taken. The message tells what the server said, without addresses and tokens. */
export class MailNotTaken extends Error {
  /** @param forGood the server will never take this mail; otherwise it may do so later */
  constructor(message: string, readonly code: string | undefined, readonly forGood: boolean) {
    super(message);
    this.name = 'MailNotTaken';
  }
}

/** What nodemailer tells of a failure. */
interface SmtpFailure extends Error {
  code?: string;
  command?: string;
  responseCode?: number;
  /** The server answered 5xx, other than "bad sequence of commands". */
  permanent?: boolean;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;
/** Refusals at any other step are about this gateway, its password or its certificates, and an operator can put those right. */
const STEPS_OF_A_MAIL: ReadonlySet<string | undefined> = new Set(['MAIL FROM', 'RCPT TO', 'DATA']);
/** "Log in first" and "encrypt first" (RFC 4954, 6; RFC 3207, 4) may answer any step and are not about the mail either. */
const NOT_BEFORE_LOGIN = 530;
/** Servers quote what they refuse. Nothing as long as a one-time token is repeated. */
const LONG_WORD = /[\w-]{32,}/g;
const MAX_MESSAGE = 500;

/**
 * How the mail server is reached; options in the URL win (https://nodemailer.com/smtp).
 *
 * `smtps:` is encrypted from the first byte. With `smtp:` the server must offer STARTTLS and prove its name: the mails hold links that
 * open accounts, and without the demand anyone on the way could strike the offer out and read along. A server on the loopback interface
 * is the exception, in production too: nobody is on that way, and a relay there usually has a certificate for no name that could be
 * proven. An operator whose way is safe by other means says so in the URL: `?requireTLS=false`.
 */
export function smtpOptions(url: string) {
  const isLocal = LOOPBACK.test(new URL(url).hostname);
  // The library waits for minutes by itself; a job that hangs would hold up those behind it.
  const limits = { connectionTimeout: 10_000, dnsTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 };
  return { url, requireTLS: !isLocal, ignoreTLS: isLocal, ...limits };
}

/** Hands letters to a mail server (RFC 5321), one connection each. */
export class SmtpCarrier {
  private readonly transport;

  /** @param from the sender, with or without a name before the address */
  constructor(url: string, private readonly from: string) {
    this.transport = createTransport(smtpOptions(url));
  }

  /** @throws MailNotTaken */
  async carry({ id, writtenAt, to, subject, text }: Letter): Promise<void> {
    try {
      await this.transport.sendMail({
        from: this.from,
        // As an object, so that it is never read as a list.
        to: { name: '', address: to },
        subject,
        text,
        date: writtenAt,
        messageId: messageIdOf(id, this.from),
        headers: { 'Auto-Submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
      });
    } catch (error) {
      // The library's own error quotes addresses and would be kept in the job table; it goes no further.
      throw notTaken(error as SmtpFailure, to);
    }
  }
}

/** The same for every attempt, so that whoever gets a mail twice can tell (RFC 5322, 3.6.4). */
export function messageIdOf(id: string, from: string): string {
  return `<${id}@${from.slice(from.lastIndexOf('@') + 1).replace(/[>\s]+$/, '')}>`;
}

function notTaken({ message, code, command, responseCode, permanent }: SmtpFailure, to: string): MailNotTaken {
  const said = String(maskSecrets(message.replaceAll(to, maskEmail(to)))).replace(LONG_WORD, '…').slice(0, MAX_MESSAGE);
  const forGood = permanent === true && responseCode !== NOT_BEFORE_LOGIN && STEPS_OF_A_MAIL.has(command);
  return new MailNotTaken(`The mail server did not take the mail: ${said}`, code, forGood);
}
