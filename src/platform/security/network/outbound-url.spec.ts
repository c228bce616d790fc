import { assertUrlAllowed, assertUrlShape, UrlNotAllowedError, type OutboundPolicy } from './outbound-url';

const production: OutboundPolicy = { httpsOnly: true, allowPrivateNetworks: false, lookup: async () => ['93.184.216.34'] };
const development: OutboundPolicy = { httpsOnly: false, allowPrivateNetworks: true, lookup: async () => ['93.184.216.34'] };

function refusalOf(url: string, httpsOnly = true): string {
  try {
    assertUrlShape(url, { httpsOnly });
    return 'none';
  } catch (error) {
    return error instanceof UrlNotAllowedError ? error.reason : `unexpected ${String(error)}`;
  }
}

describe('assertUrlShape', () => {
  it.each([
    'https://example.com', 'https://example.com/a/b?c=d', 'https://example.com:8443/x', 'https://example.com:443/', 'HTTPS://EXAMPLE.com/x',
    'https://8.8.8.8/x', 'https://[2606:4700::1111]:8443/x', 'https://münchen.example/x', 'https://a-b.c_d.example/x?u=https://e@f',
  ])('accepts %s', (url) => {
    expect(assertUrlShape(url, { httpsOnly: true })).toBeInstanceOf(URL);
  });

  it('accepts plain http only where the policy does', () => {
    expect(assertUrlShape('http://example.com/', { httpsOnly: false }).protocol).toBe('http:');
    expect(refusalOf('http://example.com/', true)).toBe('scheme');
  });

  it.each([
    ['scheme', 'ftp://example.com/'], ['scheme', 'file:///etc/passwd'], ['scheme', 'javascript:alert(1)'],
    ['scheme', 'gopher://example.com'],
    ['credentials', 'https://user:pass@example.com/'], ['credentials', 'https://user@example.com/'],
    ['credentials', 'https://@example.com/'],
    ['credentials', 'https://example.com@127.0.0.1/'], ['fragment', 'https://example.com/#x'], ['fragment', 'https://example.com/#'],
    ['port', 'https://example.com:0/'], ['port', 'https://example.com:25/'], ['port', 'https://example.com:22/'],
    ['malformed', 'https://example.com:65536/'], ['malformed', 'https://exa mple.com/'], ['malformed', ' https://example.com/'],
    ['malformed', 'https://exam\tple.com/'], ['malformed', 'https://example.com/\n'], ['malformed', 'https:\\\\example.com/'],
    ['malformed', 'https:/example.com/'],
    ['malformed', 'https:example.com'], ['malformed', 'example.com'], ['malformed', ''], ['malformed', 'https://'],
    ['malformed', 'https://[::1/'],
    ['host', 'https://0x7f.1/'], ['host', 'https://2130706433/'], ['host', 'https://017700000001/'], ['host', 'https://0177.0.0.1/'],
    ['host', 'https://127.1/'],
    ['host', 'https://134744072/'], ['host', 'https://127.0.0.1./'], ['host', 'https://１２７.0.0.1/'], ['host', 'https://%31%32%37.0.0.1/'],
    ['host', 'https://ex%61mple.com/'], ['host', 'https://localhost./'], ['host', 'https://a..b/'],
    ['too_long', `https://example.com/${'a'.repeat(2029)}`],
  ])('refuses for its %s: %j', (reason, url) => {
    expect(refusalOf(url)).toBe(reason);
  });

  it('accepts exactly 2048 characters', () => {
    expect(refusalOf(`https://example.com/${'a'.repeat(2028)}`)).toBe('none');
  });
});

describe('assertUrlAllowed', () => {
  it('accepts a name whose addresses are all public', async () => {
    const policy = { ...production, lookup: async () => ['93.184.216.34', '2606:2800:220:1::1'] };
    await expect(assertUrlAllowed('https://example.com/hook', policy)).resolves.toMatchObject({ host: 'example.com' });
  });

  it.each(['127.0.0.1', '10.0.0.1', '169.254.169.254', '100.64.0.1', '::1', '64:ff9b::a00:1', '2002:a00:1::', '::ffff:10.0.0.1'])(
    'refuses a name when one of its addresses is %s',
    async (ip) => {
      const policy = { ...production, lookup: async () => ['93.184.216.34', ip] };
      await expect(assertUrlAllowed('https://example.com/', policy)).rejects.toMatchObject({ reason: 'address' });
    },
  );

  it('refuses a name without addresses and one whose look-up fails', async () => {
    const empty = { ...production, lookup: async () => [] };
    await expect(assertUrlAllowed('https://example.com/', empty)).rejects.toMatchObject({ reason: 'unresolvable' });
    const failing = { ...production, lookup: () => Promise.reject(new Error('SERVFAIL')) };
    await expect(assertUrlAllowed('https://example.com/', failing)).rejects.toMatchObject({ reason: 'unresolvable' });
  });

  it('checks an address in the URL without a look-up', async () => {
    const policy = { ...production, lookup: () => Promise.reject(new Error('must not be asked')) };
    await expect(assertUrlAllowed('https://8.8.8.8/', policy)).resolves.toBeInstanceOf(URL);
    for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254', '0.0.0.0']) {
      await expect(assertUrlAllowed(`https://${host}/`, policy)).rejects.toMatchObject({ reason: 'address' });
    }
  });

  it('lets development reach local networks but never link-local addresses', async () => {
    await expect(assertUrlAllowed('http://127.0.0.1:9999/', development)).resolves.toBeInstanceOf(URL);
    await expect(assertUrlAllowed('http://192.168.1.5:8080/', development)).resolves.toBeInstanceOf(URL);
    await expect(assertUrlAllowed('http://169.254.169.254/', development)).rejects.toMatchObject({ reason: 'address' });
    await expect(assertUrlAllowed('http://[fe80::1]/', development)).rejects.toMatchObject({ reason: 'address' });
  });

  it('does not tell which address it found', async () => {
    const policy = { ...production, lookup: async () => ['10.9.8.7'] };
    await expect(assertUrlAllowed('https://intranet.example/', policy)).rejects.toMatchObject({
      message: 'The host must lead to a public internet address only.',
    });
  });
});
