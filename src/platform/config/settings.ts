import { z } from 'zod';
import {
  addressRangesSetting, apiVersionsSetting, booleanSetting, chainSourcesSetting, databaseUrlSetting, type DeprecatedVersion,
  deprecatedVersionsSetting, geoipDatabaseSetting, hostSetting, listSetting, mailAddressSetting, namesSetting, originsSetting, portSetting,
  redisUrlSetting, sharedSecretsSetting, smtpUrlSetting, tokenSecretSetting, watchOnlyKeySetting, webAddressSetting, wordSetting,
} from './setting-types';

const NODE_ENVS = ['development', 'test', 'staging', 'production'] as const;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const CAPTCHA_PROVIDERS = ['altcha', 'turnstile', 'hcaptcha', 'recaptcha'] as const;

export type CaptchaProvider = (typeof CAPTCHA_PROVIDERS)[number];
export type NodeEnv = (typeof NODE_ENVS)[number];
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The token under which Nest provides the `Settings`: `@Inject(SETTINGS) private readonly settings: Settings`. */
export const SETTINGS: unique symbol = Symbol('SETTINGS');

/** What an operator has decided, read once at start and checked as a whole. */
export interface Settings {
  nodeEnv: NodeEnv;
  /** True in staging and production. */
  isProductionLike: boolean;
  /** Address to listen on. */
  host: string;
  /** Port to listen on; 0 = any free one. */
  port: number;
  /** Where the outside reaches this server, without a trailing slash. Unless set it is http://host:port, with the 0 of an open port. */
  publicUrl: string;
  /** Who issues access tokens: `publicUrl` where it is set, so that instances of one system know each other's. */
  tokenIssuer: string;
  /** Absolute path. */
  dataDir: string;
  /** Absent = the embedded PostgreSQL under `dataDir`. */
  databaseUrl?: string;
  /** The same database past a pooler, for listening and locks. Absent = use `databaseUrl`. */
  databaseDirectUrl?: string;
  /** CIDR ranges whose forwarding headers are believed; empty = none. */
  trustedProxies: string[];
  /** Where limits are counted for all instances together. Absent = each instance counts for itself. */
  redisUrl?: string;
  logLevel: LogLevel;
  /** 32 bytes each, newest first: the first one writes, all of them read. Never empty. */
  encryptionMasterKeys: Buffer[];
  /** Signs the access tokens of people, newest first: the first one signs, all of them verify. Never empty. */
  jwtSecretKeys: string[];
  securityEnabled: boolean;
  rateLimitingEnabled: boolean;
  simulationEnabled: boolean;
  /** Per source of inbound webhooks, each of them accepted; empty = that source is off. */
  webhookSecrets: { generic: string[]; stripe: string[]; tron: string[] };
  /** CIDR ranges; empty = any address. */
  stripeWebhookAllowedIps: string[];
  webhooksAllowPrivateNetworks: boolean;
  /** Where the TRON chain is read (empty = not at all), and the extended public key for deposit addresses (absent = none). */
  tron: { sources: string[]; apiKey?: string; watchOnlyKey?: string };
  /** Origins as browsers send them; empty = none. */
  frontendOrigins: string[];
  /** Absent = mail is written to `dataDir`/outbox; never absent in production. */
  smtpUrl?: string;
  /** The sender of the gateway's mail, such as `CPGateway <no-reply@pay.example.com>`. */
  mailFrom: string;
  /** The file that tells countries from addresses. Absent = nothing that asks for a country is looked at. */
  geoipDatabase?: string;
  captcha: { provider: CaptchaProvider; siteKey?: string; secret?: string };
  /** Debug endpoints that exist: all of them, or those named. */
  debugEndpoints: 'all' | readonly string[];
  deprecatedApiVersions: DeprecatedVersion[];
  disabledApiVersions: string[];
}

const NODE_ENV = wordSetting(NODE_ENVS).default('development');

/** What kind of system this is; undefined when NODE_ENV is not a known word. An empty or missing value is `development`. */
export function readNodeEnv(value: string | undefined): NodeEnv | undefined {
  return NODE_ENV.safeParse(value || undefined).data;
}

const CAPTCHA_PROVIDER = wordSetting(CAPTCHA_PROVIDERS).default('altcha');

/** Which CAPTCHA is asked for; undefined when CAPTCHA_PROVIDER is not a known word. An empty or missing value is `altcha`. */
export function readCaptchaProvider(value: string | undefined): CaptchaProvider | undefined {
  return CAPTCHA_PROVIDER.safeParse(value || undefined).data;
}

const ENCRYPTION_MASTER_KEY = listSetting(
  readMasterKey,
  '32 random bytes as base64, 44 characters, as `openssl rand -base64 32` prints them (while rotating: newest first, with commas between)',
).refine(
  (keys) => new Set(keys.map((key) => key.toString('hex'))).size === keys.length,
  'names the same key twice; expected different keys, newest first',
);

/**
 * The settings as they are written, name by name, and the rules for each in the given kind of system and with the given CAPTCHA
 * (undefined = not known, so without rules). The rules sit on the single settings instead of on the whole, because zod skips the checks
 * of a whole that has a wrong part, and one report must show every problem.
 */
export function settingsSchema(nodeEnv: NodeEnv, captchaProvider?: CaptchaProvider) {
  const isProduction = nodeEnv === 'production';
  const isProductionLike = isProductionLikeEnv(nodeEnv);
  const ownAddress = webAddressSetting.refine(
    (url) => !isProductionLike || url.toLowerCase().startsWith('https://'),
    `is not encrypted; expected an https:// address in ${nodeEnv}`,
  );
  return z.object({
    NODE_ENV,
    HOST: hostSetting.default('127.0.0.1'),
    PORT: portSetting.default(3000),
    PUBLIC_URL: ownAddress.optional(),
    DATA_DIR: z.string().default('./.data'),
    DATABASE_URL: databaseUrlSetting.optional(),
    DATABASE_DIRECT_URL: databaseUrlSetting.optional(),
    TRUSTED_PROXIES: addressRangesSetting.default([]),
    REDIS_URL: redisUrlSetting.optional(),
    FRONTEND_ORIGIN: originsSetting.default([]),
    LOG_LEVEL: wordSetting(LOG_LEVELS).default('info'),
    ENCRYPTION_MASTER_KEY,
    JWT_SECRET_KEY: tokenSecretSetting,
    SECURITY_ENABLED: booleanSetting
      .refine((enabled) => enabled || !isProduction, 'is switched off; expected true in production, where nothing may pass unblocked')
      .default(true),
    RATE_LIMITING_ENABLED: booleanSetting.default(true),
    SIMULATION_ENABLED: booleanSetting.default(!isProduction),
    WEBHOOK_SECRET: sharedSecretsSetting.default([]),
    WEBHOOK_SECRET_STRIPE: sharedSecretsSetting.default([]),
    WEBHOOK_SECRET_TRON: sharedSecretsSetting.default([]),
    STRIPE_WEBHOOK_ALLOWED_IPS: addressRangesSetting.default([]),
    TRON_XPUB: watchOnlyKeySetting.optional(),
    TRON_API_BASE: chainSourcesSetting.refine(
      (sources) => !isProductionLike || sources.every((source) => source.toLowerCase().startsWith('https://')),
      `names an address that is not encrypted; expected https:// addresses in ${nodeEnv}`,
    ).default([]),
    TRON_API_KEY: z.string().max(500).optional(),
    WEBHOOKS_ALLOW_PRIVATE_NETWORKS: booleanSetting
      .refine(
        (allowed) => !allowed || !isProductionLike,
        `is switched on; expected false in ${nodeEnv}, where a merchant's address must not lead into your own network`,
      )
      .default(false),
    SMTP_URL: isProduction ? smtpUrlSetting : smtpUrlSetting.optional(),
    MAIL_FROM: mailAddressSetting.default('CPGateway <no-reply@localhost>'),
    CAPTCHA_PROVIDER,
    ...captchaSettings(captchaProvider),
    GEOIP_DATABASE: geoipDatabaseSetting.optional(),
    DEBUG_ENDPOINTS_ENABLED: booleanSetting.default(!isProduction),
    DEBUG_ENDPOINTS_WHITELIST: namesSetting.default([]),
    DEPRECATED_API_VERSIONS: deprecatedVersionsSetting.default([]),
    DISABLED_API_VERSIONS: apiVersionsSetting.default([]),
  });
}

/** What the CAPTCHA takes besides its name: a provider outside needs both of its keys. */
function captchaSettings(provider: CaptchaProvider | undefined) {
  const isRemote = provider !== undefined && provider !== 'altcha';
  const key = (what: string, maxLength: number) => {
    const text = z.string({ error: `is missing; expected the ${what} that ${provider} has given you` }).max(maxLength);
    return isRemote ? text : text.optional();
  };
  return { CAPTCHA_SITE_KEY: key('site key', 200), CAPTCHA_SECRET: key('secret', 500) };
}

/** Settings as they are written in the environment, checked and converted. */
export type WrittenSettings = z.output<ReturnType<typeof settingsSchema>>;

export function isProductionLikeEnv(nodeEnv: NodeEnv): boolean {
  return nodeEnv === 'staging' || nodeEnv === 'production';
}

/** Every setting that exists, in the order in which problems are reported. */
export const settingNames: readonly string[] = Object.keys(settingsSchema('development').shape);

/** The settings that may also be given as NAME_FILE and whose values are never shown. */
export const secretNames = [
  'DATABASE_URL', 'DATABASE_DIRECT_URL', 'REDIS_URL', 'ENCRYPTION_MASTER_KEY', 'JWT_SECRET_KEY', 'WEBHOOK_SECRET', 'WEBHOOK_SECRET_STRIPE',
  'WEBHOOK_SECRET_TRON', 'TRON_API_KEY', 'SMTP_URL', 'CAPTCHA_SECRET',
] as const satisfies readonly (keyof WrittenSettings)[];

function readMasterKey(entry: string): Buffer | undefined {
  const key = Buffer.from(entry, 'base64');
  // Node skips what is not base64. Only a text that comes out again unchanged was one.
  return key.length === 32 && key.toString('base64') === entry ? key : undefined;
}
