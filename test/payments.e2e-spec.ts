import { randomUUID } from 'node:crypto';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';

const order = { amount: '25.00', currency: 'USD', method: 'simulated' };

describe('payments', () => {
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start();
    merchant = await gateway.merchant({ feeBps: 250 });
  });
  afterAll(() => gateway.stop());

  it('creates a payment, with its audit event and its outbound event', async () => {
    const created = await merchant.post('/v1/payments', { ...order, metadata: { order: '7' } });
    expect(created.body).toMatchObject({ object: 'payment', status: 'pending', amount: '25.00', amount_received: '0.00', metadata: { order: '7' } });
    expect(created.status).toBe(201);
    const id = created.body.id as string;
    expect((await merchant.get(`/v1/payments/${id}`)).body).toEqual(created.body);
    const [event] = await gateway.database.rows('select type, data from events where object_id = $1', [id]);
    expect(event).toEqual({ type: 'payment.created', data: created.body });
    const [audit] = await gateway.database.rows('select kind, actor_type, actor_id, request_id, api_version, ip from audit_events where object_id = $1', [id]);
    expect(audit).toEqual({
      kind: 'payment.created', actor_type: 'api_key', actor_id: merchant.credentials.keyId,
      request_id: created.headers.get('x-request-id'), api_version: 'v1', ip: '127.0.0.1',
    });
  });

  it('books a paid payment to the balance, less the fee', async () => {
    const { body } = await merchant.post('/v1/payments', order);
    const paid = await merchant.post(`/v1/test/payments/${body.id}/pay`, {});
    expect(paid.body).toMatchObject({ status: 'succeeded', exception: null, amount_received: '25.00', fee: '0.63' });
    const accounts = await gateway.database.rows(
      'select kind, debits_posted, credits_posted from ledger_accounts where client_id = $1 order by kind', [merchant.credentials.clientId],
    );
    expect(accounts).toEqual([
      { kind: 'available', debits_posted: '63', credits_posted: '2500' },
      { kind: 'fees', debits_posted: '0', credits_posted: '63' },
      { kind: 'provider', debits_posted: '2500', credits_posted: '0' },
    ]);
  });

  it('makes one payment of 50 parallel creations with one key', async () => {
    const idempotencyKey = randomUUID();
    const answers = await Promise.all(Array.from({ length: 50 }, () => merchant.post('/v1/payments', order, { idempotencyKey })));
    const created = answers.filter(({ status, headers }) => status === 201 && !headers.has('idempotency-replayed'));
    expect(created).toHaveLength(1);
    for (const { status, headers, text } of answers) {
      if (status === 201) expect(text).toBe(created[0].text);
      else expect([status, headers.get('retry-after')]).toEqual([409, '1']);
    }
    const stored = await gateway.database.value('select count(*)::int from payments where id = $1', [created[0].body.id]);
    expect(stored).toBe(1);
  });
});
