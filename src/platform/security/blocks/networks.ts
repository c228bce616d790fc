import type { IncomingHttpHeaders } from 'node:http';
import ipaddr from 'ipaddr.js';
import { type Address, parseAddress } from '../network/address-rules';

const HOUSEHOLD_BITS = 64;
/** What proxies add to a request that they pass on. */
const PASSED_ON = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-forwarded-host', 'x-forwarded-proto', 'via'] as const;

/** Addresses that share their first bits. */
export interface Network {
  base: Address;
  bits: number;
}

/**
 * Whom an address stands for where callers are counted and blocked: an IPv4 address for itself, an IPv6 address for its /64, because
 * one household or one attacker holds a whole /64 (RFC 6177) and could take a new address for each call. IPv4 in IPv6 clothing is
 * IPv4. Undefined for text that is no address.
 */
export function networkOf(ip: string): string | undefined {
  const address = addressOf(ip);
  return address && networkText({ base: address, bits: address.kind() === 'ipv4' ? 32 : HOUSEHOLD_BITS });
}

/** The same for counting, for whatever a connection says of its other end. */
export function countedAddress(ip: string | undefined): string {
  if (ip === undefined) return 'unknown';
  return ip.includes(':') ? (networkOf(ip) ?? ip) : ip;
}

/** Reads an address of a caller; the zone of a link-local one (RFC 4007) tells interfaces of this machine apart, not callers. */
export function addressOf(ip: string): Address | undefined {
  return parseAddress(ip.replace(/%.*$/, ''));
}

/** Reads `address/bits` or a single address; undefined for anything else, also for a base with bits beyond the prefix. */
export function readNetwork(text: string): Network | undefined {
  const [written, suffix, ...rest] = text.split('/');
  const base = parseAddress(written);
  if (!base || rest.length > 0 || written.includes('%')) return undefined;
  const width = widthOf(base);
  // A network written in IPv4-mapped form counts its bits from the IPv6 side.
  const skipped = width === 32 && written.includes(':') ? 96 : 0;
  const bits = suffix === undefined ? width : (/^(0|[1-9]\d{0,2})$/.test(suffix) ? Number(suffix) - skipped : -1);
  if (bits < 0 || bits > width) return undefined;
  return firstOf({ base, bits }).toString() === base.toString() ? { base, bits } : undefined;
}

/** The one way in which a network is written: a single address by itself, all others with their bits. */
export function networkText({ base, bits }: Network): string {
  return bits === widthOf(base) ? base.toString() : `${firstOf({ base, bits }).toString()}/${bits}`;
}

/** Whether the network holds the address. */
export function holds({ base, bits }: Network, address: Address): boolean {
  return base.kind() === address.kind() && address.match([base, bits]);
}

/** Whether two networks share an address: then one of them holds the other's first. */
export function overlap(one: Network, other: Network): boolean {
  return holds(one, other.base) || holds(other, one.base);
}

/** A call from this machine itself, not one that a proxy on it passes on. `ip` is the peer's address where no proxy is trusted. */
export function isFromThisMachine(ip: string, headers: IncomingHttpHeaders): boolean {
  const isLoopback = ip === '::1' || ip.startsWith('127.');
  return isLoopback && PASSED_ON.every((name) => headers[name] === undefined);
}

function widthOf(address: Address): 32 | 128 {
  return address.kind() === 'ipv4' ? 32 : 128;
}

function firstOf({ base, bits }: Network): Address {
  const bytes = base.toByteArray().map((byte, at) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - at * 8))) & 0xff);
  return ipaddr.fromByteArray(bytes);
}
