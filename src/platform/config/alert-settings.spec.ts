import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from './load-settings';
import type { Environment } from './secret-files';
import { SettingsError } from './settings-error';

const PRODUCTION = { NODE_ENV: 'production', PUBLIC_URL: 'https://pay.example.com', SMTP_URL: 'smtp://mail.example' };

function load(env: Environment) {
  return loadSettings({ ENCRYPTION_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'), JWT_SECRET_KEY: 'a'.repeat(32), ...env });
}

function refused(env: Environment): string[] {
  try {
    load(env);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems.map(({ name, message }) => `${name} ${message}`);
    throw error;
  }
  return [];
}

describe('the channels of alerts', () => {
  const all = {
    SECURITY_ALERT_EMAIL: 'security@example.com', SECURITY_WEBHOOK_URL: 'https://alerts.example.com/hooks/1?tenant=a',
    SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T/B/x', PAGERDUTY_ROUTING_KEY: 'R0123456789ABCDEFGHIJKLMNOPQRSTU',
    TELEGRAM_BOT_TOKEN: '123456:ABC-def_1', ADMIN_CHAT_ID: '-1001234567890',
  };

  it('are all off by themselves, and on in production', () => {
    expect(load({}).alerts).toEqual({});
    expect(load({ ...PRODUCTION, ...all }).alerts).toEqual({
      email: all.SECURITY_ALERT_EMAIL, webhookUrl: all.SECURITY_WEBHOOK_URL, slackUrl: all.SLACK_WEBHOOK_URL, pagerDutyKey: all.PAGERDUTY_ROUTING_KEY,
      telegram: { token: all.TELEGRAM_BOT_TOKEN, chatId: all.ADMIN_CHAT_ID },
    });
  });

  it.each([
    ['SECURITY_ALERT_EMAIL', 'nobody'], ['SECURITY_ALERT_EMAIL', 'a@b.example, c@d.example'], ['SECURITY_WEBHOOK_URL', 'alerts.example.net'],
    ['SECURITY_WEBHOOK_URL', 'https://user:pass@alerts.example.com/'], ['SLACK_WEBHOOK_URL', 'ftp://hooks.slack.com/'],
    ['PAGERDUTY_ROUTING_KEY', 'a key'], ['TELEGRAM_BOT_TOKEN', 'ABC:123'], ['ADMIN_CHAT_ID', 'the chat'],
  ])('take no %s like %s, and do not repeat it', (name, value) => {
    const [problem, ...others] = refused({ ...all, [name]: value });
    expect(others).toEqual([]);
    expect(problem).toMatch(new RegExp(`^${name} is not `));
    expect(problem).not.toContain(value);
  });

  it.each(['SECURITY_WEBHOOK_URL', 'SLACK_WEBHOOK_URL'])('%s is plain http for developers only', (name) => {
    expect(refused({ [name]: 'http://127.0.0.1:8080/hook' })).toEqual([]);
    expect(refused({ ...PRODUCTION, [name]: 'http://alerts.example.com/hook' })).toEqual([`${name} is not encrypted; expected an https:// address here`]);
  });

  it('need both halves of Telegram', () => {
    expect(refused({ ADMIN_CHAT_ID: '1' })).toEqual([expect.stringMatching(/^TELEGRAM_BOT_TOKEN is missing/)]);
    expect(refused({ TELEGRAM_BOT_TOKEN: '1:a' })).toEqual([expect.stringMatching(/^ADMIN_CHAT_ID is missing/)]);
  });

  it('take their secrets from files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cpg-alerts-'));
    const file = join(folder, 'slack');
    writeFileSync(file, `${all.SLACK_WEBHOOK_URL}\n`);
    expect(load({ SLACK_WEBHOOK_URL_FILE: file }).alerts.slackUrl).toBe(all.SLACK_WEBHOOK_URL);
    rmSync(folder, { recursive: true });
  });
});
