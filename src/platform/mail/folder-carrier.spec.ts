import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FolderCarrier } from './folder-carrier';
import type { Letter } from './sealed-mail';

const letter: Letter = {
  id: '5f0c8f7e-0000-4000-8000-000000000001', writtenAt: new Date('2027-01-02T03:04:05.678Z'),
  to: 'anna@example.com', subject: 'Grüße', text: `one\ntwo ${'x'.repeat(200)}`,
};

describe('the folder of mails', () => {
  let base: string;
  beforeEach(() => { base = mkdtempSync(join(tmpdir(), 'cpgateway-mail-')); });
  afterEach(() => rmSync(base, { recursive: true }));

  it('is made in a data folder that others may pass through', async () => {
    const dataDir = join(base, 'data');
    const path = await new FolderCarrier(dataDir, 'no-reply@localhost').carry(letter);
    expect(path).toBe(join(dataDir, 'outbox', `20270102T030405678Z-${letter.id}.eml`));
    expect([dataDir, dirname(path), path].map((each) => statSync(each).mode & 0o777)).toEqual([0o711, 0o700, 0o600]);
  });

  it('is closed to others when it was open', async () => {
    mkdirSync(join(base, 'outbox'), { mode: 0o755 });
    await new FolderCarrier(base, 'no-reply@localhost').carry(letter);
    expect(statSync(join(base, 'outbox')).mode & 0o777).toBe(0o700);
  });

  it('holds a repeated letter once, and nothing half-written', async () => {
    const carrier = new FolderCarrier(base, 'no-reply@localhost');
    const [first, second] = [await carrier.carry(letter), await carrier.carry(letter)];
    expect(second).toBe(first);
    expect(readdirSync(dirname(first))).toHaveLength(1);
  });

  it('leaves no draft behind when the file cannot be put in its place', async () => {
    const path = join(base, 'outbox', `20270102T030405678Z-${letter.id}.eml`);
    mkdirSync(join(path, 'in-the-way'), { recursive: true });
    await expect(new FolderCarrier(base, 'no-reply@localhost').carry(letter)).rejects.toThrow();
    expect([readdirSync(dirname(path)).length, existsSync(join(path, 'in-the-way'))]).toEqual([1, true]);
  });

  it('keeps the text as it was written, and its headers to themselves', async () => {
    const odd = { ...letter, subject: 'Hi\r\nBcc: eve@example.com', to: 'anna@example.com\r\nBcc: eve@example.com' };
    const carrier = new FolderCarrier(base, 'CPGateway <no-reply@pay.example.com>');
    expect(readFileSync(await carrier.carry(letter), 'utf8').split('\r\n')).toEqual([
      'From: CPGateway <no-reply@pay.example.com>', 'To: anna@example.com', 'Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=',
      'Date: Sat, 02 Jan 2027 03:04:05 +0000', `Message-ID: <${letter.id}@pay.example.com>`, 'Auto-Submitted: auto-generated',
      'Content-Transfer-Encoding: 8bit', 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', '',
      'one', `two ${'x'.repeat(200)}`, '',
    ]);
    expect(readFileSync(await carrier.carry(odd), 'utf8')).not.toMatch(/^Bcc:/m);
  });
});
