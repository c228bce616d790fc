import { Webhook } from 'standardwebhooks';
import { newEndpointSecret, signStandardWebhook } from './standard-webhooks';

const message = { id: 'evt_1', timestampSeconds: Math.floor(Date.now() / 1000), body: '{"type":"payment.succeeded"}' };

describe('signStandardWebhook', () => {
  it('gives the published signature', () => {
    const headers = signStandardWebhook({
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestampSeconds: 1614265330,
      body: '{"test": 2432232314}',
      secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    });
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('is accepted by the public verifier with the current and with the old secret, and with no other', () => {
    const [current, old, other] = [newEndpointSecret(), newEndpointSecret(), newEndpointSecret()];
    const headers = { ...signStandardWebhook({ ...message, secrets: [current, old] }) };
    expect(new Webhook(current).verify(message.body, headers)).toEqual({ type: 'payment.succeeded' });
    expect(new Webhook(old).verify(message.body, headers)).toEqual({ type: 'payment.succeeded' });
    expect(() => new Webhook(other).verify(message.body, headers)).toThrow();
    expect(() => new Webhook(current).verify(`${message.body} `, headers)).toThrow();
  });

  it('signs bytes as they are', () => {
    const secrets = [newEndpointSecret()];
    const body = '{"name":"Zoë €"}';
    const asBytes = signStandardWebhook({ ...message, body: Buffer.from(body), secrets });
    expect(asBytes).toEqual(signStandardWebhook({ ...message, body, secrets }));
  });

  it.each([
    ['an id with a dot', { id: 'evt.1' }], ['an empty id', { id: '' }], ['a broken time', { timestampSeconds: 1.5 }],
    ['no secret', { secrets: [] }],
    ['a secret without prefix', { secrets: [newEndpointSecret().slice(6)] }], ['a short secret', { secrets: ['whsec_c2hvcnQ='] }],
    ['a secret that is not base64', { secrets: [`whsec_${'!'.repeat(44)}`] }],
  ])('refuses %s', (_what, part) => {
    expect(() => signStandardWebhook({ ...message, secrets: [newEndpointSecret()], ...part })).toThrow(TypeError);
  });

  it('does not repeat a secret in its error', () => {
    expect(() => signStandardWebhook({ ...message, secrets: ['whsec_c2hvcnQ='] })).toThrow(/^(?!.*c2hvcnQ)/);
  });
});

describe('newEndpointSecret', () => {
  it('holds 32 bytes and never repeats', () => {
    const secrets = Array.from({ length: 50 }, newEndpointSecret);
    expect(secrets.every((secret) => secret.startsWith('whsec_') && Buffer.from(secret.slice(6), 'base64').length === 32)).toBe(true);
    expect(new Set(secrets).size).toBe(50);
  });
});
