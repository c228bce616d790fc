import { createHostResolver, resolveByDns } from './host-resolver';

const refused = (): Promise<never> => Promise.reject(new Error('ENODATA'));

describe('resolveByDns', () => {
  it('gives the addresses of both families, IPv4 first', async () => {
    const resolve = resolveByDns({ resolve4: (async () => ['192.0.2.1']) as never, resolve6: (async () => ['2001:db8::1']) as never });
    await expect(resolve('example.com')).resolves.toEqual(['192.0.2.1', '2001:db8::1']);
  });

  it('does without the family that has no answer', async () => {
    const resolve = resolveByDns({ resolve4: refused as never, resolve6: (async () => ['2001:db8::1']) as never });
    await expect(resolve('example.com')).resolves.toEqual(['2001:db8::1']);
    await expect(resolveByDns({ resolve4: refused as never, resolve6: refused as never })('example.com')).resolves.toEqual([]);
  });
});

describe('createHostResolver', () => {
  it('reads the hosts file where it is told to', async () => {
    const addresses = await createHostResolver({ useHostsFile: true })('localhost');
    expect(addresses.some((address) => address === '127.0.0.1' || address === '::1')).toBe(true);
  });
});
