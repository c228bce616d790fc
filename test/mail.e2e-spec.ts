import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Tx, UnitOfWork } from '../src/platform/database/unit-of-work';
import { runInContext } from '../src/platform/http/request-context';
import { type Mail, Mailer } from '../src/platform/mail/mail';
import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import { Mailbox, tokenIn } from './support/mailbox';
import { SmtpReceiver } from './support/smtp-receiver';

const TOKEN = `cpgo_${'aZ09-_x'.repeat(7).slice(0, 43)}`;
const LINK = `http://localhost:3000/a-path-that-makes-the-line-longer-than-a-mail-likes?token=${TOKEN}`;

function mailTo(to: string, change: Partial<Mail> = {}): Mail {
  return { to, subject: 'Confirm your address', text: `Hello,\n\nopen this link:\n${LINK}\n\nGrüße`, ...change };
}

function change<T>(gateway: Gateway, work: (tx: Tx, mailer: Mailer) => Promise<T>): Promise<T> {
  const mailer = gateway.app.get(Mailer);
  return runInContext({ requestId: 'test', startedAt: 0 }, () => gateway.app.get(UnitOfWork).run((tx) => work(tx, mailer)));
}

function send(gateway: Gateway, ...mails: Mail[]): Promise<void> {
  return change(gateway, async (tx, mailer) => {
    for (const mail of mails) await mailer.send(tx, mail);
  });
}

const mailJobs = (gateway: Gateway) => gateway.database.rows<{ attempts: number; last_error: string | null }>(
  "select attempts, last_error from graphile_worker.jobs where task_identifier = 'mail.send'",
);
const logged = (log: string[], text: string) => eventually(() => log.find((line) => line.includes(text)));

describe('mail to a mail server', () => {
  let receiver: SmtpReceiver;
  let gateway: Gateway;
  const log: string[] = [];

  beforeAll(async () => {
    receiver = await SmtpReceiver.start();
    gateway = await Gateway.start({ log, environment: { SMTP_URL: receiver.url(), MAIL_FROM: 'Shop & Co <no-reply@pay.example.com>' } });
  });
  afterAll(async () => {
    await gateway.stop();
    await receiver.stop();
  });

  it('arrives as it was written', async () => {
    const before = Date.now();
    await send(gateway, mailTo('anna.arrives@example.com', { subject: 'Bestätigen Sie Ihre Adresse' }));
    const { headers, ...mail } = await receiver.arrived('anna.arrives@example.com');
    expect(mail).toMatchObject({
      from: 'no-reply@pay.example.com', recipients: ['anna.arrives@example.com'], to: 'anna.arrives@example.com',
      subject: 'Bestätigen Sie Ihre Adresse', text: mailTo('').text,
    });
    expect(headers).toMatchObject({
      from: '"Shop & Co" <no-reply@pay.example.com>', 'auto-submitted': 'auto-generated',
      'message-id': expect.stringMatching(/^<[0-9a-f-]{36}@pay\.example\.com>$/) as string,
      'content-type': expect.stringMatching(/^text\/plain; charset=utf-8/) as string,
    });
    expect(Math.abs(Date.parse(headers.date) - before)).toBeLessThan(10_000);
    expect(JSON.parse(await logged(log, '"a***s@example.com"'))).toMatchObject({ level: 30, msg: 'mail sent' });
  });

  it('exists exactly when its change does', async () => {
    const failing = change(gateway, async (tx, mailer) => {
      await mailer.send(tx, mailTo('nobody@example.com'));
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    await send(gateway, mailTo('somebody@example.com'));
    await receiver.arrived('somebody@example.com');
    await eventually(async () => (await mailJobs(gateway)).length === 0);
    expect(receiver.asked).not.toContain('nobody@example.com');
  });

  it('is unreadable in the job table', async () => {
    const rows = await change(gateway, async (tx, mailer) => {
      await mailer.send(tx, mailTo('sealed@example.com'));
      return tx.query<{ row: string }>('select to_jsonb(j)::text as row from graphile_worker._private_jobs j');
    });
    expect(rows).toHaveLength(1);
    expect(rows[0].row).toMatch(/"payload": \{"id": "[0-9a-f-]{36}", "sealed": "v1\.[\w.-]+"\}/);
    expect(rows[0].row).not.toMatch(/sealed@|example\.com|cpgo|aZ09|Confirm/);
    await receiver.arrived('sealed@example.com');
  });

  it.each([
    ['a refusal for now', { code: 451, text: `4.7.1 <later.451@example.com> come back with ${TOKEN}` }],
    ['a lost connection', 'drop'],
  ] as const)('comes after %s, and is the same mail', async (_, refusal) => {
    const to = refusal === 'drop' ? 'later.drop@example.com' : 'later.451@example.com';
    receiver.refuse(to, refusal);
    await send(gateway, mailTo(to));
    const failed = await eventually(async () => (await mailJobs(gateway)).find(({ last_error: error }) => error));
    expect(failed).toMatchObject({ attempts: 1, last_error: expect.stringMatching(/mail server did not take/) as string });
    expect(failed.last_error).not.toMatch(/later\.|aZ09/);
    const { headers } = await receiver.arrived(to);
    expect(receiver.asked.filter((address) => address === to)).toHaveLength(2);
    const sent = await logged(log, headers['message-id'].slice(1, 37));
    expect(JSON.parse(sent)).toMatchObject({ msg: 'mail sent' });
    await eventually(async () => (await mailJobs(gateway)).length === 0);
  });

  it('is given up when the server refuses it for good', async () => {
    receiver.refuse('gone@example.com', { code: 550, text: `5.1.1 <gone@example.com> is unknown here, ${TOKEN}` });
    await send(gateway, mailTo('gone@example.com'));
    const line = JSON.parse(await logged(log, 'refused for good')) as { err: { message: string } };
    expect(line).toMatchObject({ level: 50, to: 'g***e@example.com', subject: 'Confirm your address' });
    expect(line.err.message).toMatch(/550 5\.1\.1 <g\*\*\*e@example\.com> is unknown here, (?:cpgo_)?…$/);
    await eventually(async () => (await mailJobs(gateway)).length === 0);
    expect(receiver.asked.filter((address) => address === 'gone@example.com')).toHaveLength(1);
  });

  it('has no header that its subject or its address brought in', async () => {
    await send(gateway, mailTo('subject@example.com', { subject: 'Hello\r\nBcc: eve@example.com\r\n\r\nBody\u2028end' }));
    const { headers, subject, recipients } = await receiver.arrived('subject@example.com');
    expect([subject, recipients]).toEqual(['Hello Bcc: eve@example.com Body end', ['subject@example.com']]);
    expect(Object.keys(headers)).not.toContain('bcc');
    const others = ['a@example.com, eve@example.com', 'A <a@example.com>', 'a b@example.com', 'a', ''];
    for (const to of ['a@example.com\r\nBcc: eve@example.com', ...others]) {
      await expect(send(gateway, mailTo(to))).rejects.toThrow('one bare address');
    }
    expect(receiver.asked).not.toContain('eve@example.com');
  });

  it('leaves neither addresses nor tokens in the log', async () => {
    await send(gateway, mailTo('last.one@example.com'));
    await receiver.arrived('last.one@example.com');
    await logged(log, '"l***e@example.com"');
    expect(log.join('')).not.toMatch(/aZ09|(?:arrives|body|sealed|451|drop|gone|subject|last\.one)@/);
  });
});

describe('a mail server that asks for more', () => {
  it.each([
    ['a login, without encryption on the same machine', 'shop:p%40ss', '', { user: 'shop', encrypted: false }],
    ['encryption where its URL says so', 'shop:p%40ss', '?requireTLS=true&tls.rejectUnauthorized=false', { user: 'shop', encrypted: true }],
  ])('gets %s', async (_, login, query, expected) => {
    const receiver = await SmtpReceiver.start({ login: { user: 'shop', password: 'p@ss' } });
    const gateway = await Gateway.start({ environment: { SMTP_URL: receiver.url(login, query) } });
    await send(gateway, mailTo('anna@example.com'));
    expect(await receiver.arrived('anna@example.com')).toMatchObject(expected);
    await gateway.stop();
    await receiver.stop();
  });

  it.each([
    ['the password is wrong', 'shop:wrong', '', /535/],
    ['there is no password', '', '', /530/],
    ['its certificate cannot be checked', 'shop:p%40ss', '?requireTLS=true', /certificate/],
  ])('keeps its mails waiting while %s', async (_, login, query, expected) => {
    const receiver = await SmtpReceiver.start({ login: { user: 'shop', password: 'p@ss' } });
    const gateway = await Gateway.start({ environment: { SMTP_URL: receiver.url(login, query) } });
    await send(gateway, mailTo('anna@example.com'));
    const { last_error: error } = await eventually(async () => (await mailJobs(gateway)).find((job) => job.last_error));
    expect(error).toMatch(expected);
    expect(receiver.taken).toEqual([]);
    await gateway.stop();
    await receiver.stop();
  });
});

describe('mail without a mail server', () => {
  let gateway: Gateway;
  let mailbox: Mailbox;
  const log: string[] = [];

  beforeAll(async () => {
    gateway = await Gateway.start({ log });
    mailbox = new Mailbox(gateway.settings.dataDir, gateway.database);
  });
  afterAll(() => gateway.stop());

  it('is written to a file that only its owner reads', async () => {
    await send(gateway, mailTo('file@example.com', { subject: 'Grüße' }));
    const mail = await mailbox.next('file@example.com');
    expect(mail).toEqual({ subject: 'Grüße', text: mailTo('').text });
    expect(tokenIn(mail.text)).toBe(TOKEN);

    const folder = path.join(gateway.settings.dataDir, 'outbox');
    const names = readdirSync(folder);
    expect(names).toEqual([expect.stringMatching(/^\d{8}T\d{9}Z-[0-9a-f-]{36}\.eml$/)]);
    const file = path.join(folder, names[0]);
    expect([statSync(folder).mode & 0o777, statSync(file).mode & 0o777]).toEqual([0o700, 0o600]);
    const line: unknown = JSON.parse(await logged(log, 'mail written'));
    expect(line).toMatchObject({ level: 30, to: 'f***e@example.com', subject: 'Grüße', path: file });
    expect(log.join('')).not.toMatch(/aZ09|file@/);
  });

  it('is taken from the mailbox once, by its addressee, in order', async () => {
    await send(gateway, mailTo('one@example.com', { subject: 'first' }));
    await mailbox.none('two@example.com');
    await send(gateway, mailTo('one@example.com', { subject: 'second' }), mailTo('two@example.com'));
    expect([(await mailbox.next('one@example.com')).subject, (await mailbox.next('one@example.com')).subject]).toEqual(['first', 'second']);
    await mailbox.none('one@example.com');
    await expect(mailbox.none('two@example.com')).rejects.toThrow('There is a mail to two@example.com');
  });
});
