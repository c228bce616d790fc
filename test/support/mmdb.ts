import { parseAddress } from '../../src/platform/security/network/address-rules';

/** A value of the data section, as far as country databases need them. */
type Value = string | number | readonly string[] | { readonly [name: string]: Value };
/** A branch of the tree: a further one, an entry by its place, or nothing known. */
type Branch = Node | number | undefined;
interface Node {
  left: Branch;
  right: Branch;
}

const RECORD_BITS = 24;
const SEPARATOR = Buffer.alloc(16);
const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const TYPES = { string: 2, uint16: 5, uint32: 6, map: 7, array: 11 } as const;

/**
 * Writes a country database: networks in CIDR form, IPv4 or IPv6, and their countries. The format is MaxMind's, version 2.0
 * (https://maxmind.github.io/MaxMind-DB/): a tree of bits, sixteen zeros, the entries, a marker, the metadata. IPv4 lies below ::/96.
 */
export function countryDatabase(countries: Readonly<Record<string, string>>): Buffer {
  const root: Node = { left: undefined, right: undefined };
  const entries: Buffer[] = [];
  let size = 0;
  for (const [network, country] of Object.entries(countries)) {
    insert(root, bitsOf(network), size);
    entries.push(encode({ country: { iso_code: country } }));
    size += entries.at(-1)!.length;
  }
  const { tree, count } = treeOf(root);
  const metadata = encode({
    node_count: count, record_size: RECORD_BITS, ip_version: 6, database_type: 'Test-Country', languages: ['en'],
    binary_format_major_version: 2, binary_format_minor_version: 0, build_epoch: 1_700_000_000, description: { en: 'for tests' },
  });
  return Buffer.concat([tree, SEPARATOR, ...entries, MARKER, metadata]);
}

/** The first bits of all addresses of a network, in the 128 bits of the tree. */
function bitsOf(network: string): number[] {
  const [base, prefix] = network.split('/');
  const bytes = parseAddress(base)!.toByteArray();
  const whole = [...Array.from({ length: 16 - bytes.length }, () => 0), ...bytes];
  const length = (prefix === undefined ? bytes.length * 8 : Number(prefix)) + (16 - bytes.length) * 8;
  return whole.flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((bit) => (byte >> bit) & 1)).slice(0, length);
}

function insert(root: Node, bits: readonly number[], entry: number): void {
  let node = root;
  for (const bit of bits.slice(0, -1)) {
    const side = bit ? 'right' : 'left';
    if (typeof node[side] !== 'object') node[side] = { left: undefined, right: undefined };
    node = node[side];
  }
  node[bits.at(-1) ? 'right' : 'left'] = entry;
}

/** Nodes are numbered as they are met. A record is the number of a node, or the count of nodes for nothing, or that and the place of an entry. */
function treeOf(root: Node): { tree: Buffer; count: number } {
  const nodes = [root];
  const numbers = new Map([[root, 0]]);
  for (const node of nodes) {
    for (const branch of [node.left, node.right]) {
      if (typeof branch !== 'object') continue;
      numbers.set(branch, nodes.length);
      nodes.push(branch);
    }
  }
  const record = (branch: Branch): number => {
    if (branch === undefined) return nodes.length;
    return typeof branch === 'object' ? numbers.get(branch)! : nodes.length + SEPARATOR.length + branch;
  };
  const tree = Buffer.alloc(nodes.length * 6);
  nodes.forEach(({ left, right }, at) => {
    tree.writeUIntBE(record(left), at * 6, 3);
    tree.writeUIntBE(record(right), at * 6 + 3, 3);
  });
  return { tree, count: nodes.length };
}

function encode(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.concat([control(TYPES.string, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'number') return encodeNumber(value);
  if (isList(value)) return Buffer.concat([control(TYPES.array, value.length), ...value.map(encode)]);
  const entries = Object.entries(value);
  return Buffer.concat([control(TYPES.map, entries.length), ...entries.flatMap(([name, entry]) => [encode(name), encode(entry)])]);
}

function isList(value: Value): value is readonly string[] {
  return Array.isArray(value);
}

function encodeNumber(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  const digits = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  const used = value === 0 ? Buffer.alloc(0) : digits;
  return Buffer.concat([control(value > 0xffff ? TYPES.uint32 : TYPES.uint16, used.length), used]);
}

/** Three bits of type and five of size; types from 8 on stand in a byte of their own. Sizes here are below 29. */
function control(type: number, size: number): Buffer {
  if (size >= 29) throw new RangeError('The databases of tests have no values that long.');
  return type < 8 ? Buffer.from([(type << 5) | size]) : Buffer.from([size, type - 7]);
}
