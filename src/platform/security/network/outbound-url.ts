import { isIP } from 'node:net';
import { isLocalAddress, isPublicAddress } from './address-rules';
import { createHostResolver, type ResolveHost } from './host-resolver';

/** Where the application may send requests that somebody outside it has asked for. */
export interface OutboundPolicy {
  /** True in production: refuses plain http. */
  readonly httpsOnly: boolean;
  /** Development and tests only: also lets requests reach loopback and private networks, never link-local ones. */
  readonly allowPrivateNetworks: boolean;
  /** How names become addresses; left out, the DNS is asked. */
  readonly lookup?: ResolveHost;
}

/** Why a URL was refused. */
export type UrlRefusal =
  | 'malformed' | 'too_long' | 'scheme' | 'credentials' | 'fragment' | 'port' | 'host' | 'unresolvable' | 'address';

const REFUSAL_TEXTS: Record<UrlRefusal, string> = {
  malformed: 'This is not a complete URL. Enter it like https://example.com/webhooks.',
  too_long: 'The URL is longer than 2048 characters.',
  scheme: 'The URL must start with https://.',
  credentials: 'The URL must not contain a user name or password.',
  fragment: 'The URL must not contain a # part; it would never be sent.',
  port: 'The port must be 80, 443 or between 1024 and 65535.',
  host: 'The host must be a plain domain name or a plain IP address.',
  unresolvable: 'The host name could not be found in the DNS. Check it and try again.',
  address: 'The host must lead to a public internet address only.',
};

/** A URL that the application will not send to. The message says what to change and names no address. */
export class UrlNotAllowedError extends Error {
  constructor(readonly reason: UrlRefusal, message: string = REFUSAL_TEXTS[reason]) {
    super(message);
    this.name = 'UrlNotAllowedError';
  }
}

const MAX_URL_LENGTH = 2048;
const AUTHORITY = /^https?:\/\/([^/?#]*)/i;

/**
 * Checks everything about a URL that can be told without asking the DNS and gives it back parsed.
 * Throws UrlNotAllowedError.
 */
export function assertUrlShape(url: string, { httpsOnly }: { httpsOnly: boolean }): URL {
  if (url.length > MAX_URL_LENGTH) {
    throw new UrlNotAllowedError('too_long');
  }
  // The URL parser drops tabs and line ends and turns a backslash into a slash; other readers of the text would not.
  if (/[\s\\\p{Cc}]/u.test(url) || !URL.canParse(url)) {
    throw new UrlNotAllowedError('malformed');
  }
  const parsed = new URL(url);
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') {
    throw new UrlNotAllowedError('scheme');
  }
  if (parsed.protocol === 'http:' && httpsOnly) {
    throw new UrlNotAllowedError('scheme', 'The URL must start with https://; plain http is refused here.');
  }
  const authority = AUTHORITY.exec(url)?.[1];
  if (authority === undefined) {
    throw new UrlNotAllowedError('malformed');
  }
  if (authority.includes('@')) {
    throw new UrlNotAllowedError('credentials');
  }
  if (url.includes('#')) {
    throw new UrlNotAllowedError('fragment');
  }
  assertPort(parsed);
  assertHost(parsed, authority);
  return parsed;
}

/**
 * Checks the shape of a URL and that every address behind its host may be reached, and gives it back parsed.
 * A check when a URL is saved; the sender checks again the address that it connects to. Throws UrlNotAllowedError.
 */
export async function assertUrlAllowed(url: string, policy: OutboundPolicy): Promise<URL> {
  const parsed = assertUrlShape(url, policy);
  await allowedAddressesOf(hostOf(parsed.hostname), policy);
  return parsed;
}

/** The addresses of a host name or IP address, all of them allowed; throws UrlNotAllowedError when one is not. */
export async function allowedAddressesOf(host: string, policy: OutboundPolicy): Promise<string[]> {
  const addresses = isIP(host) === 0 ? await resolve(host, policy) : [host];
  if (!addresses.every((address) => isAllowedAddress(address, policy))) {
    throw new UrlNotAllowedError('address');
  }
  return addresses;
}

/** True when requests may go to this address: a public one, or a local one where the policy allows those. */
export function isAllowedAddress(ip: string, policy: OutboundPolicy): boolean {
  return isPublicAddress(ip) || (policy.allowPrivateNetworks && isLocalAddress(ip));
}

/** The host without the brackets that a URL puts around an IPv6 address. */
export function hostOf(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

async function resolve(host: string, policy: OutboundPolicy): Promise<string[]> {
  const lookup = policy.lookup ?? createHostResolver({ useHostsFile: policy.allowPrivateNetworks });
  const addresses = await lookup(host).catch(() => []);
  if (addresses.length === 0) {
    throw new UrlNotAllowedError('unresolvable');
  }
  return addresses;
}

function assertPort(url: URL): void {
  // The low ports belong to mail, remote shells and other services that nobody receives webhooks on.
  const port = url.port === '' ? undefined : Number(url.port);
  if (port !== undefined && port !== 80 && port !== 443 && port < 1024) {
    throw new UrlNotAllowedError('port');
  }
}

/**
 * The URL parser turns `0x7f.1`, `2130706433`, `017700000001`, full-width digits and percent-encoded digits into an
 * IPv4 address. Nobody writes an address like that in good faith, so an address has to be written as it is.
 */
function assertHost(url: URL, authority: string): void {
  const written = authority.replace(/:\d*$/, '');
  const isAddress = isIP(hostOf(url.hostname)) !== 0;
  const isWrittenPlainly = isAddress ? isIP(hostOf(written)) !== 0 : !/[%]/.test(written);
  if (!isWrittenPlainly || url.hostname.endsWith('.') || url.hostname.includes('..')) {
    throw new UrlNotAllowedError('host');
  }
}
