import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An IP address that has been read strictly; an IPv4-mapped IPv6 address has become the IPv4 address inside it. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Hosting companies serve machine credentials on these addresses, and no special-purpose range covers them
 * (Azure host agent, AWS and Google metadata over IPv6). They are refused even where private networks are allowed.
 */
const METADATA_ADDRESSES = ['168.63.129.16/32', 'fd00:ec2::254/128', 'fd20:ce::254/128'];

/** The only part of IPv6 that is routed on the internet (RFC 4291 section 2.4, IANA global unicast). */
const GLOBAL_UNICAST_V6 = '2000::/3';

const LOCAL_RANGES: ReadonlySet<string> = new Set(['loopback', 'private', 'uniqueLocal']);

/**
 * Reads an IP address in its plain form. Forms that different programs read differently (`010.1.1.1`, `127.1`,
 * `0x7f000001`, `::8.8.8.8`) give undefined, like anything else that is not an address.
 */
export function parseAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
    return ipaddr.IPv4.parse(text);
  }
  // ipaddr.js reads the long-deprecated `::1.2.3.4` as IPv4-mapped, which is another address than the one written.
  const isDeprecatedDotted = text.startsWith('::') && /^::\d+\./.test(text);
  return isIPv6(text) && !isDeprecatedDotted ? ipaddr.process(text) : undefined;
}

/**
 * True for an address of the public internet. False for everything that reaches this machine, its neighbours or
 * nobody: loopback, private, link-local, carrier-grade NAT, multicast, broadcast, reserved, documentation and
 * benchmarking ranges, translated ranges (NAT64, 6to4, Teredo) whose real target is hidden inside, and text that is
 * not a plain address. Ranges: IANA special-purpose address registries (RFC 6890).
 */
export function isPublicAddress(ip: string): boolean {
  const address = parseAddress(ip);
  if (address === undefined || inAnyCidr(ip, METADATA_ADDRESSES)) {
    return false;
  }
  const isRouted = address.kind() === 'ipv4' || inAnyCidr(ip, [GLOBAL_UNICAST_V6]);
  return isRouted && address.range() === 'unicast';
}

/**
 * True for loopback, RFC 1918 and unique local addresses: what a developer's machine or a compose network uses.
 * Never true for link-local addresses, where hosting companies serve machine credentials (169.254.169.254).
 */
export function isLocalAddress(ip: string): boolean {
  const address = parseAddress(ip);
  return address !== undefined && LOCAL_RANGES.has(address.range()) && !inAnyCidr(ip, METADATA_ADDRESSES);
}

/**
 * True when the address lies in one of the networks, each `address/bits` or a single address. What cannot be read
 * matches nothing, so check a setting with `isNetwork` when it is entered.
 */
export function inAnyCidr(ip: string, cidrs: readonly string[]): boolean {
  const address = parseAddress(ip);
  return address !== undefined && cidrs.some((cidr) => contains(parseNetwork(cidr), address));
}

/** True when every address of a network lies in one and the same of the given networks; what cannot be read lies in none. */
export function isWithin(cidr: string, cidrs: readonly string[]): boolean {
  const network = parseNetwork(cidr);
  if (network === undefined) return false;
  const [base, bits] = network;
  return cidrs.map(parseNetwork).some((outer) => outer !== undefined && outer[1] <= bits && contains(outer, base));
}

/** True for `address/bits` or a single address that `inAnyCidr` can use. */
export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

function contains(network: [Address, number] | undefined, address: Address): boolean {
  return network !== undefined && network[0].kind() === address.kind() && address.match(network);
}

function parseNetwork(text: string): [Address, number] | undefined {
  const [base = '', bits, ...rest] = text.split('/');
  const address = parseAddress(base);
  if (address === undefined || rest.length > 0) {
    return undefined;
  }
  const width = address.kind() === 'ipv4' ? 32 : 128;
  if (bits === undefined) {
    return [address, width];
  }
  // A network written in IPv4-mapped form counts its bits from the IPv6 side.
  const prefix = /^\d{1,3}$/.test(bits) ? Number(bits) - (width === 32 && base.includes(':') ? 96 : 0) : -1;
  return prefix >= 0 && prefix <= width ? [address, prefix] : undefined;
}
