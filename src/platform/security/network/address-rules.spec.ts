import { inAnyCidr, isLocalAddress, isNetwork, isPublicAddress, isWithin, parseAddress } from './address-rules';

describe('isPublicAddress', () => {
  it.each([
    '8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.1', '100.63.255.255', '100.128.0.1', '198.17.255.255', '198.20.0.1',
    '169.253.255.255', '223.255.255.255', '2606:4700:4700::1111', '2a00:1450:4001::1', '::ffff:8.8.8.8', '::ffff:808:808',
  ])('lets the public address %s through', (ip) => {
    expect(isPublicAddress(ip)).toBe(true);
  });

  it.each([
    ['loopback', '127.0.0.1'], ['loopback', '127.255.255.254'], ['loopback', '::1'],
    ['private', '10.0.0.1'], ['private', '172.16.0.1'], ['private', '172.31.255.255'], ['private', '192.168.1.1'],
    ['link-local', '169.254.169.254'], ['link-local', 'fe80::1'], ['link-local', 'fe80::1%eth0'],
    ['carrier-grade NAT', '100.64.0.1'], ['carrier-grade NAT', '100.127.255.255'],
    ['multicast', '224.0.0.1'], ['multicast', '239.255.255.255'], ['multicast', 'ff02::1'],
    ['broadcast', '255.255.255.255'], ['reserved', '240.0.0.1'], ['unspecified', '0.0.0.0'], ['unspecified', '0.1.2.3'],
    ['unspecified', '::'],
    ['documentation', '192.0.2.1'], ['documentation', '198.51.100.1'], ['documentation', '203.0.113.1'], ['documentation', '2001:db8::1'],
    ['documentation', '3fff::1'], ['benchmarking', '198.18.0.1'], ['benchmarking', '198.19.255.255'], ['protocol', '192.0.0.8'],
    ['NAT64', '64:ff9b::7f00:1'], ['NAT64', '64:ff9b::808:808'], ['local NAT64', '64:ff9b:1::808:808'],
    ['6to4', '2002:7f00:1::1'], ['6to4', '2002:808:808::1'], ['Teredo', '2001:0:808:808::1'],
    ['IPv4-mapped', '::ffff:127.0.0.1'], ['IPv4-mapped', '::ffff:7f00:1'], ['IPv4-mapped', '::ffff:a9fe:a9fe'],
    ['IPv4-mapped', '::ffff:10.0.0.1'],
    ['IPv4-compatible', '::127.0.0.1'], ['IPv4-compatible', '::7f00:1'], ['IPv4-compatible', '::8.8.8.8'], ['IPv4-compatible', '::808:808'],
    ['IPv4-translated', '::ffff:0:7f00:1'], ['unique local', 'fc00::1'], ['unique local', 'fd12:3456::1'], ['site-local', 'fec0::1'],
    ['discard', '100::1'], ['segment routing', '5f00::1'], ['unassigned', '4000::1'], ['Azure host', '168.63.129.16'],
  ])('refuses %s address %s', (_kind, ip) => {
    expect(isPublicAddress(ip)).toBe(false);
  });

  it.each([
    '', 'example.com', '010.1.1.1', '8.8.8', '0x08080808', '134744072', '8.8.8.8 ', '8.8.8.8/32', '8.8.8.256', '[2606:4700::1]', '::g',
  ])('refuses what is not plainly an address: %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
    expect(isPublicAddress(text)).toBe(false);
  });
});

describe('isLocalAddress', () => {
  it.each(['127.0.0.1', '::1', '10.1.2.3', '172.17.0.2', '192.168.0.1', 'fd00::1', '::ffff:127.0.0.1'])('holds for %s', (ip) => {
    expect(isLocalAddress(ip)).toBe(true);
  });

  it.each([
    '169.254.169.254', 'fe80::1', 'fd00:ec2::254', '0.0.0.0', '::', '100.64.0.1', '8.8.8.8', 'localhost',
  ])('does not hold for %s', (ip) => {
    expect(isLocalAddress(ip)).toBe(false);
  });
});

describe('inAnyCidr', () => {
  it.each([
    ['10.1.2.3', ['10.0.0.0/8']], ['10.1.2.3', ['192.168.0.0/16', '10.1.2.3']], ['::ffff:10.1.2.3', ['10.0.0.0/8']],
    ['10.1.2.3', ['::ffff:10.0.0.0/104']], ['2001:db8::5', ['2001:db8::/32']], ['8.8.8.8', ['0.0.0.0/0']],
  ])('finds %s in %j', (ip, cidrs) => {
    expect(inAnyCidr(ip, cidrs)).toBe(true);
  });

  it.each([
    ['11.1.2.3', ['10.0.0.0/8']], ['10.1.2.3', []], ['10.1.2.3', ['::/0']], ['2001:db8::5', ['0.0.0.0/0']],
    ['10.1.2.3', ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/-1', 'all', '']], ['unknown', ['0.0.0.0/0', '::/0']],
  ])('does not find %s in %j', (ip, cidrs) => {
    expect(inAnyCidr(ip, cidrs)).toBe(false);
  });

  it('tells which settings it could use', () => {
    expect(['10.0.0.0/8', '10.1.2.3', '2001:db8::/32', '::1'].every(isNetwork)).toBe(true);
    expect(['10.0.0.0/33', '2001:db8::/129', '10/8', '010.0.0.0/8', 'example.com', '', '::ffff:10.0.0.0/8'].some(isNetwork)).toBe(false);
  });
});

describe('isWithin', () => {
  it.each([
    ['203.0.113.7', ['203.0.113.0/24']], ['203.0.113.0/24', ['203.0.113.0/24']], ['203.0.113.128/25', ['198.51.100.1', '203.0.113.0/24']],
    ['::ffff:203.0.113.7', ['203.0.113.0/24']], ['::ffff:203.0.113.0/120', ['203.0.113.0/24']], ['2001:db8:1::/48', ['2001:db8::/32']],
  ])('finds %s in %j', (network, networks) => {
    expect(isWithin(network, networks)).toBe(true);
  });

  it.each([
    ['203.0.112.0/23', ['203.0.113.0/24']], ['0.0.0.0/0', ['203.0.113.0/24']], ['203.0.114.7', ['203.0.113.0/24']], ['203.0.113.7', []],
    ['::/0', ['203.0.113.0/24']], ['2001:db8::/31', ['2001:db8::/32']], ['203.0.113.0/24', ['203.0.113.0/25', '203.0.113.128/25']],
    ['anything', ['0.0.0.0/0']],
  ])('does not find %s in %j', (network, networks) => {
    expect(isWithin(network, networks)).toBe(false);
  });
});
