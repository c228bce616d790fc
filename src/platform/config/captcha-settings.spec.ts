import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from './load-settings';
import type { Environment } from './secret-files';
import { SettingsError, type SettingsProblem } from './settings-error';

function load(env: Environment) {
  const secrets = { ENCRYPTION_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'), JWT_SECRET_KEY: 'a'.repeat(32) };
  return loadSettings({ ...secrets, ...env });
}

function problemsOf(env: Environment): readonly SettingsProblem[] {
  try {
    load(env);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('a CAPTCHA provider', () => {
  const keys = { CAPTCHA_SITE_KEY: '0x4AAAAAAA', CAPTCHA_SECRET: 'short' };

  it('is altcha, which needs no keys', () => {
    expect(load({}).captcha).toEqual({ provider: 'altcha', siteKey: undefined, secret: undefined });
  });

  it.each(['turnstile', 'hcaptcha', 'recaptcha'])('%s starts with its two keys, and with neither of them missing', (provider) => {
    expect(load({ CAPTCHA_PROVIDER: provider, ...keys }).captcha).toEqual({ provider, siteKey: '0x4AAAAAAA', secret: 'short' });
    expect(problemsOf({ CAPTCHA_PROVIDER: provider, CAPTCHA_SITE_KEY: '' })).toEqual([
      { name: 'CAPTCHA_SITE_KEY', message: `is missing; expected the site key that ${provider} has given you` },
      { name: 'CAPTCHA_SECRET', message: `is missing; expected the secret that ${provider} has given you` },
    ]);
    expect(problemsOf({ CAPTCHA_PROVIDER: provider, CAPTCHA_SITE_KEY: 'key' }).map(({ name }) => name)).toEqual(['CAPTCHA_SECRET']);
  });

  it('takes its secret from a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cpg-captcha-'));
    const file = join(folder, 'secret');
    writeFileSync(file, 'from-a-file\n');
    const env = { CAPTCHA_PROVIDER: 'hcaptcha', CAPTCHA_SITE_KEY: 'key', CAPTCHA_SECRET_FILE: file };
    expect(load(env).captcha.secret).toBe('from-a-file');
    rmSync(folder, { recursive: true });
  });

  it('that is unknown is the only problem told, beside those of other settings', () => {
    const problems = problemsOf({ CAPTCHA_PROVIDER: 'friendly', CAPTCHA_SECRET: 'short', PORT: 'x' });
    expect(problems.map(({ name }) => name)).toEqual(['PORT', 'CAPTCHA_PROVIDER']);
  });
});
