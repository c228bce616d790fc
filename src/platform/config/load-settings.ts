import { resolve } from 'node:path';
import { isIPv6 } from 'node:net';
import { readDevelopmentFile } from './development-secrets';
import { readSecretFiles, type Environment } from './secret-files';
import {
  isProductionLikeEnv, readCaptchaProvider, readNodeEnv, settingNames, settingsSchema, type Settings, type WrittenSettings,
} from './settings';
import { SettingsError, type SettingsProblem } from './settings-error';

/**
 * Reads and checks all settings. Pure but for the `NAME_FILE`s of secrets and a look at the country database.
 * @throws SettingsError with all problems at once
 */
export function loadSettings(env: Environment): Settings {
  return load(env, []);
}

/**
 * What the server and the command line start with: in development and test, settings that the environment leaves open come from
 * `DATA_DIR/development.env`, which is created with fresh secrets when it is missing. In staging and production, and when NODE_ENV is
 * not understood, that file is neither read nor written.
 * @throws SettingsError with all problems at once
 */
export function prepareSettings(env: Environment = process.env): Settings {
  const nodeEnv = readNodeEnv(env['NODE_ENV']);
  if (nodeEnv === undefined || isProductionLikeEnv(nodeEnv)) return loadSettings(env);

  const { values, problems } = readDevelopmentFile(resolve(env['DATA_DIR'] || './.data'));
  const open = Object.entries(values).filter(([name]) => !env[name] && !env[`${name}_FILE`]);
  return load({ ...env, ...Object.fromEntries(open) }, problems);
}

function load(env: Environment, earlierProblems: SettingsProblem[]): Settings {
  const files = readSecretFiles(env);
  const values: Environment = Object.fromEntries(settingNames.map((name) => [name, files.values[name] ?? (env[name] || undefined)]));
  const nodeEnv = readNodeEnv(values['NODE_ENV']);
  const outcome = settingsSchema(nodeEnv ?? 'development', readCaptchaProvider(values['CAPTCHA_PROVIDER'])).safeParse(values);

  const problems = [...earlierProblems, ...files.problems];
  for (const { path, message } of outcome.error?.issues ?? []) {
    const name = String(path[0]);
    // What is missing cannot be told before NODE_ENV and the development file are right, and was told already when its own file is wrong.
    const isFollowUp = values[name] === undefined && (nodeEnv === undefined || earlierProblems.length > 0 || isTold(files.problems, name));
    if (!isFollowUp) problems.push({ name, message });
  }
  problems.push(...halvesAlone(values));
  if (outcome.data === undefined || problems.length > 0) throw new SettingsError(inOrder(problems));
  return toSettings(outcome.data);
}

function toSettings(written: WrittenSettings): Settings {
  return {
    nodeEnv: written.NODE_ENV,
    isProductionLike: isProductionLikeEnv(written.NODE_ENV),
    host: written.HOST,
    port: written.PORT,
    publicUrl: written.PUBLIC_URL ?? localUrl(written.HOST, written.PORT),
    tokenIssuer: written.PUBLIC_URL ?? 'cpgateway',
    dataDir: resolve(written.DATA_DIR),
    databaseUrl: written.DATABASE_URL,
    databaseDirectUrl: written.DATABASE_DIRECT_URL,
    trustedProxies: written.TRUSTED_PROXIES,
    redisUrl: written.REDIS_URL,
    logLevel: written.LOG_LEVEL,
    metricsTokens: written.METRICS_TOKEN,
    encryptionMasterKeys: written.ENCRYPTION_MASTER_KEY,
    jwtSecretKeys: written.JWT_SECRET_KEY,
    securityEnabled: written.SECURITY_ENABLED,
    rateLimitingEnabled: written.RATE_LIMITING_ENABLED,
    simulationEnabled: written.SIMULATION_ENABLED,
    fraudDetectionEnabled: written.FRAUD_DETECTION_ENABLED,
    webhookSecrets: { generic: written.WEBHOOK_SECRET, stripe: written.WEBHOOK_SECRET_STRIPE, tron: written.WEBHOOK_SECRET_TRON },
    stripeWebhookAllowedIps: written.STRIPE_WEBHOOK_ALLOWED_IPS,
    webhooksAllowPrivateNetworks: written.WEBHOOKS_ALLOW_PRIVATE_NETWORKS,
    tron: { sources: written.TRON_API_BASE, apiKey: written.TRON_API_KEY, watchOnlyKey: written.TRON_XPUB },
    frontendOrigins: written.FRONTEND_ORIGIN,
    smtpUrl: written.SMTP_URL,
    mailFrom: written.MAIL_FROM,
    captcha: { provider: written.CAPTCHA_PROVIDER, siteKey: written.CAPTCHA_SITE_KEY, secret: written.CAPTCHA_SECRET },
    geoipDatabase: written.GEOIP_DATABASE && resolve(written.GEOIP_DATABASE),
    alerts: {
      email: written.SECURITY_ALERT_EMAIL,
      webhookUrl: written.SECURITY_WEBHOOK_URL,
      slackUrl: written.SLACK_WEBHOOK_URL,
      pagerDutyKey: written.PAGERDUTY_ROUTING_KEY,
      telegram: written.TELEGRAM_BOT_TOKEN && written.ADMIN_CHAT_ID ? { token: written.TELEGRAM_BOT_TOKEN, chatId: written.ADMIN_CHAT_ID } : undefined,
    },
    debugEndpoints: written.DEBUG_ENDPOINTS_ENABLED ? 'all' : written.DEBUG_ENDPOINTS_WHITELIST,
    deprecatedApiVersions: written.DEPRECATED_API_VERSIONS,
    disabledApiVersions: written.DISABLED_API_VERSIONS,
  };
}

/** A bot without a chat, or a chat without a bot, would tell nobody. */
function halvesAlone(values: Environment): SettingsProblem[] {
  const [token, chat] = [values['TELEGRAM_BOT_TOKEN'], values['ADMIN_CHAT_ID']];
  if (token && !chat) return [{ name: 'ADMIN_CHAT_ID', message: 'is missing; expected the chat that the bot of TELEGRAM_BOT_TOKEN writes to' }];
  if (chat && !token) return [{ name: 'TELEGRAM_BOT_TOKEN', message: 'is missing; expected the token of the bot that writes to ADMIN_CHAT_ID' }];
  return [];
}

function localUrl(host: string, port: number): string {
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function isTold(problems: SettingsProblem[], name: string): boolean {
  return problems.some((problem) => problem.name === name);
}

function inOrder(problems: SettingsProblem[]): SettingsProblem[] {
  return problems.toSorted((a, b) => settingNames.indexOf(a.name) - settingNames.indexOf(b.name));
}
