import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { Receiver, status, verified } from './support/receiver';
import { type Delivery, type Endpoint, eventually, hasFailed, isDelivered, type Page, Subscriber } from './support/subscriber';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

describe('outbound webhooks', () => {
  let gateway: Gateway;
  let receiver: Receiver;
  let api: Merchant;
  let shop: Subscriber;

  beforeAll(async () => {
    receiver = await Receiver.start();
    gateway = await Gateway.start();
  });
  beforeEach(async () => {
    api = await gateway.merchant();
    shop = new Subscriber(api, receiver, gateway.database);
  });
  afterAll(async () => {
    await receiver.stop();
    await gateway.stop();
  });

  describe('delivery', () => {
    it('brings a payment\'s events, signed so that the public verifier accepts them and nothing else', async () => {
      const path = Subscriber.newPath();
      const { secret, id } = await shop.subscribe(path, ['payment.*']);
      const payment = await shop.order();
      await api.post(`/v1/test/payments/${payment}/pay`, {});
      const requests = await receiver.arrived(path, 2);
      const events = requests.map((request) => verified(request, secret));
      expect(events.map(({ type }) => type).sort()).toEqual(['payment.created', 'payment.succeeded']);
      const request = requests.find(({ body }) => body.includes('payment.succeeded'))!;
      const stored = await api.get<Page<{ id: string; created_at: string }>>(`/v1/events?type=payment.succeeded&object_id=${payment}`);
      expect(stored.body.data).toHaveLength(1);
      expect(request.headers['webhook-id']).toBe(stored.body.data[0].id);
      expect(request.headers['content-type']).toBe('application/json');
      const current = await api.get(`/v1/payments/${payment}`);
      const timestamp = stored.body.data[0].created_at;
      expect(verified(request, secret)).toEqual({ type: 'payment.succeeded', timestamp, data: current.body });
      expect((await api.get(`/v1/events/${stored.body.data[0].id}`)).body).toEqual(stored.body.data[0]);

      const flipped = { ...request, body: request.body.replace('25.00', '25.01') };
      expect(flipped.body).not.toBe(request.body);
      expect(() => verified(flipped, secret)).toThrow();
      const all = await eventually(() => shop.deliveriesTo({ id } as Endpoint), (found) => found.length === 2 && found.every(isDelivered));
      expect(all.every(({ attempt_count: count }) => count === 1)).toBe(true);
    });

    it('brings the stored text byte for byte, the same on every attempt', async () => {
      const path = Subscriber.newPath();
      receiver.next(path, status(500));
      const endpoint = await shop.subscribe(path);
      await shop.order({ metadata: { name: 'Zoë € \u2028 "quoted"' } });
      await shop.delivery(endpoint, hasFailed(1));
      await shop.comesDue(endpoint);
      await shop.delivery(endpoint, isDelivered);
      const [first, second] = receiver.at(path);
      expect(second.body).toBe(first.body);
      expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
      const text = await gateway.database.value<string>('select data::text from events where client_id = $1', [api.credentials.clientId]);
      expect(first.body.endsWith(`,"data":${text}}`)).toBe(true);
      expect(verified(second, endpoint.secret).data).toMatchObject({ metadata: { name: 'Zoë € \u2028 "quoted"' } });
    });

    it('sends to the endpoints that want an event and to no other', async () => {
      const [wanting, other] = [Subscriber.newPath(), Subscriber.newPath()];
      await shop.subscribe(wanting, ['payment.created']);
      const refunds = await shop.subscribe(other, ['refund.*', 'payment.expired']);
      await shop.order();
      await receiver.arrived(wanting, 1);
      expect(await shop.deliveriesTo(refunds)).toEqual([]);
    });
  });

  describe('failures', () => {
    it('reach a receiver that was down for three attempts on the fourth, after the planned waits', async () => {
      const path = Subscriber.newPath();
      receiver.next(path, status(500, {}, 'out\0 of order'), status(503), (response) => response.destroy());
      const endpoint = await shop.subscribe(path);
      await shop.order();
      for (const [failures, delayMs] of [[1, 5 * SECOND], [2, 300 * SECOND], [3, 1800 * SECOND]]) {
        await shop.delivery(endpoint, hasFailed(failures));
        const waitMs = await shop.waitOf(endpoint);
        expect(waitMs).toBeGreaterThan(delayMs - SECOND);
        expect(waitMs).toBeLessThan(delayMs * 1.1 + 5 * SECOND);
        expect((await api.get(`/v1/webhook-endpoints/${endpoint.id}`)).body.failing_since).not.toBeNull();
        await shop.comesDue(endpoint);
      }
      const { attempts } = await shop.delivery(endpoint, isDelivered);
      expect(attempts.map(({ attempt, response_status }) => [attempt, response_status])).toEqual([[1, 500], [2, 503], [3, null], [4, 204]]);
      expect(attempts[0].response_excerpt).toBe('out\uFFFD of order');
      expect(attempts[2].error).toMatch(/^connect: /);
      expect((await api.get(`/v1/webhook-endpoints/${endpoint.id}`)).body).toMatchObject({ status: 'enabled', failing_since: null });
    });

    it('end after the tenth attempt that was made; what a killed process never sent does not count', async () => {
      const path = Subscriber.newPath();
      receiver.from(path, status(500));
      const endpoint = await shop.subscribe(path);
      await shop.order();
      await shop.delivery(endpoint, hasFailed(1));
      // Attempts 2 to 9 were made, 10 was claimed by a process that died before it sent anything.
      await gateway.database.rows(
        `insert into webhook_attempts (client_id, livemode, delivery_id, attempt, duration_ms)
         select client_id, livemode, id, n, case when n < 10 then 5 end from webhook_deliveries, generate_series(2, 10) n where endpoint_id = $1`,
        [endpoint.id],
      );
      await gateway.database.rows('update webhook_deliveries set attempts = 10 where endpoint_id = $1', [endpoint.id]);
      await shop.comesDue(endpoint);
      const last = await shop.delivery(endpoint, hasFailed(11));
      expect(last).toMatchObject({ status: 'failed', next_attempt_at: null, last_response_status: 500 });
    });

    it('include redirects, which are not followed', async () => {
      const [path, target] = [Subscriber.newPath(), Subscriber.newPath()];
      receiver.next(path, status(302, { location: receiver.url(target) }));
      const endpoint = await shop.subscribe(path);
      await shop.order();
      const { attempts } = await shop.delivery(endpoint, hasFailed(1));
      expect(attempts).toEqual([expect.objectContaining({ response_status: 302, error: expect.stringMatching(/^redirect: /) })]);
      expect(receiver.at(target)).toEqual([]);
    });

    it('are tried again when the receiver asks, never earlier', async () => {
      const path = Subscriber.newPath();
      receiver.next(path, status(429, { 'retry-after': '3600' }));
      const endpoint = await shop.subscribe(path);
      await shop.order();
      await shop.delivery(endpoint, hasFailed(1));
      const waitMs = await shop.waitOf(endpoint);
      expect(waitMs).toBeGreaterThanOrEqual(HOUR - SECOND);
      expect(waitMs).toBeLessThan(1.1 * HOUR + 5 * SECOND);
    });

    it('with 410 disable the endpoint, cancel what waits and tell the others', async () => {
      const [goodPath, gonePath] = [Subscriber.newPath(), Subscriber.newPath()];
      const other = await shop.subscribe(goodPath, ['endpoint.disabled']);
      receiver.next(gonePath, status(500), status(410));
      const gone = await shop.subscribe(gonePath, ['*']);
      await shop.order();
      await shop.delivery(gone, hasFailed(1));
      await shop.order();
      const [request] = await receiver.arrived(goodPath, 1);
      const told = verified(request, other.secret);
      expect(told).toMatchObject({ type: 'endpoint.disabled', data: { id: gone.id, status: 'disabled', disabled_reason: 'gone' } });
      expect((await api.get(`/v1/webhook-endpoints/${gone.id}`)).body).toEqual(told.data);
      expect((await shop.deliveriesTo(gone)).map(({ status: state }) => state)).toEqual(['canceled', 'canceled']);
      const audit = await gateway.database.rows(
        'select actor_type, actor_id, before from audit_events where object_id = $1 and kind = $2', [gone.id, 'webhook_endpoint.disabled'],
      );
      const before = expect.objectContaining({ status: 'enabled' });
      expect(audit).toEqual([{ actor_type: 'system', actor_id: 'webhooks.deliver', before }]);
      await shop.order();
      expect(await shop.deliveriesTo(gone)).toHaveLength(2);
    });

    it.each([
      ['5 days', 'disabled', 'failing'], ['4 days 23 hours', 'enabled', null],
    ])('for %s leave an endpoint %s', async (age, state, reason) => {
      const path = Subscriber.newPath();
      receiver.from(path, status(500));
      const endpoint = await shop.subscribe(path);
      await gateway.database.rows('update webhook_endpoints set failing_since = now() - $2::interval where id = $1', [endpoint.id, age]);
      await shop.order();
      await shop.delivery(endpoint, hasFailed(1));
      expect((await api.get(`/v1/webhook-endpoints/${endpoint.id}`)).body).toMatchObject({ status: state, disabled_reason: reason });
    });

    it('are forgotten when the endpoint is enabled again', async () => {
      const path = Subscriber.newPath();
      receiver.next(path, status(410));
      const endpoint = await shop.subscribe(path);
      await shop.order();
      await shop.delivery(endpoint, ({ status: state }) => state === 'canceled');
      const enabled = await api.call('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { status: 'enabled' });
      expect(enabled.body).toMatchObject({ status: 'enabled', failing_since: null, disabled_reason: null });
      await shop.order();
      await receiver.arrived(path, 2);
    });
  });

  describe('failures at will', () => {
    const fail = async (endpoint: Endpoint, outcome: string, attempts?: number) => {
      const { body } = await api.post(`/v1/test/webhook-endpoints/${endpoint.id}/fail`, { outcome, attempts });
      return [body.object, body.outcome, body.attempts];
    };

    it('look like real ones, go through the schedule and end after as many attempts as asked', async () => {
      const kinds = [['server_error', 500, /^status: /], ['timeout', null, /^timeout: .*15 s/], ['redirect', 302, /^redirect: /]] as const;
      const asked = await Promise.all(kinds.map(async ([outcome, code, words]) => {
        const path = Subscriber.newPath();
        const endpoint = await shop.subscribe(path);
        expect(await fail(endpoint, outcome, 2)).toEqual(['test_receiver', outcome, 2]);
        return { path, endpoint, code, words };
      }));
      await shop.order();
      await Promise.all(asked.map(async ({ path, endpoint, code, words }) => {
        for (const [failures, delayMs] of [[1, 5 * SECOND], [2, 300 * SECOND]]) {
          await shop.delivery(endpoint, hasFailed(failures));
          const waitMs = await shop.waitOf(endpoint);
          expect([waitMs > delayMs - SECOND, waitMs < delayMs * 1.1 + 5 * SECOND]).toEqual([true, true]);
          expect((await api.get(`/v1/webhook-endpoints/${endpoint.id}`)).body.failing_since).not.toBeNull();
          await shop.comesDue(endpoint);
        }
        const { attempts: [first, second, last] } = await shop.delivery(endpoint, isDelivered);
        expect([first, second].map(({ response_status: answered }) => answered)).toEqual([code, code]);
        for (const part of [words, /was asked for/]) expect(second.error).toMatch(part);
        expect(last.response_status).toBe(204);
        expect(receiver.at(path)).toHaveLength(1);
      }));
    });

    it('disable the endpoint when it is gone, and are over when it recovers', async () => {
      const path = Subscriber.newPath();
      const endpoint = await shop.subscribe(path);
      await fail(endpoint, 'gone', 20);
      await shop.order();
      await shop.delivery(endpoint, ({ status: state }) => state === 'canceled');
      const { body } = await api.get(`/v1/webhook-endpoints/${endpoint.id}`);
      expect([body.status, body.disabled_reason]).toEqual(['disabled', 'gone']);
      expect(await fail(endpoint, 'recover')).toEqual(['test_receiver', null, 0]);
      await api.call('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { status: 'enabled' });
      await shop.order();
      await receiver.arrived(path, 1);
    });
  });

  describe('by hand', () => {
    it('an event is delivered once more, to one endpoint or to all that want it', async () => {
      const [first, second] = [Subscriber.newPath(), Subscriber.newPath()];
      const one = await shop.subscribe(first, ['payment.created']);
      const other = await shop.subscribe(second, ['refund.*']);
      await shop.order();
      const [{ headers }] = await receiver.arrived(first, 1);
      const again = await api.post<Page<Delivery>>(`/v1/events/${headers['webhook-id']}/redeliver`);
      expect(again.status).toBe(200);
      expect(again.body.data).toEqual([expect.objectContaining({ endpoint: one.id, event: headers['webhook-id'], status: 'pending' })]);
      const there = await api.post<Page<Delivery>>(`/v1/events/${headers['webhook-id']}/redeliver`, { endpoint: other.id });
      expect(there.body.data).toEqual([expect.objectContaining({ endpoint: other.id })]);
      const [, repeated] = await receiver.arrived(first, 2);
      const [request] = await receiver.arrived(second, 1);
      expect([repeated.headers['webhook-id'], request.headers['webhook-id']]).toEqual([headers['webhook-id'], headers['webhook-id']]);
      verified(request, other.secret);
      const list = await api.get<Page<Delivery>>(`/v1/webhook-deliveries?event=${headers['webhook-id']}&endpoint=${one.id}`);
      expect(list.body.data).toHaveLength(2);
    });

    it('a test event goes to one endpoint alone', async () => {
      const [first, second] = [Subscriber.newPath(), Subscriber.newPath()];
      const tested = await shop.subscribe(first, ['refund.*']);
      const other = await shop.subscribe(second, ['*']);
      const { body } = await api.post(`/v1/webhook-endpoints/${tested.id}/test`);
      expect(body).toMatchObject({ object: 'event', type: 'webhook.test' });
      const [request] = await receiver.arrived(first, 1);
      expect(verified(request, tested.secret)).toMatchObject({ type: 'webhook.test', data: { id: tested.id, object: 'webhook_endpoint' } });
      expect(request.body).not.toContain('secret');
      expect(await shop.deliveriesTo(other)).toEqual([]);
    });

    it('a disabled endpoint gets neither', async () => {
      const endpoint = await shop.subscribe(Subscriber.newPath());
      await shop.order();
      const { event } = await shop.delivery(endpoint, isDelivered);
      await api.call('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { status: 'disabled' });
      const test = await api.post(`/v1/webhook-endpoints/${endpoint.id}/test`);
      const again = await api.post(`/v1/events/${event}/redeliver`, { endpoint: endpoint.id });
      expect([test.body.code, again.body.code]).toEqual(['state_conflict', 'state_conflict']);
      expect((await api.post<Page<Delivery>>(`/v1/events/${event}/redeliver`)).body.data).toEqual([]);
    });
  });

  it('both secrets verify during the overlap of a rotation, the old one not afterwards', async () => {
    const path = Subscriber.newPath();
    const { id, secret: old } = await shop.subscribe(path);
    const rotated = await api.post<Endpoint>(`/v1/webhook-endpoints/${id}/rotate-secret`);
    const { secret } = rotated.body;
    expect(secret).not.toBe(old);
    expect(Date.parse(rotated.body.rotation_ends_at as string) - Date.now()).toBeGreaterThan(23 * HOUR);
    await shop.order();
    const [during] = await receiver.arrived(path, 1);
    expect([verified(during, secret).type, verified(during, old).type]).toEqual(['payment.created', 'payment.created']);
    await gateway.database.rows('update webhook_endpoints set previous_secret_expires_at = now() where id = $1', [id]);
    await shop.order();
    const [, afterwards] = await receiver.arrived(path, 2);
    verified(afterwards, secret);
    expect(() => verified(afterwards, old)).toThrow();
    const { body } = await api.post<Endpoint>(`/v1/webhook-endpoints/${id}/rotate-secret`, { overlap_seconds: 0 });
    await shop.order();
    const [, , atOnce] = await receiver.arrived(path, 3);
    verified(atOnce, body.secret);
    expect(() => verified(atOnce, secret)).toThrow();
  });
});
