import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import type { Merchant } from './support/merchant';
import { expectProblem } from './support/problems';
import { Receiver, status } from './support/receiver';
import { type Endpoint, eventually, hasFailed, isDelivered, Subscriber } from './support/subscriber';

const DAY = 86_400;
const order = { amount: '25.00', currency: 'USD', method: 'simulated' };

interface Payment extends Record<string, unknown> {
  id: string;
  status: string;
  expires_at: string;
}

interface Clock extends Record<string, unknown> {
  moved: Record<string, number>;
}

describe('the test clock', () => {
  let gateway: Gateway;
  let receiver: Receiver;
  let merchant: Merchant;
  let shop: Subscriber;

  beforeAll(async () => {
    receiver = await Receiver.start();
    gateway = await Gateway.start();
  });
  beforeEach(async () => {
    const client = await gateway.merchant({ live: true });
    merchant = await anotherKey(gateway, client, { livemode: false });
    shop = new Subscriber(merchant, receiver, gateway.database);
  });
  afterAll(async () => {
    await receiver.stop();
    await gateway.stop();
  });

  const advance = async (seconds: number, by = merchant) => {
    const answer = await by.post<Clock>('/v1/test/clock', { advance_seconds: seconds });
    expect(answer).toMatchObject({ status: 200, body: { object: 'test_clock', advanced_seconds: seconds } });
    return answer.body.moved;
  };
  const create = async (body: object = {}, by = merchant) => (await by.post<Payment>('/v1/payments', { ...order, ...body })).body;
  const read = async ({ id }: { id: string }, by = merchant) => (await by.get<Payment>(`/v1/payments/${id}`)).body;
  const secondsBetween = (before: unknown, after: unknown) => (Date.parse(after as string) - Date.parse(before as string)) / 1000;

  it('expires payments before it answers, and brings the others nearer to it', async () => {
    const short = await create({ expires_in: 60 });
    const long = await create({ expires_in: 3600 });
    expect(await advance(120)).toMatchObject({ payments: 2 });
    expect((await read(short)).status).toBe('expired');
    const after = await read(long);
    expect([after.status, secondsBetween(long.expires_at, after.expires_at)]).toEqual(['pending', -120]);
    expect(await advance(120)).toMatchObject({ payments: 1 });
    const told = await gateway.database.rows(
      "select object_id from events where type = 'payment.expired' and client_id = $1", [merchant.credentials.clientId],
    );
    expect(told).toEqual([{ object_id: short.id }]);
    const late = await merchant.post(`/v1/test/payments/${short.id}/pay`, {});
    expect(late.body).toMatchObject({ status: 'expired', exception: 'paid_late' });
    expect((await merchant.post(`/v1/test/payments/${long.id}/pay`, {})).body).toMatchObject({ status: 'succeeded', exception: null });
  });

  it('makes a silent provider speak: the money had come in time, and the payment succeeds', async () => {
    const payment = await create({ expires_in: 60 });
    const silent = await merchant.post(`/v1/test/payments/${payment.id}/pay`, { outcome: 'timeout' });
    expect(silent.body).toMatchObject({ status: 'pending', exception: 'unknown', amount_received: '0.00' });
    await advance(30);
    expect((await read(payment)).exception).toBe('unknown');
    await advance(3600);
    expect(await read(payment)).toMatchObject({ status: 'succeeded', exception: null, amount_received: '25.00' });
    expect(await gateway.database.value('select count(*)::int from payment_receipts where payment_id = $1', [payment.id])).toBe(1);
  });

  it('lets no payment expire whose silent provider has not been asked', async () => {
    const silent = await create();
    await merchant.post(`/v1/test/payments/${silent.id}/pay`, { outcome: 'timeout' });
    const live = await create({ method: 'card' }, await anotherKey(gateway, merchant, { livemode: true }));
    await gateway.database.rows("update payments set exception = 'unknown' where id = $1", [live.id]);
    await gateway.database.rows(
      `update payments set expires_at = now() - case when livemode then interval '5 seconds' else interval '10 seconds' end,
                           updated_at = now() - interval '20 seconds' where id = any ($1)`, [[silent.id, live.id]],
    );
    const statusOf = (id: string) => gateway.database.value('select status from payments where id = $1', [id]);
    await eventually(() => statusOf(live.id), (status) => status === 'expired');
    expect(await statusOf(silent.id)).toBe('pending');
    await advance(60);
    expect(await read(silent)).toMatchObject({ status: 'succeeded', exception: null });
  });

  it('expires more than one batch of payments before it answers', async () => {
    await create();
    await gateway.database.rows(
      `insert into payments select (jsonb_populate_record(p, jsonb_build_object('id', 'pay_' || md5(n::text)))).*
         from payments p, generate_series(1, 250) n where p.client_id = $1`,
      [merchant.credentials.clientId],
    );
    expect(await advance(DAY)).toMatchObject({ payments: 251 });
    const states = await gateway.database.rows(
      'select status, count(*)::int from payments where client_id = $1 group by 1', [merchant.credentials.clientId],
    );
    expect(states).toEqual([{ status: 'expired', count: 251 }]);
  });

  it('makes a payment late whose money is on its way', async () => {
    const payment = await create();
    await merchant.post(`/v1/test/payments/${payment.id}/pay`, { confirmations: 3 });
    await advance(DAY);
    expect((await read(payment)).status).toBe('processing');
    expect((await merchant.post(`/v1/test/payments/${payment.id}/pay`, {})).body).toMatchObject({ exception: 'paid_late' });
  });

  it('moves no live book, no other client, and nothing of either when it is moved by a year', async () => {
    const live = await anotherKey(gateway, merchant, { livemode: true });
    const stranger = await gateway.merchant();
    const [there, theirs] = [await create({ method: 'card' }, live), await create({}, stranger)];
    await gateway.database.rows(
      `insert into destinations (client_id, livemode, id, type, address, created_by, active_at)
       values ($1, true, 'dst_live', 'tron_address', 'T1', 'test', now() + interval '1 day'),
              ($1, false, 'dst_test', 'tron_address', 'T1', 'test', now() + interval '2 days')`,
      [merchant.credentials.clientId],
    );
    expect(await advance(DAY)).toMatchObject({ payments: 0, destinations: 1 });
    expect(await advance(365 * DAY)).toMatchObject({ payments: 0, destinations: 1 });
    expect(await advance(365 * DAY)).toMatchObject({ payments: 0, destinations: 0 });
    expect([await read(there, live), await read(theirs, stranger)]).toEqual([there, theirs]);
    const waiting = await gateway.database.rows("select id, active_at > now() as waits from destinations order by id");
    expect(waiting).toEqual([{ id: 'dst_live', waits: true }, { id: 'dst_test', waits: false }]);
  });

  it('brings the next attempt of a delivery, and the end of an endpoint that keeps failing', async () => {
    const path = Subscriber.newPath();
    receiver.from(path, status(500));
    const endpoint = await shop.subscribe(path, ['payment.created']);
    await create();
    await shop.delivery(endpoint, hasFailed(1));
    for (const [failures, seconds] of [[2, 10], [3, 400], [4, 2400]]) {
      expect(await advance(seconds)).toMatchObject({ webhook_endpoints: 1, webhook_deliveries: 1 });
      await shop.delivery(endpoint, hasFailed(failures));
    }
    await advance(5 * DAY);
    await eventually(() => merchant.get(`/v1/webhook-endpoints/${endpoint.id}`), ({ body }) => body.status === 'disabled');
    expect((await merchant.get(`/v1/webhook-endpoints/${endpoint.id}`)).body.disabled_reason).toBe('failing');
    expect(receiver.at(path)).toHaveLength(5);
  });

  it('sends nothing twice that is being sent', async () => {
    const path = Subscriber.newPath();
    let answer!: () => void;
    receiver.next(path, (response) => {
      answer = () => status(204)(response);
    });
    const endpoint = await shop.subscribe(path, ['payment.created']);
    await create();
    await receiver.arrived(path, 1);
    expect(await advance(DAY)).toMatchObject({ webhook_deliveries: 0 });
    const other = Subscriber.newPath();
    await shop.subscribe(other, ['payment.created']);
    await create();
    await receiver.arrived(other, 1);
    answer();
    await eventually(() => shop.deliveriesTo(endpoint), (all) => all.length === 2 && all.every(isDelivered));
    expect(receiver.at(path)).toHaveLength(2);
  });

  it('brings the next look at a payout, and nothing that would send it again', async () => {
    await gateway.database.rows(
      `insert into payouts (client_id, livemode, id, subject_id, attempt, port, status, amount_minor, currency, destination, not_before,
                            next_check_at, sends)
       select $1, false, 'po_' || n, 'wd_' || n, 1, 'simulator', 'unknown', 100, 'USD', 'x', now(), now() + n * interval '10 days', 1
         from generate_series(1, 2) n`,
      [merchant.credentials.clientId],
    );
    const payouts = () =>
      gateway.database.rows("select id, updated_at, next_check_at < now() + interval '9 days' as sooner from payouts order by id");
    const before = await payouts();
    expect(await advance(2 * DAY)).toMatchObject({ payouts: 2 });
    expect(await payouts()).toEqual(before.map((row, at) => ({ ...row, sooner: at === 0 })));
  });

  it('ends the overlap of a secret', async () => {
    const endpoint = await shop.subscribe(Subscriber.newPath());
    const rotated = await merchant.post<Endpoint>(`/v1/webhook-endpoints/${endpoint.id}/rotate-secret`);
    await advance(3600);
    const after = await merchant.get(`/v1/webhook-endpoints/${endpoint.id}`);
    expect(secondsBetween(rotated.body.rotation_ends_at, after.body.rotation_ends_at)).toBe(-3600);
  });

  it('moves once for one idempotency key, and is audited', async () => {
    const payment = await create({ expires_in: 3600 });
    const idempotencyKey = 'move-once';
    const first = await merchant.post('/v1/test/clock', { advance_seconds: 60 }, { idempotencyKey });
    const again = await merchant.post('/v1/test/clock', { advance_seconds: 60 }, { idempotencyKey });
    expect([again.text, again.headers.get('idempotency-replayed')]).toEqual([first.text, 'true']);
    expect(secondsBetween(payment.expires_at, (await read(payment)).expires_at)).toBe(-60);
    const audited = await gateway.database.rows(
      "select livemode, actor_id, after from audit_events where kind = 'test_clock.advanced' and object_id = $1",
      [merchant.credentials.clientId],
    );
    const after = expect.objectContaining({ advanced_seconds: 60, moved: expect.objectContaining({ payments: 1 }) });
    expect(audited).toEqual([{ livemode: false, actor_id: merchant.credentials.keyId, after }]);
  });

  it('is not there for live keys, nor where simulation is switched off', async () => {
    const payment = await create();
    const body = { advance_seconds: 60 };
    const live = await anotherKey(gateway, merchant, { livemode: true });
    expectProblem(await live.post('/v1/test/clock', body), 404, 'not_found');
    const without = await Gateway.start({ database: gateway.database, environment: { SIMULATION_ENABLED: 'false' } });
    try {
      expectProblem(await merchant.with({ url: without.url }).post('/v1/test/clock', body), 404, 'not_found');
    } finally {
      await without.stop();
    }
    expect(await read(payment)).toEqual(payment);
  });

  it.each([0, -60, 31_536_001, 1.5, '60', null])('does not move by %j', async (seconds) => {
    expectProblem(await merchant.post('/v1/test/clock', { advance_seconds: seconds }), 422, 'validation_failed');
  });
});
