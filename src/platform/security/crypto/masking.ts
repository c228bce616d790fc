import { types } from 'node:util';
import { findCardNumbers } from './card-numbers';

/** What stands in the place of a value that must not be shown at all. */
export const MASKED = '[masked]';

const MAX_DEPTH = 10;
const MAX_VALUES = 2_000;
const MAX_TEXT = 10_000;
const MAX_TEXT_TOGETHER = 100_000;
/** Longer than any e-mail address or card number, so that one that lies across the cut is still recognised. */
const TEXT_MARGIN = 512;

/** Compared with names in lower case without `_`, `-` and the like: `apiKey`, `api_key` and `X-API-Key` are all `apikey`. */
const SECRET_NAME = new RegExp(
  [
    'password', 'passwd', 'passphrase', 'secret', 'token', 'apikey', 'authorization', 'cookie', 'signature', 'signing', 'privatekey',
    'encryptionkey', 'masterkey', 'totp', 'otpauth', 'backupcode', 'cardnumber', 'securitycode', 'cvc', 'cvv', '^pan$',
  ].join('|'),
);

/** Whole minor units in wei have as many digits as a card number; these names are ours and never come from outside. */
const MINOR_UNITS_NAME = /(?:[a-z]Minor|_minor)$/;

const QUERY_SECRET = /([?&](?:[\w-]*(?:token|secret|password|signature|api_?key)|code|ticket)=)[^&#\s"']+/gi;
const URL_CREDENTIALS = /(:\/\/)[^\s/?#"']{1,512}@/g;
const BEARER = /\b(Bearer )[A-Za-z0-9._~+/=-]{16,}/gi;
const JSON_WEB_TOKEN = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;
const API_KEY = /((?:(?:cpg|sk|rk)_(?:test|live|sign)|cpg[rotd])_)[\w-]+/g;
const WEBHOOK_SECRET = /(whsec_)[\w+/=-]+/g;
/** Also as it stands in an address line, with `%40`. The star belongs to it so that a masked address stays as it is. */
const EMAIL = /[\p{L}\p{N}._+'*-]{1,64}(?:@|%40)[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/giu;

/**
 * `u***r@example.com`: first and last letter of the local part, the domain whole. Two letters give `u*`, one gives `*`.
 * The number of stars is fixed so that it does not tell the length. Anything that is no address becomes `[masked]`.
 */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  if (at < 1) {
    return MASKED;
  }
  const letters = Array.from(email.slice(0, at));
  const [first, last] = [letters[0]!, letters[letters.length - 1]!];
  const shortForms = ['', '*', `${first}*`];
  return (shortForms[letters.length] ?? `${first}***${last}`) + email.slice(at);
}

/** Replaces every card number in a text by `************4242`, as PCI DSS 3.4.1 allows. See card-numbers.ts for what counts. */
export function maskCardNumbers(text: string): string {
  let masked = '';
  let copiedTo = 0;
  for (const { start, end, digits } of findCardNumbers(text)) {
    masked += `${text.slice(copiedTo, start)}************${digits.slice(-4)}`;
    copiedTo = end;
  }
  return masked + text.slice(copiedTo);
}

/** True when a text holds a card number. See card-numbers.ts for what counts and what the trade-off is. */
export function containsCardNumber(text: string): boolean {
  return findCardNumbers(text).length > 0;
}

/** What a program calls itself, masked and then cut to 500 characters: cut first, part of a card number could stay. */
export function shownUserAgent(userAgent: string | undefined): string | undefined {
  return userAgent === undefined ? undefined : maskText(userAgent).slice(0, 500);
}

/**
 * A copy of any value that is fit for logs and for the before and after of the audit.
 *
 * Values under names that look like secrets become `[masked]` (except null, booleans and dates, which tell no secret). In every
 * text, names included, API keys and webhook secrets are cut to their prefix, and bearer tokens, credentials in addresses, e-mail
 * addresses and card numbers are masked. The copy holds only what JSON can say: dates as RFC 3339, bigints as decimal strings,
 * binary data as its length.
 *
 * Never throws and never follows a cycle. Depth (10), number of values (2000), length of a text (10,000) and of all texts
 * together (100,000) are bounded, so that logging a hostile body stays cheap; what is left out is named in its place.
 */
export function maskSecrets(value: unknown): unknown {
  return new MaskedCopy().copy(value, '', 0);
}

/** One walk over one value: counts what it has copied and remembers the objects it stands in. */
class MaskedCopy {
  private valuesLeft = MAX_VALUES;
  private charactersLeft = MAX_TEXT_TOGETHER;
  private readonly enclosing = new Set<object>();

  copy(value: unknown, name: string, depth: number): unknown {
    this.valuesLeft -= 1;
    if (this.valuesLeft < 0) {
      return '[left out: too many values]';
    }
    if (value === null || value === undefined || typeof value === 'boolean') {
      return value;
    }
    try {
      return this.copyValue(value, name, depth);
    } catch {
      // Getters, proxies and toString methods of others may throw anything; a log line must not fail because of them.
      return '[unreadable]';
    }
  }

  private copyValue(value: NonNullable<unknown>, name: string, depth: number): unknown {
    if (types.isDate(value)) {
      return Number.isNaN(value.getTime()) ? '[invalid date]' : value.toISOString();
    }
    if (SECRET_NAME.test(name.replace(/[^A-Za-z0-9]/g, '').toLowerCase())) {
      return MASKED;
    }
    switch (typeof value) {
      case 'string':
        return MINOR_UNITS_NAME.test(name) && /^-?[0-9]{1,39}$/.test(value) ? value : this.copyText(value);
      case 'number':
        return MINOR_UNITS_NAME.test(name) || !containsCardNumber(String(value)) ? value : maskCardNumbers(String(value));
      case 'bigint':
        return value.toString();
      case 'object':
        return this.copyObject(value, depth);
      default:
        return `[${typeof value}]`;
    }
  }

  private copyObject(value: object, depth: number): unknown {
    if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) {
      return `[binary, ${value.byteLength} bytes]`;
    }
    if (value instanceof URL) {
      return this.copyText(value.href);
    }
    if (this.enclosing.has(value)) {
      return '[circular]';
    }
    if (depth >= MAX_DEPTH) {
      return '[left out: too deep]';
    }
    this.enclosing.add(value);
    try {
      return Array.isArray(value) || types.isSet(value) ? this.copyItems(value, depth) : this.copyEntries(entriesOf(value), depth);
    } finally {
      this.enclosing.delete(value);
    }
  }

  private copyText(text: string): string {
    this.charactersLeft -= Math.min(text.length, MAX_TEXT);
    return this.charactersLeft < 0 ? '[left out: too much text]' : maskText(text);
  }

  private copyItems(items: Iterable<unknown>, depth: number): unknown[] {
    const copies: unknown[] = [];
    for (const item of items) {
      copies.push(this.copy(item, '', depth + 1));
      if (this.valuesLeft < 0) {
        break;
      }
    }
    return copies;
  }

  /** Built by Object.fromEntries, which makes a plain property even of a name such as `__proto__`. */
  private copyEntries(entries: Iterable<readonly [string, () => unknown]>, depth: number): Record<string, unknown> {
    const copies: [string, unknown][] = [];
    for (const [name, read] of entries) {
      copies.push([this.copyText(name), this.copy(attempt(read), name, depth + 1)]);
      if (this.valuesLeft < 0) {
        break;
      }
    }
    return Object.fromEntries(copies);
  }
}

/** Masks whatever looks like a secret inside one text and bounds its length. */
function maskText(text: string): string {
  const masked = maskCardNumbers(
    text
      .slice(0, MAX_TEXT + TEXT_MARGIN)
      .replace(QUERY_SECRET, `$1${MASKED}`)
      .replace(URL_CREDENTIALS, `$1${MASKED}@`)
      .replace(BEARER, '$1…')
      .replace(JSON_WEB_TOKEN, 'eyJ…')
      .replace(API_KEY, '$1…')
      .replace(WEBHOOK_SECRET, '$1…')
      .replace(EMAIL, (email) => maskEmail(email.replace('%40', '@'))),
  );
  return text.length > MAX_TEXT ? `${masked.slice(0, MAX_TEXT)}… [${text.length} characters]` : masked;
}

/** Names with a way to read them, because one getter that throws must not hide its neighbours. Errors show what they hide from loops. */
function* entriesOf(value: object): Generator<readonly [string, () => unknown]> {
  if (types.isMap(value)) {
    for (const [name, entry] of value) {
      yield [typeof name === 'string' ? name : typeof name, () => entry];
    }
    return;
  }
  const hidden = types.isNativeError(value) ? ['name', 'message', 'stack', 'cause'].filter((name) => name in value) : [];
  for (const name of new Set([...hidden, ...Object.keys(value)])) {
    yield [name, () => (value as Record<string, unknown>)[name]];
  }
}

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return '[unreadable]';
  }
}
