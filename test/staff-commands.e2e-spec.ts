import { createPublicKey, verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { built } from './support/built';
import { runHere } from './support/commands';
import { TestDatabase } from './support/database';
import { newFolder, removeFolders } from './support/embedded-folders';
import { SOME_ADDRESS } from './support/funds';
import { TEST_SECRETS } from './support/gateway';
import { endPrograms, runProgram } from './support/programs';

describe('the commands about staff', () => {
  let database: TestDatabase;
  const settings = () => ({ DATABASE_URL: database.url, ENCRYPTION_MASTER_KEY: TEST_SECRETS.masterKey, DATA_DIR: newFolder() });
  const cpg = (...args: string[]) => runHere(settings(), args);

  beforeAll(async () => {
    await built();
    database = await TestDatabase.create();
  }, 240_000);
  afterEach(endPrograms);
  afterAll(async () => {
    await database.drop();
    removeFolders();
  });

  it('make a member of the staff, show the secrets once, and give a new second factor', async () => {
    const made = await runProgram('cli', settings(), ['staff:create', '--email', 'Ada@staff.example', '--role', 'admin', '--json']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const shown = JSON.parse(made.stdout) as Record<string, string>;
    expect(Object.keys(shown)).toEqual(['person_id', 'email', 'password', 'totp_secret', 'signing_private_key']);
    const stored = 'select email, role, status, client_id, totp_enabled_at is not null as two_factor from people where id = $1';
    expect(await database.rows(stored, [shown['person_id']]))
      .toEqual([{ email: 'ada@staff.example', role: 'admin', status: 'active', client_id: null, two_factor: true }]);

    const again = await cpg('staff:create', '--email', 'ada@staff.example', '--role', 'auditor');
    expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('has this e-mail address already') });
    const reset = await cpg('staff:reset-2fa', '--email', 'ada@staff.example');
    expect(reset.stdout).toMatch(/^ada@staff\.example has a new second factor\. It is shown only now:\n[^]*\n {2}totp_secret +[A-Z2-7]{32,}\n$/);
    expect(reset.stdout).not.toContain(shown['totp_secret']);
    const nobody = await cpg('staff:reset-2fa', '--email', 'nobody@staff.example');
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('no such person') });
    const audited = await database.rows('select kind, actor_type, actor_id from audit_events where object_id = $1 order by id', [shown['person_id']]);
    const by = { actor_type: 'operator', actor_id: userInfo().username };
    expect(audited).toEqual([{ kind: 'staff.created', ...by }, { kind: 'two_factor.reset', ...by }]);
  }, 120_000);

  it('sign a decision with the key that was shown, without a database where the words are given', async () => {
    const made = JSON.parse((await cpg('staff:create', '--email', 'signs@staff.example', '--role', 'approver', '--json')).stdout) as Record<string, string>;
    const folder = newFolder();
    const keyFile = path.join(folder, 'signing.key');
    writeFileSync(keyFile, `${made['signing_private_key']}\n`);
    const id = `wd_${'1'.repeat(32)}`;
    const words = ['--revision', '3', '--amount', '25.000000', '--currency', 'USDT', '--destination', SOME_ADDRESS];
    const signed = await runHere({ DATA_DIR: folder }, ['withdrawal:sign', '--id', id, '--decision', 'approve', '--key-file', keyFile, ...words, '--json']);
    expect(signed).toMatchObject({ code: 0, stderr: '' });
    const { headers, body } = JSON.parse(signed.stdout) as { headers: Record<string, string>; body: object };
    expect(body).toEqual({ revision: 3, amount: '25.000000', currency: 'USDT', destination: SOME_ADDRESS });
    const stored = await database.value<string>('select signing_public_key from people where id = $1', [made['person_id']]);
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(stored, 'base64').toString('base64url') }, format: 'jwk' });
    const text = [headers['X-Timestamp'], 'approve', id, '3', '25.000000', 'USDT', SOME_ADDRESS].join('\n');
    expect(verify(null, Buffer.from(text), key, Buffer.from(headers['X-Admin-Signature'].replace('ed25519=', ''), 'base64'))).toBe(true);
    const sign = (...args: string[]) => cpg('withdrawal:sign', '--id', id, '--decision', 'approve', '--key-file', keyFile, ...args);
    expect(await sign()).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no such withdrawal') });
    expect(await sign(...words.slice(2))).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('Missing: --revision') });
    writeFileSync(keyFile, 'this is no key');
    const unread = await sign(...words);
    expect(unread).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no Ed25519 private key') });
    expect(unread.stderr).not.toContain('this is no key');
  }, 60_000);

  it.each([
    [['staff:create', '--email', 'nobody', '--role', 'admin'], 'Expected an e-mail address.'],
    [['staff:create', '--email', 'a@staff.example', '--role', 'owner'], 'Allowed choices are admin, approver, analyst, auditor.'],
    [['staff:create', '--email', 'a@staff.example'], "required option '--role <role>' not specified"],
  ])('%j gets one sentence and exit code 64', async (args, sentence) => {
    const { code, stdout, stderr } = await cpg(...args);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toContain(sentence);
  });
});
