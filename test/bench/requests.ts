import { createHmac, randomUUID } from 'node:crypto';
import { newId } from '../../src/platform/identifiers';
import { type Credentials, signatureOf } from '../support/merchant';

const PORT_FREE_HOST = 'gateway';

/** Raw bytes of one HTTP/1.1 request. */
function raw(method: string, path: string, headers: Record<string, string>, body = ''): Buffer {
  const lines = Object.entries({ host: PORT_FREE_HOST, ...headers, ...(body ? { 'content-length': String(Buffer.byteLength(body)) } : {}) });
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
}

/** Signed creations of payments, spread over the merchants in turn. `payerOf` tells who pays each. */
export function creations(merchants: readonly Credentials[], count: number, payerOf: (at: number) => object = () => ({})): Buffer[] {
  return Array.from({ length: count }, (_, at) => {
    const { apiKey, signingSecret } = merchants[at % merchants.length];
    const body = JSON.stringify({ amount: '25.00', currency: 'USD', method: 'card', metadata: { order: String(at) }, ...payerOf(at) });
    const timestamp = String(Math.floor(Date.now() / 1000));
    const idempotencyKey = randomUUID();
    return raw('POST', '/v1/payments', {
      'x-api-key': apiKey,
      'content-type': 'application/json',
      'idempotency-key': idempotencyKey,
      'x-timestamp': timestamp,
      'x-signature': signatureOf(signingSecret, { timestamp, method: 'POST', path: '/v1/payments', idempotencyKey, body }),
    }, body);
  });
}

/** Genuine provider events that pay the given payments, from as many addresses as the limit for one asks. */
export function confirmations(paymentIds: readonly string[], secret: string): Buffer[] {
  return paymentIds.map((paymentId, at) => {
    const body = JSON.stringify({
      id: newId('evt'),
      type: 'payment.succeeded',
      created_at: new Date().toISOString(),
      data: { payment_id: paymentId, amount: '25.00', currency: 'USD', reference: newId('tr') },
    });
    const timestamp = String(Math.floor(Date.now() / 1000));
    return raw('POST', '/v1/webhooks/generic', {
      'content-type': 'application/json',
      'x-forwarded-for': `198.51.${(at >> 9) & 255}.${(at >> 1) & 255}`,
      'x-webhook-timestamp': timestamp,
      'x-webhook-signature': createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex'),
    }, body);
  });
}

/** Reads of one address. */
export function reads(path: string, headers: Record<string, string>, count: number): Buffer[] {
  const request = raw('GET', path, headers);
  return Array.from({ length: count }, () => request);
}


/** Logins of people who do not exist, each from an address of its own: every one costs a hash. */
export function logins(round: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, at) => {
    const body = JSON.stringify({ email: `nobody-${round}-${at}@bench.example`, password: 'some password of nobody' });
    return raw('POST', '/v1/auth/login', {
      'content-type': 'application/json', 'x-forwarded-for': `203.${round >> 8}.${round & 255}.${at}`,
    }, body);
  });
}
