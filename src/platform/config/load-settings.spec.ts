import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadSettings, prepareSettings } from './load-settings';
import type { Environment } from './secret-files';
import { SettingsError } from './settings-error';

const KEY = Buffer.alloc(32, 1).toString('base64');
const OTHER_KEY = Buffer.alloc(32, 2).toString('base64');
const TOKEN_KEY = 'a-secret-of-thirty-two-characters';
const KEYS = { ENCRYPTION_MASTER_KEY: KEY, JWT_SECRET_KEY: TOKEN_KEY };
const PRODUCTION = { NODE_ENV: 'production', ...KEYS, PUBLIC_URL: 'https://pay.example.com', SMTP_URL: 'smtp://mail.example' };

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'cpg-settings-')); });
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function load(env: Environment) {
  return loadSettings({ ...KEYS, ...env });
}

function refusal(read: () => unknown): SettingsError {
  try {
    read();
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
  throw new Error('The settings were accepted.');
}

function problemNames(env: Environment): string[] {
  return refusal(() => load(env)).problems.map(({ name }) => name);
}

describe('defaults', () => {
  it('are those of a development system on this computer', () => {
    expect(load({})).toEqual({
      nodeEnv: 'development',
      isProductionLike: false,
      host: '127.0.0.1',
      port: 3000,
      publicUrl: 'http://127.0.0.1:3000',
      tokenIssuer: 'cpgateway',
      dataDir: resolve('.data'),
      databaseUrl: undefined,
      databaseDirectUrl: undefined,
      trustedProxies: [],
      redisUrl: undefined,
      logLevel: 'info', metricsTokens: [],
      encryptionMasterKeys: [Buffer.alloc(32, 1)],
      jwtSecretKeys: [TOKEN_KEY],
      securityEnabled: true,
      rateLimitingEnabled: true,
      simulationEnabled: true, fraudDetectionEnabled: true,
      webhookSecrets: { generic: [], stripe: [], tron: [] },
      stripeWebhookAllowedIps: [],
      webhooksAllowPrivateNetworks: false,
      tron: { sources: [], apiKey: undefined, watchOnlyKey: undefined },
      frontendOrigins: [],
      smtpUrl: undefined,
      mailFrom: 'CPGateway <no-reply@localhost>',
      captcha: { provider: 'altcha', siteKey: undefined, secret: undefined },
      alerts: {}, debugEndpoints: 'all',
      deprecatedApiVersions: [],
      disabledApiVersions: [],
    });
  });

  it('take an empty value for none', () => {
    const empty = { NODE_ENV: '', HOST: '', PORT: '', LOG_LEVEL: '', DATABASE_URL: '', SECURITY_ENABLED: '', WEBHOOK_SECRET_FILE: '' };
    expect(load(empty)).toEqual(load({}));
  });

  it('switch simulation off in production only, unless it is asked for', () => {
    expect(load({ ...PRODUCTION }).simulationEnabled).toBe(false);
    expect(load({ ...PRODUCTION, SIMULATION_ENABLED: '1' }).simulationEnabled).toBe(true);
    expect(load({ ...PRODUCTION, NODE_ENV: 'staging' }).simulationEnabled).toBe(true);
  });

  it('switch debug endpoints off in production only, but for those named', () => {
    expect(load({ ...PRODUCTION }).debugEndpoints).toEqual([]);
    expect(load({ ...PRODUCTION, DEBUG_ENDPOINTS_WHITELIST: 'request, signature' }).debugEndpoints).toEqual(['request', 'signature']);
    expect(load({ ...PRODUCTION, DEBUG_ENDPOINTS_ENABLED: 'true' }).debugEndpoints).toBe('all');
    expect(load({ ...PRODUCTION, NODE_ENV: 'staging' }).debugEndpoints).toBe('all');
  });

  it('derive the public address from host and port', () => {
    expect(load({ HOST: '::1', PORT: '0' }).publicUrl).toBe('http://[::1]:0');
    expect(load({ HOST: 'localhost', PORT: '8080' }).publicUrl).toBe('http://localhost:8080');
  });
});

describe('each setting', () => {
  it.each([
    ['HOST', 'localhost', { host: 'localhost' }],
    ['HOST', '::', { host: '::' }],
    ['PORT', '65535', { port: 65535 }],
    ['PUBLIC_URL', 'https://pay.example.com/gateway/', { publicUrl: 'https://pay.example.com/gateway', tokenIssuer: 'https://pay.example.com/gateway' }],
    ['DATA_DIR', '/var/lib/cpgateway/', { dataDir: resolve('/var/lib/cpgateway') }],
    ['DATABASE_URL', 'postgresql://u:p%23@db/cpg?sslmode=verify-full', { databaseUrl: 'postgresql://u:p%23@db/cpg?sslmode=verify-full' }],
    ['DATABASE_DIRECT_URL', 'postgres:///cpg?host=/run/postgresql', { databaseDirectUrl: 'postgres:///cpg?host=/run/postgresql' }],
    ['TRUSTED_PROXIES', '10.0.0.0/8, 192.0.2.1,fd00::/8,::1', { trustedProxies: ['10.0.0.0/8', '192.0.2.1/32', 'fd00::/8', '::1/128'] }],
    ['REDIS_URL', 'rediss://u:p@redis:6380/1', { redisUrl: 'rediss://u:p@redis:6380/1' }],
    ['FRONTEND_ORIGIN', 'https://Shop.example:443,http://[::1]:81/', { frontendOrigins: ['https://shop.example', 'http://[::1]:81'] }],
    ['LOG_LEVEL', 'silent', { logLevel: 'silent' }],
    ['ENCRYPTION_MASTER_KEY', `${OTHER_KEY}, ${KEY}`, { encryptionMasterKeys: [Buffer.alloc(32, 2), Buffer.alloc(32, 1)] }],
    ['JWT_SECRET_KEY', `${'n'.repeat(32)}, ${TOKEN_KEY}`, { jwtSecretKeys: ['n'.repeat(32), TOKEN_KEY] }],
    ['SECURITY_ENABLED', 'false', { securityEnabled: false }],
    ['RATE_LIMITING_ENABLED', '0', { rateLimitingEnabled: false }],
    [
      'WEBHOOK_SECRET', 'sixteen-letter-1,sixteen-letter-2',
      { webhookSecrets: { generic: ['sixteen-letter-1', 'sixteen-letter-2'], stripe: [], tron: [] } },
    ],
    ['WEBHOOK_SECRET_STRIPE', 'whsec_0123456789', { webhookSecrets: { generic: [], stripe: ['whsec_0123456789'], tron: [] } }],
    ['STRIPE_WEBHOOK_ALLOWED_IPS', '3.18.12.63', { stripeWebhookAllowedIps: ['3.18.12.63/32'] }],
    ['WEBHOOKS_ALLOW_PRIVATE_NETWORKS', 'true', { webhooksAllowPrivateNetworks: true }],
    ['SMTP_URL', 'smtps://user:p%40ss@mail.example:465', { smtpUrl: 'smtps://user:p%40ss@mail.example:465' }],
    ['MAIL_FROM', 'My Pay <no-reply@pay.example>', { mailFrom: 'My Pay <no-reply@pay.example>' }],
    ['MAIL_FROM', 'no-reply@pay.example', { mailFrom: 'no-reply@pay.example' }],
    ['CAPTCHA_SITE_KEY', '0x4AAA', { captcha: { provider: 'altcha', siteKey: '0x4AAA' } }],
    ['CAPTCHA_SECRET', 'shh', { captcha: { provider: 'altcha', secret: 'shh' } }],
    ['DEBUG_ENDPOINTS_ENABLED', 'false', { debugEndpoints: [] }],
    ['DEPRECATED_API_VERSIONS', 'v1:2027-01-31:2027-12-31', {
      deprecatedApiVersions: [{ version: 'v1', deprecatedOn: new Date('2027-01-31'), sunsetOn: new Date('2027-12-31') }],
    }],
    ['DISABLED_API_VERSIONS', 'v0, v2', { disabledApiVersions: ['v0', 'v2'] }],
  ])('%s accepts %s', (name, value, expected) => {
    expect(load({ [name]: value })).toMatchObject(expected);
  });

  it.each([
    ['NODE_ENV', 'prod'], ['NODE_ENV', 'Production'],
    ['HOST', 'http://localhost'], ['HOST', '127.0.0.1:3000'], ['HOST', '127.1'], ['HOST', '256.0.0.1'],
    ['PORT', '65536'], ['PORT', '-1'], ['PORT', '3e3'], ['PORT', ' 3000'],
    ['PUBLIC_URL', 'pay.example.com'], ['PUBLIC_URL', 'ftp://pay.example.com'], ['PUBLIC_URL', 'https://u:p@pay.example.com'],
    ['PUBLIC_URL', 'https://pay.example.com/?a=b'], ['PUBLIC_URL', ' https://pay.example.com'],
    ['DATABASE_URL', 'mysql://db/cpg'], ['DATABASE_URL', 'db:5432/cpg'], ['DATABASE_URL', 'postgres://u:a/b@db/cpg'],
    ['DATABASE_URL', 'postgres://db/cpg?sslmode=prefer'], ['DATABASE_DIRECT_URL', 'postgres://db/cpg?sslmode='],
    ['TRUSTED_PROXIES', '10.0.0.0/33'], ['TRUSTED_PROXIES', '010.0.0.0/8'], ['TRUSTED_PROXIES', '10.1/16'], ['TRUSTED_PROXIES', '10.1'],
    ['TRUSTED_PROXIES', '0x0a.0.0.1'], ['TRUSTED_PROXIES', '::ffff:10.0.0.0/104'], ['TRUSTED_PROXIES', 'fe80::1%eth0'],
    ['TRUSTED_PROXIES', 'true'], ['TRUSTED_PROXIES', '10.0.0.0/8,'],
    ['FRONTEND_ORIGIN', '*'], ['FRONTEND_ORIGIN', 'https://shop.example/cart'], ['FRONTEND_ORIGIN', 'shop.example'],
    ['LOG_LEVEL', 'verbose'],
    ['ENCRYPTION_MASTER_KEY', 'too-short'], ['ENCRYPTION_MASTER_KEY', Buffer.alloc(31, 1).toString('base64')],
    ['ENCRYPTION_MASTER_KEY', `${KEY},${KEY}`], ['ENCRYPTION_MASTER_KEY', KEY.slice(0, 43)], ['ENCRYPTION_MASTER_KEY', `${KEY}!`],
    ['ENCRYPTION_MASTER_KEY', `${KEY.slice(0, 42)}F=`],
    ['SECURITY_ENABLED', 'yes'], ['RATE_LIMITING_ENABLED', 'TRUE'], ['SIMULATION_ENABLED', 'off'],
    ['WEBHOOK_SECRET', 'fifteen-letters'], ['WEBHOOK_SECRET_STRIPE', 'sixteen-letters-,'],
    ['STRIPE_WEBHOOK_ALLOWED_IPS', 'stripe.com'],
    ['WEBHOOKS_ALLOW_PRIVATE_NETWORKS', '2'],
    ['REDIS_URL', 'http://redis:6379'], ['REDIS_URL', 'redis:6379'], ['JWT_SECRET_KEY', 'x'.repeat(31)], ['JWT_SECRET_KEY', `${TOKEN_KEY},`],
    ['SMTP_URL', 'mail.example:587'], ['SMTP_URL', 'https://mail.example'], ['SMTP_URL', 'smtp:mail.example'],
    ['MAIL_FROM', 'CPGateway'], ['MAIL_FROM', 'A <a@example>\r\nBcc: b@example'],
    ['CAPTCHA_PROVIDER', 'none'], ['CAPTCHA_SITE_KEY', 'x'.repeat(201)], ['CAPTCHA_SECRET', 'x'.repeat(501)],
    ['DEBUG_ENDPOINTS_ENABLED', 'yes'], ['DEBUG_ENDPOINTS_WHITELIST', '*'],
    ['DEPRECATED_API_VERSIONS', 'v1'], ['DEPRECATED_API_VERSIONS', 'v1:2027-02-30:2027-12-31'],
    ['DEPRECATED_API_VERSIONS', 'v1:2027-12-31:2027-01-31'], ['DISABLED_API_VERSIONS', '1'], ['DISABLED_API_VERSIONS', 'v1.2'],
  ])('%s refuses %s', (name, value) => {
    expect(problemNames({ [name]: value })).toEqual([name]);
  });

  it('names the entry of a list that is wrong', () => {
    const { problems } = refusal(() => load({ TRUSTED_PROXIES: '10.0.0.0/8,nonsense,::1' }));
    expect(problems[0].message).toMatch(/^entry 2 of 3 is wrong; expected IP addresses or ranges/);
  });
});

describe('staging and production', () => {
  it.each(['staging', 'production'])('%s starts with what it needs, on the embedded database and without webhook sources', (nodeEnv) => {
    expect(loadSettings({ ...PRODUCTION, NODE_ENV: nodeEnv })).toMatchObject({
      nodeEnv, isProductionLike: true, databaseUrl: undefined, webhookSecrets: { generic: [], stripe: [] }, securityEnabled: true,
    });
  });

  it.each(['staging', 'production'])('%s has no default for a secret', (nodeEnv) => {
    const { problems } = refusal(() => loadSettings({ NODE_ENV: nodeEnv, SMTP_URL: 'smtp://mail.example' }));
    expect(problems).toEqual([
      { name: 'ENCRYPTION_MASTER_KEY', message: expect.stringContaining('is missing; expected 32 random bytes as base64') },
      { name: 'JWT_SECRET_KEY', message: expect.stringContaining('is missing; expected at least 32 characters') },
    ]);
  });

  it.each(['staging', 'production'])('%s refuses a public address without encryption and webhooks into private networks', (nodeEnv) => {
    const env = { ...PRODUCTION, NODE_ENV: nodeEnv, PUBLIC_URL: 'http://pay.example.com', WEBHOOKS_ALLOW_PRIVATE_NETWORKS: 'true' };
    expect(problemNames(env)).toEqual(['PUBLIC_URL', 'WEBHOOKS_ALLOW_PRIVATE_NETWORKS']);
  });

  it('production refuses to be without a mail server, where staging writes mail into a folder', () => {
    expect(problemNames({ ...PRODUCTION, SMTP_URL: undefined })).toEqual(['SMTP_URL']);
    expect(load({ ...PRODUCTION, NODE_ENV: 'staging', SMTP_URL: undefined }).smtpUrl).toBeUndefined();
  });

  it('production refuses to be unprotected, where staging may try it', () => {
    expect(problemNames({ ...PRODUCTION, SECURITY_ENABLED: 'false' })).toEqual(['SECURITY_ENABLED']);
    expect(load({ ...PRODUCTION, NODE_ENV: 'staging', SECURITY_ENABLED: 'false' }).securityEnabled).toBe(false);
  });
});

describe('a refusal', () => {
  it('tells all problems at once, broken values and broken rules alike', () => {
    const env = {
      NODE_ENV: 'production', PORT: 'http', PUBLIC_URL: 'http://pay.example.com', TRUSTED_PROXIES: '10.1', LOG_LEVEL: 'loud',
      SECURITY_ENABLED: 'false', WEBHOOK_SECRET: 'short', WEBHOOK_SECRET_STRIPE_FILE: join(folder, 'missing'),
      WEBHOOKS_ALLOW_PRIVATE_NETWORKS: 'true',
    };
    const error = refusal(() => loadSettings(env));
    const names = [
      'PORT', 'PUBLIC_URL', 'TRUSTED_PROXIES', 'LOG_LEVEL', 'ENCRYPTION_MASTER_KEY', 'JWT_SECRET_KEY', 'SECURITY_ENABLED', 'WEBHOOK_SECRET',
      'WEBHOOK_SECRET_STRIPE', 'WEBHOOKS_ALLOW_PRIVATE_NETWORKS', 'SMTP_URL',
    ];
    expect(error.problems.map(({ name }) => name)).toEqual(names);
    expect(error.message.match(/(?<=^ {2})[A-Z_]+(?=: )/gm)).toEqual(names);
    expect(error.exitCode).toBe(78);
  });

  it('is a list that an operator can read', () => {
    expect(refusal(() => load({ PORT: 'x', LOG_LEVEL: 'loud' })).message).toBe([
      'CPGateway has not started. There are 2 problems with its settings:',
      '',
      '  PORT: is not a port; expected a whole number from 0 to 65535 (0 = any free port).',
      '  LOG_LEVEL: is not a known value; expected one of fatal, error, warn, info, debug, trace, silent.',
      '',
      'Settings are environment variables; .env.example explains each of them. Correct the above and start again.',
    ].join('\n'));
  });

  it('with an unknown NODE_ENV does not ask for what that word may not need', () => {
    const { problems } = refusal(() => prepareSettings({ NODE_ENV: 'dev', PORT: 'x', DATA_DIR: folder }));
    expect(problems.map(({ name }) => name)).toEqual(['NODE_ENV', 'PORT']);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('never shows a value, wherever a secret was put', () => {
    const canary = 'canary/7f3a';
    const file = join(folder, 'secret');
    writeFileSync(file, `${canary},${canary}`);
    const everywhere = Object.fromEntries(Object.keys(PRODUCTION).concat(
      'HOST', 'PORT', 'DATABASE_URL', 'TRUSTED_PROXIES', 'FRONTEND_ORIGIN', 'LOG_LEVEL', 'SECURITY_ENABLED', 'WEBHOOK_SECRET',
      'STRIPE_WEBHOOK_ALLOWED_IPS', 'REDIS_URL', 'MAIL_FROM', 'CAPTCHA_PROVIDER', 'DEBUG_ENDPOINTS_WHITELIST', 'DEPRECATED_API_VERSIONS',
      'DISABLED_API_VERSIONS',
    ).map((name) => [name, canary]));
    const { message, problems, stack } = refusal(() => loadSettings({
      ...everywhere,
      DATABASE_DIRECT_URL: `postgres://owner:${canary}@db/cpg?sslmode=${canary}`,
      ENCRYPTION_MASTER_KEY: undefined,
      ENCRYPTION_MASTER_KEY_FILE: file,
      WEBHOOK_SECRET_STRIPE_FILE: canary,
    }));
    expect(problems.length).toBeGreaterThanOrEqual(20);
    expect(message + stack + JSON.stringify(problems)).not.toContain('canary');
  });
});

describe('NAME_FILE', () => {
  function fileWith(content: string): string {
    const path = join(folder, 'secret');
    writeFileSync(path, content);
    return path;
  }

  it.each(['', '\n', '\r\n'])('gives the secret, without the line break %j at its end', (end) => {
    expect(loadSettings({ JWT_SECRET_KEY: TOKEN_KEY, ENCRYPTION_MASTER_KEY_FILE: fileWith(KEY + end) }).encryptionMasterKeys).toEqual([Buffer.alloc(32, 1)]);
  });

  it.each([
    ['DATABASE_URL', 'postgres://db/cpg', { databaseUrl: 'postgres://db/cpg' }],
    ['DATABASE_DIRECT_URL', 'postgres://db/cpg', { databaseDirectUrl: 'postgres://db/cpg' }],
    ['REDIS_URL', 'redis://redis', { redisUrl: 'redis://redis' }],
    ['SMTP_URL', 'smtp://mail.example', { smtpUrl: 'smtp://mail.example' }],
    ['CAPTCHA_SECRET', 'shh', { captcha: { provider: 'altcha', secret: 'shh' } }],
    ['WEBHOOK_SECRET', 'sixteen-letters-', { webhookSecrets: { generic: ['sixteen-letters-'], stripe: [] } }],
    ['WEBHOOK_SECRET_STRIPE', 'sixteen-letters-', { webhookSecrets: { generic: [], stripe: ['sixteen-letters-'] } }],
  ])('works for %s', (name, value, expected) => {
    expect(load({ [`${name}_FILE`]: fileWith(`${value}\n`) })).toMatchObject(expected);
  });

  it('and NAME together are refused, once', () => {
    const { problems } = refusal(() => load({ ENCRYPTION_MASTER_KEY_FILE: fileWith(OTHER_KEY) }));
    expect(problems).toEqual([{
      name: 'ENCRYPTION_MASTER_KEY',
      message: 'is set twice, as ENCRYPTION_MASTER_KEY and as ENCRYPTION_MASTER_KEY_FILE; expected only one of them',
    }]);
  });

  it('names setting and path when the file is missing, a directory or empty', () => {
    const missing = join(folder, 'missing');
    const read = (path: string) => refusal(() => loadSettings({ JWT_SECRET_KEY: TOKEN_KEY, ENCRYPTION_MASTER_KEY_FILE: path })).problems;
    expect(read(missing)).toEqual([{
      name: 'ENCRYPTION_MASTER_KEY',
      message: `ENCRYPTION_MASTER_KEY_FILE names ${missing}, which cannot be read (ENOENT); expected a file that this user may read`,
    }]);
    expect(read(folder)[0].message).toContain(`${folder}, which cannot be read (EISDIR)`);
    expect(read(fileWith('\n'))[0].message).toContain('which is empty');
  });

  it('does not exist for what is not secret', () => {
    expect(load({ PORT_FILE: fileWith('4000') }).port).toBe(3000);
  });
});
