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

  it('cancels what nobody has paid, once, and takes no body for it', async () => {
    const { body: { id } } = await merchant.post('/v1/payments', { ...order, description: 'two lines,\nand a\ttab' });
    const odd = await merchant.post(`/v1/payments/${id}/cancel`, { reason: 'changed my mind' });
    expect([odd.status, odd.body.errors]).toEqual([422, [expect.objectContaining({ field: 'reason', code: 'unknown_field' })]]);
    expect((await merchant.post(`/v1/payments/${id}/cancel`)).body).toMatchObject({ status: 'canceled', description: 'two lines,\nand a\ttab' });
    const again = await merchant.post(`/v1/payments/${id}/cancel`, {});
    expect([again.status, again.body.code]).toEqual([409, 'state_conflict']);
  });

  it('is paid, and not canceled, or canceled, and not paid, when both come together', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { body: { id } } = await merchant.post('/v1/payments', order);
      const answers = await Promise.all([merchant.post(`/v1/payments/${id}/cancel`), merchant.post(`/v1/test/payments/${id}/pay`)]);
      const { body } = await merchant.get(`/v1/payments/${id}`);
      const kept = await gateway.database.value('select count(*)::int from unmatched_deposits where payment_id = $1', [id]);
      if (answers[0].status === 200) expect([body.status, body.amount_received, kept]).toEqual(['canceled', '0.00', 1]);
      else expect([answers[0].status, body.status, body.amount_received, kept]).toEqual([409, 'succeeded', '25.00', 0]);
    }
  });

  it.each([
    [{ outcome: 'failed' }, { status: 'failed', exception: null }, ['payment.failed']],
    [{ outcome: 'timeout' }, { status: 'pending', exception: 'unknown' }, ['payment.exception']],
    [{ confirmations: 18 }, { status: 'processing', exception: null }, ['payment.processing']],
    [{ outcome: 'reorganised' }, { status: 'pending', exception: null }, ['payment.processing', 'payment.exception']],
    [{ outcome: 'duplicate' }, { status: 'succeeded', exception: null, amount_received: '25.00' }, ['payment.succeeded']],
    [{ amount: '24.99' }, { status: 'pending', exception: 'underpaid', amount_received: '24.99' }, ['payment.exception']],
    [{ amount: '25.01' }, { status: 'succeeded', exception: 'overpaid', amount_received: '25.01' }, ['payment.succeeded']],
  ])('plays a payer and a provider: %j', async (play, after, told) => {
    const { body: { id } } = await merchant.post('/v1/payments', order);
    const played = await merchant.post(`/v1/test/payments/${id}/pay`, play);
    expect([played.status, played.body]).toMatchObject([200, after]);
    const { body } = await merchant.get<{ data: { type: string; status: string }[] }>(`/v1/payments/${id}/timeline`);
    expect(body.data.map(({ type }) => type).toReversed()).toEqual(['payment.created', ...told]);
    // What happened does not stand in the way of being paid in the end.
    if (after.status !== 'succeeded') expect((await merchant.post(`/v1/test/payments/${id}/pay`)).body).toMatchObject({ status: 'succeeded', amount_received: '25.00' });
  });

  it('has no simulation for live keys, nor where it is switched off', async () => {
    const live = await gateway.merchant({ live: true });
    expect((await live.post('/v1/payments', order)).body).toMatchObject({ code: 'validation_failed', errors: [{ field: 'method' }] });
    const { body: { id } } = await live.post('/v1/payments', { ...order, method: 'card' });
    expect((await live.post(`/v1/test/payments/${id}/pay`)).body.code).toBe('not_found');
    const without = await Gateway.start({ database: gateway.database, environment: { SIMULATION_ENABLED: 'false' } });
    const mine = (await merchant.post('/v1/payments', order)).body.id as string;
    expect((await merchant.with({ url: without.url }).post(`/v1/test/payments/${mine}/pay`)).body.code).toBe('not_found');
    await without.stop();
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
