import { addressOf, holds, isFromThisMachine, networkOf, networkText, overlap, readNetwork } from './networks';

describe('the network of a caller', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
  ])('of %s is %s', (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });

  it.each(['', 'unknown', '203.0.113.7:443', '203.0.113', '010.0.0.1', '203.0.113.7/32'])('is none for "%s"', (text) => {
    expect(networkOf(text)).toBeUndefined();
  });
});

describe('networks', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7/32', '203.0.113.7'],
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['203.0.113.128/27', '203.0.113.128/27'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::ffff:203.0.113.0/120', '203.0.113.0/24'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['2001:db8::1/128', '2001:db8::1'],
    ['2001:db8:0:8000::/49', '2001:db8:0:8000::/49'],
  ])('%s are written as %s', (text, written) => {
    expect(networkText(readNetwork(text)!)).toBe(written);
  });

  it.each(['203.0.113.7/24', '203.0.113.0/33', '203.0.113.0/', '203.0.113.0/024', '2001:db8::1/64', '::/129', 'fe80::1%eth0', '1.2.3.4/8/8', 'all'])(
    'are not read from %s', (text) => {
      expect(readNetwork(text)).toBeUndefined();
    },
  );

  it('hold their own addresses and no others', () => {
    const network = readNetwork('203.0.113.128/27')!;
    expect(['203.0.113.127', '203.0.113.128', '203.0.113.159', '203.0.113.160', '::1'].map((ip) => holds(network, addressOf(ip)!)))
      .toEqual([false, true, true, false, false]);
  });

  it('overlap when one holds the other', () => {
    const share = (one: string, other: string) => overlap(readNetwork(one)!, readNetwork(other)!);
    expect([share('127.0.0.0/8', '127.0.0.1'), share('127.0.0.1', '127.0.0.0/8'), share('128.0.0.0/8', '127.0.0.0/8'), share('::/1', '127.0.0.1')])
      .toEqual([true, true, false, false]);
  });
});

describe('a call from this machine', () => {
  it('comes over loopback, and nothing says that it was passed on', () => {
    expect([isFromThisMachine('127.0.0.1', {}), isFromThisMachine('127.9.9.9', {}), isFromThisMachine('::1', {})]).toEqual([true, true, true]);
    expect(isFromThisMachine('203.0.113.7', {})).toBe(false);
    const passedOn = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-forwarded-host', 'x-forwarded-proto', 'via'];
    for (const name of passedOn) expect([name, isFromThisMachine('127.0.0.1', { [name]: '' })]).toEqual([name, false]);
  });
});
