import { HDKey } from '@scure/bip32';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from './load-settings';
import type { Environment } from './secret-files';
import { SettingsError, type SettingsProblem } from './settings-error';

const SECRETS = { ENCRYPTION_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'), JWT_SECRET_KEY: 'a'.repeat(32) };
const PRODUCTION = { NODE_ENV: 'production', PUBLIC_URL: 'https://pay.example.com', SMTP_URL: 'smtp://mail.example' };
const PHRASE = 'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about';

const master = HDKey.fromMasterSeed(Buffer.alloc(32, 3));
const account = master.derive("m/44'/195'/0'");

const load = (env: Environment) => loadSettings({ ...SECRETS, ...env });

function problemsOf(env: Environment): readonly SettingsProblem[] {
  try {
    load(env);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('TRON_XPUB', () => {
  it('takes the extended public key of an account', () => {
    expect(load({ TRON_XPUB: account.publicExtendedKey }).tron.watchOnlyKey).toBe(account.publicExtendedKey);
  });

  it.each([
    ['an extended private key', account.privateExtendedKey],
    ['the master private key', master.privateExtendedKey],
    ['a broken extended private key', `${account.privateExtendedKey.slice(0, -1)}1`],
    ['a bare private key', '1'.repeat(64)],
    ['a recovery phrase', PHRASE],
  ])('refuses %s as what it is, without showing it', (_what, text) => {
    const problems = problemsOf({ TRON_XPUB: text });
    expect(problems).toEqual([{ name: 'TRON_XPUB', message: expect.stringContaining('private key or a recovery phrase, which never belongs on the server') }]);
    expect(JSON.stringify(problems)).not.toContain(text);
  });

  it.each([
    ['the xpub of the master key', master.publicExtendedKey],
    ['the xpub of a deeper key', account.deriveChild(0).publicExtendedKey],
    ['one with a wrong letter', `${account.publicExtendedKey.slice(0, -1)}1`],
    ['an address', 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH'],
  ])('refuses %s', (_what, text) => {
    expect(problemsOf({ TRON_XPUB: text })).toEqual([{ name: 'TRON_XPUB', message: expect.stringContaining("of m/44'/195'/0'") }]);
  });
});

describe('TRON_API_BASE', () => {
  it('takes addresses with commas between', () => {
    expect(load({ TRON_API_BASE: 'https://api.trongrid.io/, http://127.0.0.1:8090' }).tron.sources).toEqual(['https://api.trongrid.io', 'http://127.0.0.1:8090']);
  });

  it.each(['https://api.trongrid.io,https://API.trongrid.io/', 'api.trongrid.io', 'https://key@api.trongrid.io', 'https://api.trongrid.io?key=1', 'https://api.trongrid.io,'])(
    'refuses %s', (text) => {
      expect(problemsOf({ TRON_API_BASE: text }).map(({ name }) => name)).toEqual(['TRON_API_BASE']);
    });

  it('has to be encrypted in production', () => {
    expect(problemsOf({ ...PRODUCTION, TRON_API_BASE: 'https://api.trongrid.io' })).toEqual([]);
    expect(problemsOf({ ...PRODUCTION, TRON_API_BASE: 'https://api.trongrid.io,http://node.example' })).toEqual([
      { name: 'TRON_API_BASE', message: expect.stringContaining('https:// addresses in production') },
    ]);
  });
});

describe('the secrets of TRON', () => {
  it('may come from files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cpg-tron-'));
    try {
      writeFileSync(join(folder, 'key'), 'a-key-of-trongrid\n');
      writeFileSync(join(folder, 'secret'), 'sixteen-letter-1\n');
      const { tron, webhookSecrets } = load({ TRON_API_KEY_FILE: join(folder, 'key'), WEBHOOK_SECRET_TRON_FILE: join(folder, 'secret') });
      expect([tron.apiKey, webhookSecrets.tron]).toEqual(['a-key-of-trongrid', ['sixteen-letter-1']]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
