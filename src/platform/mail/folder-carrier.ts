import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import MimeNode from 'nodemailer/lib/mime-node';
import type { Letter } from './sealed-mail';
import { messageIdOf } from './smtp-carrier';

/**
 * Puts letters into files, for systems without a mail server. Only this process's user can read them: they hold links that open
 * accounts.
 */
export class FolderCarrier {
  private readonly folder: string;

  /** @param from the sender, with or without a name before the address */
  constructor(private readonly dataDir: string, private readonly from: string) {
    this.folder = join(dataDir, 'outbox');
  }

  /** Writes `outbox/<time>-<id>.eml` and answers its path. The file appears whole; a repeated letter replaces its own file. */
  async carry(letter: Letter): Promise<string> {
    await this.open();
    const path = join(this.folder, `${letter.writtenAt.toISOString().replace(/[-:.]/g, '')}-${letter.id}.eml`);
    const draft = `${path}.${randomBytes(6).toString('hex')}`;
    try {
      await writeFile(draft, readable(letter, this.from), { mode: 0o600, flag: 'wx', flush: true });
      await rename(draft, path);
    } finally {
      await rm(draft, { force: true });
    }
    return path;
  }

  private async open(): Promise<void> {
    // Two steps, because one would give its mode to both: the data folder must let the embedded database's own user pass.
    await mkdir(this.dataDir, { recursive: true, mode: 0o711 });
    await mkdir(this.folder, { recursive: true });
    await chmod(this.folder, 0o700);
  }
}

/** The message (RFC 5322) with its text as it was written: encoded for transport, a long link in it could not be copied out. */
function readable({ id, writtenAt, to, subject, text }: Letter, from: string): string {
  const head = new MimeNode('text/plain; charset=utf-8');
  head.setHeader({
    From: from,
    To: { name: '', address: to },
    Subject: subject,
    Date: writtenAt,
    'Message-ID': messageIdOf(id, from),
    'Auto-Submitted': 'auto-generated',
    'Content-Transfer-Encoding': '8bit',
  });
  return `${head.buildHeaders()}\r\n\r\n${text.replace(/\r?\n|\r/g, '\r\n')}\r\n`;
}
