import { randomUUID } from 'node:crypto';
import { findCardNumbers } from '../src/platform/security/crypto/card-numbers';
import { placesThat } from './support/canary';
import { Gateway } from './support/gateway';
import type { Answer, Merchant } from './support/merchant';
import { expectProblem } from './support/problems';
import { deliver, genericWebhook, signedByStripe, stripeWebhook } from './support/providers';
import { eventually } from './support/eventually';

/** Numbers that occur nowhere by chance, one for each way in. */
const PANS = ['4242424242424242', '5555555555554444', '378282246310005', '6011111111111117', '4000000000000002'];
const [PAN] = PANS;

let gateway: Gateway;
let merchant: Merchant;
const log: string[] = [];

beforeAll(async () => {
  gateway = await Gateway.start({ log });
  merchant = await gateway.merchant();
});
afterAll(() => gateway.stop());

const order = { amount: '25.00', currency: 'USD', method: 'simulated' };

/** Every place in every table of the database whose text holds one of the numbers, in any spelling that the search knows. */
function placesWith(numbers: readonly string[]): Promise<string[]> {
  return placesThat(gateway.database, (text) => holds(text, numbers));
}

function holds(text: string, numbers: readonly string[]): boolean {
  const compact = text.replace(/[^0-9A-Za-z]/g, '');
  return numbers.some((number) => compact.includes(number)) || findCardNumbers(text).some(({ digits }) => numbers.includes(digits));
}

describe('a request with a card number', () => {
  it.each<[string, string, () => Promise<Answer>]>([
    ['in a description', 'description', () => merchant.post('/v1/payments', { ...order, description: `card ${PAN}` })],
    ['in metadata', 'metadata.card', () => merchant.post('/v1/payments', { ...order, metadata: { card: '4242-4242-4242-4242' } })],
    ['as a name', 'metadata.************4242', () => merchant.post('/v1/payments', { ...order, metadata: { [PAN]: 'x' } })],
    ['as a number', 'customer', () => merchant.post('/v1/payments', { ...order, customer: Number(PAN) })],
    ['in the payer', 'payer.user_agent', () => merchant.post('/v1/payments', { ...order, payer: { user_agent: PAN } })],
    ['in the name of a key', 'name', () => merchant.post('/v1/api-keys', { name: `${PAN}` })],
    ['in an address', 'url', () => merchant.post('/v1/webhook-endpoints', { url: `https://shop.example/${PAN}`, events: ['*'] })],
    ['in the query', 'customer', () => merchant.get(`/v1/payments?customer=${PAN}`)],
    ['in the path', 'id', () => merchant.get(`/v1/payments/${PAN}`)],
    ['as idempotency key', 'Idempotency-Key', () => merchant.post('/v1/payments', order, { idempotencyKey: PAN })],
  ])('%s is refused, naming the field', async (_where, field, send) => {
    const answer = await send();
    expectProblem(answer, 422, 'card_number_present');
    expect(answer.body['errors']).toEqual([{ field, code: 'card_number_present', message: expect.any(String) as string }]);
    expect(holds(answer.text, PANS)).toBe(false);
  });

  it('is a grave event that does not tell the number, and lays no claim to its key', async () => {
    const { clientId, keyId } = merchant.credentials;
    const [event] = await gateway.database.rows(`select severity, client_id, source from security_events where kind = 'pci.card_number'`);
    expect(event).toEqual({ severity: 'high', client_id: clientId, source: keyId });
    const idempotencyKey = randomUUID();
    expect((await merchant.post('/v1/payments', { ...order, description: PAN }, { idempotencyKey })).status).toBe(422);
    expect((await merchant.post('/v1/payments', { ...order, description: 'clean' }, { idempotencyKey })).status).toBe(201);
  });

  it('is told to nobody who may not call', async () => {
    const stranger = merchant.with({ credentials: { signingSecret: 'wrong' } });
    expectProblem(await stranger.post('/v1/payments', { ...order, description: PAN }), 401, 'signature_invalid');
  });

  it('is let in where the digits are an amount', async () => {
    expect((await merchant.post('/v1/payments', { ...order, amount: '378282246310005' })).status).toBe(201);
  });
});

describe('card numbers sent through every input', () => {
  it('are in no table and in no line of the log', async () => {
    const clean = (await merchant.post<{ id: string }>('/v1/payments', { ...order, method: 'card' })).body.id;
    for (const pan of PANS.filter((number) => number !== '378282246310005')) {
      const headers = { 'user-agent': `shop ${pan}`, 'x-request-id': pan, referer: `https://shop.example/?card=${pan}` };
      const spaced = pan.replace(/(.{4})(?!$)/g, '$1 ');
      const planted = { ...order, description: spaced, metadata: { note: pan, [pan]: pan }, customer: pan };
      await merchant.post('/v1/payments', planted, { headers });
      await merchant.post('/v1/payments', order, { headers, idempotencyKey: pan });
      await merchant.post('/v1/payments', order, { headers });
      await merchant.post('/v1/api-keys', { name: pan, scopes: ['payments:read'] }, { headers });
      await merchant.post('/v1/api-keys', { name: 'audited', scopes: ['payments:read'] }, { headers });
      const endpoint = { url: `https://shop.example/${pan}?c=${pan}`, events: ['*'], description: pan };
      await merchant.post('/v1/webhook-endpoints', endpoint, { headers });
      await merchant.call('PATCH', '/v1/client/settings', { [pan]: { a: pan } }, { headers });
      await merchant.get(`/v1/payments?customer=${pan}&${pan}=1`, { headers });
      await merchant.get(`/v1/${pan}/${pan}`, { headers });
      await fetch(`${gateway.url}/v1/payments`, { headers: { ...headers, 'x-api-key': pan } });
      for (const webhook of webhooksWith(pan, clean)) await deliver(gateway.url, webhook, headers);
    }
    const open = `select count(*)::int from inbox_events where status = 'received'`;
    await eventually(async () => (await gateway.database.value<number>(open)) === 0);
    expect(await placesWith(PANS.filter((number) => number !== '378282246310005'))).toEqual([]);
    const lines = log.filter((line) => holds(line, PANS));
    expect(lines).toEqual([]);
    expect(log.some((line) => line.includes('answered'))).toBe(true);
  });

  it('do not keep a provider\'s money away, and are an event', async () => {
    const { body: { id } } = await merchant.post<{ id: string }>('/v1/payments', { ...order, method: 'card' });
    const { body } = stripeWebhook({ intent: `pi_${randomUUID()}`, paymentId: id, amount: 2500 });
    const event = JSON.parse(body) as { data: { object: Record<string, unknown> } };
    event.data.object['description'] = `paid with ${PAN}`;
    expect((await deliver(gateway.url, signedByStripe(JSON.stringify(event)))).status).toBe(200);
    await eventually(async () => (await merchant.get(`/v1/payments/${id}`)).body['status'] === 'succeeded');
    const kept = await gateway.database.rows(`select severity, action from security_events where source = 'webhook:stripe'`);
    expect(kept).toContainEqual({ severity: 'high', action: 'masked before it was stored' });
    expect(await placesWith([PAN])).toEqual([]);
  });

  it('would be found by this search if they were stored', async () => {
    await gateway.database.rows(`insert into job_workers (worker_id, instance) values ($1, 1)`, ['card 4242 4242 4242 4242']);
    expect(await placesWith([PAN])).toEqual(['public.job_workers.worker_id']);
    await gateway.database.rows(`delete from job_workers where worker_id like 'card %'`);
  });
});

/** Providers' events with a number wherever a sender could put one, but for the ids and amounts that an event is known by. */
function webhooksWith(pan: string, paymentId: string) {
  const intent = JSON.parse(stripeWebhook({ intent: `pi_${randomUUID()}`, paymentId, amount: 2500, type: 'payment_failed' }).body) as {
    type: string; data: { object: Record<string, unknown> };
  };
  Object.assign(intent.data.object, {
    description: `card ${pan}`, [pan]: Number(pan), metadata: { payment_id: pan, card: pan },
    last_payment_error: { code: pan, decline_code: pan },
  });
  const odd = { ...intent, id: `evt_${randomUUID()}`, type: pan };
  return [
    signedByStripe(JSON.stringify(intent)), signedByStripe(JSON.stringify(odd)),
    genericWebhook({ paymentId: pan, amount: '1.00', reference: randomUUID() }),
    { source: pan, body: pan, headers: {} }, { source: 'generic', body: `{"id":"${pan}"}`, headers: {} },
  ];
}
