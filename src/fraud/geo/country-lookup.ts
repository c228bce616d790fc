import { readFileSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { Logger } from '@nestjs/common';
import { type CountryResponse, Reader } from 'maxmind';
import { parseAddress } from '../../platform/security/network/address-rules';

const LOOK_AGAIN_MS = 60_000;

/**
 * Tells the country of an address from a file in memory, without the network. Without a file nothing is known of any address, and `state`
 * says so. A file that is replaced is taken within a minute of the next question; one that cannot be read leaves the old one in force.
 */
export class CountryLookup {
  private readonly logger = new Logger(CountryLookup.name);
  private reader?: Reader<CountryResponse>;
  private modifiedMs = 0;
  private lookedAt = Date.now();

  /** @throws Error when the file is no country database: a start that seems to look at countries and does not would be worse */
  constructor(private readonly path: string | undefined) {
    if (path === undefined) return;
    try {
      this.modifiedMs = statSync(path).mtimeMs;
      this.reader = readerOf(readFileSync(path));
    } catch (cause) {
      throw new Error("GEOIP_DATABASE is not a country database in MaxMind's format that can be read. Download it again.", { cause });
    }
  }

  /** `off`: no file is set, so whatever asks for countries is not looked at. */
  get state(): 'ok' | 'off' {
    return this.reader ? 'ok' : 'off';
  }

  /** The country in two letters (ISO 3166-1), or undefined: not known, no address, or off. Never throws. */
  countryOf(ip: string | undefined): string | undefined {
    if (!this.reader || ip === undefined) return undefined;
    if (Date.now() - this.lookedAt >= LOOK_AGAIN_MS) void this.refresh();
    const address = parseAddress(ip);
    return address && countryIn(this.reader, address.toString());
  }

  /** Takes the file again if it has changed. */
  async refresh(): Promise<void> {
    this.lookedAt = Date.now();
    if (this.path === undefined) return;
    try {
      const { mtimeMs } = await stat(this.path);
      if (mtimeMs === this.modifiedMs) return;
      this.reader = readerOf(await readFile(this.path));
      this.modifiedMs = mtimeMs;
      this.logger.log('took a new country database');
    } catch (error) {
      this.logger.warn({ err: error, msg: 'the country database cannot be read again; the old one stays in force' });
    }
  }
}

/** One look-up walks the tree, so a file that was cut shows before it is asked for a payer. */
function readerOf(file: Buffer): Reader<CountryResponse> {
  const reader = new Reader<CountryResponse>(file);
  reader.get('192.0.2.1');
  return reader;
}

/** Where the address is, or else where its network is registered. */
function countryIn(reader: Reader<CountryResponse>, address: string): string | undefined {
  try {
    const found = reader.get(address);
    const code: unknown = found?.country?.iso_code ?? found?.registered_country?.iso_code;
    return typeof code === 'string' && /^[A-Z]{2}$/.test(code) ? code : undefined;
  } catch {
    // A database of IPv4 alone throws for IPv6; a damaged entry must not stop a payment.
    return undefined;
  }
}
