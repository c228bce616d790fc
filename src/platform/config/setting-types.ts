import * as ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { isGeoipFile } from './geoip-file';
import { readWatchOnlyKey } from './watch-only-key';

/*
 * The kinds of value a setting can have. Every message reads on after the setting's name ("PORT: is not …; expected …") and never
 * repeats the value: a secret pasted into the wrong variable must not end up on a screen or in a log.
 */

/** Exactly `true`, `false`, `1` or `0`: a switch that guards money must not be turned by "yes", "on" or a stray capital. */
export const booleanSetting = z.stringbool({
  truthy: ['true', '1'],
  falsy: ['false', '0'],
  case: 'sensitive',
  error: 'is not a yes-or-no value; expected true, false, 1 or 0',
});

/** One of a fixed set of words. */
export function wordSetting<const Word extends string>(words: readonly Word[]) {
  return z.enum(words, { error: `is not a known value; expected one of ${words.join(', ')}` });
}

/** A TCP port as text; 0 asks the system for any free one. */
export const portSetting = z.string()
  .refine(
    (text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535,
    'is not a port; expected a whole number from 0 to 65535 (0 = any free port)',
  )
  .transform(Number);

/** An address or a host name to listen on. */
export const hostSetting = z.string()
  .refine(isHost, 'is not an address to listen on; expected an IP address such as 127.0.0.1 or a host name, without port');

/** One value or several with commas between. `read` answers undefined for a wrong entry; each of those is a problem of its own. */
export function listSetting<Entry>(read: (entry: string) => Entry | undefined, expected: string) {
  return z.string({ error: `is missing; expected ${expected}` }).transform((text, context) => {
    const entries: Entry[] = [];
    text.split(',').forEach((part, index, parts) => {
      const entry = read(part.trim());
      if (entry !== undefined) {
        entries.push(entry);
        return;
      }
      const which = parts.length > 1 ? `entry ${index + 1} of ${parts.length} is wrong` : 'is wrong';
      context.addIssue({ code: 'custom', message: `${which}; expected ${expected}` });
    });
    return entries;
  });
}

/** Address ranges, comma-separated. A single address is a range of one, so that the reader always finds CIDR form (RFC 4632, RFC 4291). */
export const addressRangesSetting = listSetting(
  readAddressRange,
  'IP addresses or ranges in CIDR form, such as 203.0.113.7 or 10.0.0.0/8, with commas between',
);

/** Secrets shared with another system, comma-separated while one replaces the other. */
export const sharedSecretsSetting = listSetting(
  (entry) => (entry.length >= 16 ? entry : undefined),
  'a secret of at least 16 characters (while rotating: the new and the old one with a comma between)',
);

/** Browser origins (RFC 6454), comma-separated, in the exact spelling that a browser sends. */
export const originsSetting = listSetting(readOrigin, 'origins such as https://shop.example, without a path, with commas between');

/** An absolute http or https address without credentials, query or fragment; a trailing slash is dropped. */
export const webAddressSetting = z.string()
  .refine(
    (text) => readWebAddress(text) !== undefined,
    'is not a web address; expected one such as https://pay.example.com, without query or password',
  )
  .transform((text) => text.replace(/\/+$/, ''));

/** Where a chain is read: http or https addresses, comma-separated; all of them are asked, so each may be named once. */
export const chainSourcesSetting = listSetting(
  (entry) => (readWebAddress(entry) ? entry.replace(/\/+$/, '') : undefined),
  'web addresses such as https://api.trongrid.io, with commas between, without query or password',
).refine(
  (sources) => new Set(sources.map((source) => new URL(source).href)).size === sources.length,
  'names the same address twice; expected different ones, because they are asked to agree',
);

/** An extended public key for deposit addresses. A private key is refused by name: whoever reads the settings could spend the money. */
export const watchOnlyKeySetting = z.string()
  .refine((text) => readWatchOnlyKey(text) !== 'private', {
    error: 'is a private key or a recovery phrase, which never belongs on the server; expected the extended public key (xpub...) of the '
      + 'account. Take the private one out of here, and use a new wallet: this one has been shown to a server',
    abort: true,
  })
  .refine(
    (text) => readWatchOnlyKey(text) !== undefined,
    "is not an extended public key (xpub...) of an account; expected the one of m/44'/195'/0'",
  )
  .transform((text) => text.trim());

/** A database of countries as a file that is there. */
export const geoipDatabaseSetting = z.string().refine(
  isGeoipFile,
  "is not a country database; expected the path of a file in MaxMind's format (.mmdb) that this user may read",
);

/** A Redis address, plain or over TLS (https://www.iana.org/assignments/uri-schemes/prov/redis). */
export const redisUrlSetting = z.string().refine(
  (text) => isServer(text, ['redis:', 'rediss:']),
  'is not a Redis address; expected redis://user:password@host:6379/0 (rediss: for TLS)',
);

/** A mail server's address as nodemailer reads it (https://nodemailer.com/smtp). */
export const smtpUrlSetting = z.string({
  error: 'is missing; expected smtp://user:password@host:587, without which nobody can confirm an address or reset a password',
})
  .refine(
    (text) => isServer(text, ['smtp:', 'smtps:']),
    'is not a mail server; expected smtp://user:password@host:587 (smtps: for TLS from the first byte)',
  );

/** A sender, with or without a name before the address. */
export const mailAddressSetting = z.string().max(320)
  .regex(
    /^(?:[^<>\r\n]{0,200}<[^<>\s@]+@[^<>\s@]+>|[^<>\s@]+@[^<>\s@]+)$/,
    'is not a sender; expected no-reply@pay.example.com or Name <no-reply@pay.example.com>',
  );

/** One mail address and nothing around it. */
export const bareAddressSetting = z.string().max(320)
  .regex(/^[^\s<>()[\]\\,;:"@]{1,64}@[^\s<>()[\]\\,;:"@]{1,255}$/, 'is not a mail address; expected one such as security@example.com');

/** Where alerts are posted to: a whole address with its path and query, encrypted where the system is no developer's. */
export function alertUrlSetting(encrypted: boolean) {
  return z.string()
    .refine(isPostAddress, { error: 'is not a web address; expected one such as https://alerts.example.com/hooks/1, without password', abort: true })
    .refine((text) => !encrypted || text.toLowerCase().startsWith('https://'), 'is not encrypted; expected an https:// address here');
}

/** The integration key of a PagerDuty service (https://support.pagerduty.com/main/docs/services-and-integrations). */
export const routingKeySetting = z.string()
  .regex(/^[\w-]{8,64}$/, 'is not a routing key; expected the 32 characters of an Events API v2 integration');

/** A bot's token as BotFather gives it (https://core.telegram.org/bots/api#authorizing-your-bot). */
export const telegramTokenSetting = z.string().max(200)
  .regex(/^\d+:[\w-]+$/, 'is not the token of a Telegram bot; expected digits, a colon and letters, as BotFather gives it');

/** A Telegram chat: its number, or the name of a public channel. */
export const chatSetting = z.string()
  .regex(/^(?:-?\d{1,20}|@\w{4,64})$/, 'is not a chat; expected its number such as -1001234567890, or @name of a channel');

/** Secrets that sign access tokens, newest first: as long as the digest that they key (RFC 7518, 3.2). */
export const tokenSecretSetting = listSetting(
  (entry) => (entry.length >= 32 ? entry : undefined),
  'at least 32 characters, as `openssl rand -base64 48` prints them (while rotating: newest first, with commas between)',
);

/** Names of lower-case letters and dashes, comma-separated. */
export const namesSetting = listSetting(
  (entry) => (/^[a-z][a-z-]{0,40}$/.test(entry) ? entry : undefined), 'names such as request, with commas between',
);

/** API versions, comma-separated. */
export const apiVersionsSetting = listSetting(
  (entry) => (/^v[0-9]{1,3}$/.test(entry) ? entry : undefined), 'versions such as v1, with commas between',
);

/** A version that still answers and says until when. */
export interface DeprecatedVersion {
  version: string;
  deprecatedOn: Date;
  sunsetOn: Date;
}

/** `v1:<deprecated-on>:<sunset-on>`, comma-separated, dates as YYYY-MM-DD in UTC. */
export const deprecatedVersionsSetting = listSetting(
  readDeprecatedVersion, 'a version with two dates such as v1:2027-01-31:2027-12-31, with commas between',
);

const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'];

/** A PostgreSQL connection URI, kept as it is (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS). */
export const databaseUrlSetting = z.string()
  .refine(
    (text) => ['postgres:', 'postgresql:'].includes(readUrl(text)?.protocol ?? '') && !/\s/.test(text),
    {
      error: 'is not a PostgreSQL address; expected postgres://user:password@host:5432/database (special characters %-encoded)',
      abort: true,
    },
  )
  .refine(
    // libpq's "allow" and "prefer" fall back to plain text without a word, so they are not on offer.
    (text) => (readUrl(text)?.searchParams.getAll('sslmode') ?? []).every((mode) => SSL_MODES.includes(mode)),
    `has an sslmode that is not supported; expected sslmode=${SSL_MODES.join(' | ')}`,
  );

function isHost(text: string): boolean {
  if (/^[\d.]+$/.test(text)) return ipaddr.IPv4.isValidFourPartDecimal(text);
  if (text.includes(':')) return ipaddr.IPv6.isValid(text);
  return text.length <= 253 && text.split('.').every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label));
}

function readAddressRange(entry: string): string | undefined {
  // ipaddr.js also reads the old spellings of IPv4, 010.0.0.1 as 8.0.0.1 and 10.1 as 10.0.0.1. Plain dotted decimals mean what they show.
  if (ipaddr.IPv4.isValidFourPartDecimal(entry)) return `${entry}/32`;
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(entry)) return entry;
  if (!entry.includes(':') || entry.includes('%')) return undefined;
  const range = ipaddr.IPv6.isValid(entry) ? `${entry}/128` : entry;
  // A caller's mapped address (::ffff:10.0.0.1) is compared as IPv4, so a range written that way would never match.
  if (!ipaddr.IPv6.isValidCIDR(range) || ipaddr.IPv6.parseCIDR(range)[0].isIPv4MappedAddress()) return undefined;
  return range;
}

function readDeprecatedVersion(entry: string): DeprecatedVersion | undefined {
  const [, version, from, to] = /^(v[1-9][0-9]{0,2}):(\d{4}-\d\d-\d\d):(\d{4}-\d\d-\d\d)$/.exec(entry) ?? [];
  const [deprecatedOn, sunsetOn] = [from, to].map((day) => new Date(`${day}T00:00:00.000Z`));
  // A date that does not exist is invalid, or rolls over to another day.
  const exist = version !== undefined && isDay(deprecatedOn, from) && isDay(sunsetOn, to) && deprecatedOn <= sunsetOn;
  return exist ? { version, deprecatedOn, sunsetOn } : undefined;
}

function isDay(date: Date, written: string): boolean {
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(written);
}

/** `redis:6379` is an address of the scheme redis without any host. */
function isServer(text: string, protocols: readonly string[]): boolean {
  const url = readUrl(text);
  return url !== undefined && protocols.includes(url.protocol) && url.hostname !== '' && !/\s/.test(text);
}

function readUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function isPostAddress(text: string): boolean {
  const url = readUrl(text);
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return false;
  return url.username === '' && url.password === '' && text.length <= 2048 && !/[#\s\\]/.test(text);
}

function readWebAddress(text: string): URL | undefined {
  const url = readUrl(text);
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return undefined;
  return url.username === '' && url.password === '' && !/[?#\s]/.test(text) ? url : undefined;
}

function readOrigin(entry: string): string | undefined {
  const url = readWebAddress(entry);
  return url?.pathname === '/' ? url.origin : undefined;
}
