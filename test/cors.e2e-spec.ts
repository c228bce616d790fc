import { Gateway } from './support/gateway';

const shop = 'https://shop.example';
const preflight = (url: string, origin: string) => fetch(`${url}/v1/payments`, {
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-api-key,x-signature' },
});

describe('browsers', () => {
  it('of a named origin may call and read the headers; those of others may not', async () => {
    const gateway = await Gateway.start({ environment: { FRONTEND_ORIGIN: shop } });
    try {
      const allowed = await preflight(gateway.url, shop);
      expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, shop]);
      for (const name of ['X-Signature', 'Authorization', 'X-TOTP-Code', 'X-Livemode', 'X-Admin-Signature']) {
        expect(allowed.headers.get('access-control-allow-headers')).toContain(name);
      }
      const answer = await fetch(`${gateway.url}/v1/payments`, { headers: { origin: shop } });
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([401, shop]);
      for (const name of ['X-Request-Id', 'Deprecation', 'Sunset', 'Warning', 'WWW-Authenticate']) {
        expect(answer.headers.get('access-control-expose-headers')).toContain(name);
      }
      const refused = await preflight(gateway.url, 'https://evil.example');
      expect(refused.headers.get('access-control-allow-origin')).not.toBe('https://evil.example');
    } finally {
      await gateway.stop();
    }
  });

  it('may not call at all where no origin is named', async () => {
    const gateway = await Gateway.start();
    try {
      expect((await preflight(gateway.url, shop)).headers.has('access-control-allow-origin')).toBe(false);
    } finally {
      await gateway.stop();
    }
  });
});
