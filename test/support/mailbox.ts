import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestDatabase } from './database';
import { eventually } from './eventually';

/** A mail as its reader sees it. Header names are in lower case. */
export interface ReadMail {
  headers: Record<string, string>;
  to: string;
  subject: string;
  text: string;
}

const TOKEN = /(?<![\w-])cpgo_[\w-]{43}(?![\w-])/;

/** The mails that a gateway without a mail server has written. Each is taken once, the oldest first. */
export class Mailbox {
  private readonly seen = new Set<string>();
  private readonly untaken: ReadMail[] = [];

  /** With the database, `none` also waits for mails that are still under way. */
  constructor(private readonly dataDir: string, private readonly database?: TestDatabase) {}

  /** Waits for the next mail to that address. */
  async next(to: string): Promise<{ subject: string; text: string }> {
    const { subject, text } = await eventually(() => this.take(to));
    return { subject, text };
  }

  /** Expects that no further mail to that address has come. */
  async none(to: string): Promise<void> {
    if (this.database) await eventually(async () => (await this.underWay(this.database!)) === 0);
    const mail = this.take(to);
    if (mail) throw new Error(`There is a mail to ${to}: ${mail.subject}`);
  }

  private underWay(database: TestDatabase): Promise<number> {
    return database.value<number>("select count(*)::int from graphile_worker.jobs where task_identifier = 'mail.send'");
  }

  private take(to: string): ReadMail | undefined {
    this.look();
    const at = this.untaken.findIndex((mail) => mail.to.toLowerCase() === to.toLowerCase());
    return at < 0 ? undefined : this.untaken.splice(at, 1)[0];
  }

  private look(): void {
    const folder = path.join(this.dataDir, 'outbox');
    const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.eml') && !this.seen.has(name)) : [];
    for (const name of names.sort()) {
      this.seen.add(name);
      this.untaken.push(readMail(readFileSync(path.join(folder, name), 'utf8')));
    }
  }
}

/** The one-time token in a mail. */
export function tokenIn(text: string): string {
  const token = TOKEN.exec(text)?.[0];
  if (!token) throw new Error(`There is no one-time token in this mail:\n${text}`);
  return token;
}

/** Reads a message of one part (RFC 5322, 2045, 2047), written here a second time on purpose: a mistake of the sender must show. */
export function readMail(raw: string): ReadMail {
  const end = raw.indexOf('\r\n\r\n');
  const lines = raw.slice(0, end).replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name, value] = /^([\w-]+): (.*)$/.exec(line) ?? [];
    if (!name || name.toLowerCase() in headers) throw new Error(`This is no header, or it is there twice: ${line}`);
    headers[name.toLowerCase()] = value;
  }
  const text = decodeText(raw.slice(end + 4), headers['content-transfer-encoding']);
  return { headers, to: headers.to, subject: decodeWords(headers.subject), text: text.replaceAll('\r\n', '\n').replace(/\n$/, '') };
}

function decodeText(body: string, encoding = '7bit'): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  return encoding === 'quoted-printable' ? decodeQuoted(body.replace(/=\r\n/g, '')) : body;
}

function decodeWords(header: string): string {
  return header.replace(/\?=\s+=\?/g, '?==?').replace(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_, kind: string, word: string) => (
    kind.toLowerCase() === 'b' ? Buffer.from(word, 'base64').toString('utf8') : decodeQuoted(word.replaceAll('_', ' '))
  ));
}

function decodeQuoted(text: string): string {
  const bytes = text.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
