import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Logger } from '@nestjs/common';
import { countryDatabase } from '../../../test/support/mmdb';
import { CountryLookup } from './country-lookup';

describe('the country of an address', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cpgateway-geo-'));
  const file = path.join(folder, 'countries.mmdb');
  const countries = { '203.0.113.0/24': 'DE', '203.0.114.0/23': 'FR', '198.51.100.7': 'US', '2001:db8::/32': 'JP' };

  beforeAll(() => Logger.overrideLogger(false));
  beforeEach(() => writeFileSync(file, countryDatabase(countries)));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['203.0.113.0', 'DE'], ['203.0.113.255', 'DE'], ['203.0.115.9', 'FR'], ['198.51.100.7', 'US'], ['198.51.100.8', undefined],
    ['::ffff:203.0.113.5', 'DE'], ['2001:db8:1::1', 'JP'], ['2001:db9::1', undefined], ['10.0.0.1', undefined], ['nowhere', undefined],
    ['203.0.113.5/24', undefined], ['', undefined], [undefined, undefined],
  ])('of %s is %s', (ip, country) => {
    const lookup = new CountryLookup(file);
    expect([lookup.state, lookup.countryOf(ip)]).toEqual(['ok', country]);
  });

  it('is not known without a file, and says so', () => {
    const lookup = new CountryLookup(undefined);
    expect([lookup.state, lookup.countryOf('203.0.113.5')]).toEqual(['off', undefined]);
  });

  it('follows a file that is replaced, and keeps the old one beside a broken one', async () => {
    const lookup = new CountryLookup(file);
    writeFileSync(file, countryDatabase({ '203.0.113.0/24': 'AT' }));
    utimesSync(file, 1, 1);
    await lookup.refresh();
    expect(lookup.countryOf('203.0.113.5')).toBe('AT');
    writeFileSync(file, 'not a database');
    utimesSync(file, 2, 2);
    await lookup.refresh();
    expect([lookup.state, lookup.countryOf('203.0.113.5')]).toEqual(['ok', 'AT']);
  });

  it('stops the start when the file is no database, or was cut', () => {
    writeFileSync(file, 'not a database');
    expect(() => new CountryLookup(file)).toThrow('GEOIP_DATABASE');
    writeFileSync(file, countryDatabase(countries).subarray(-200));
    expect(() => new CountryLookup(file)).toThrow('GEOIP_DATABASE');
    expect(() => new CountryLookup(path.join(folder, 'missing'))).toThrow('GEOIP_DATABASE');
  });
});
