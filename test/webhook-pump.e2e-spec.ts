import type { ServerResponse } from 'node:http';
import type { ClaimedDelivery } from '../src/webhooks/outbound/deliveries/delivery-records';
import { FailuresAtWill } from '../src/webhooks/outbound/deliveries/failures-at-will';
import { Gateway } from './support/gateway';
import { drip, hang, Receiver, status } from './support/receiver';
import { type Attempt, eventually, hasFailed, isDelivered, Subscriber } from './support/subscriber';

const SECOND = 1_000;

describe('the pump of webhook deliveries', () => {
  let gateway: Gateway;
  let receiver: Receiver;
  let shop: Subscriber;

  beforeAll(async () => {
    receiver = await Receiver.start();
    gateway = await Gateway.start();
  });
  beforeEach(async () => {
    shop = new Subscriber(await gateway.merchant(), receiver, gateway.database);
  });
  afterAll(async () => {
    await receiver.stop();
    await gateway.stop();
  });

  it('lets no endpoint that hangs or drips delay another one, and gives up after 15 seconds', async () => {
    const [hanging, dripping, silent, healthy, elsewhere] = Array.from({ length: 5 }, () => Subscriber.newPath());
    receiver.from(hanging, hang());
    receiver.from(dripping, drip());
    receiver.from(silent, hang());
    const hangs = await shop.subscribe(hanging, ['payment.created']);
    const drips = await shop.subscribe(dripping, ['payment.created']);
    const says = await shop.subscribe(silent, ['payment.created']);
    for (let made = 0; made < 50; made += 10) await Promise.all(Array.from({ length: 10 }, () => shop.order()));
    await receiver.arrived(hanging, 3);
    const startedAt = performance.now();
    const stranger = new Subscriber(await gateway.merchant(), receiver, gateway.database);
    await shop.subscribe(healthy);
    await stranger.subscribe(elsewhere);
    await Promise.all([...Array.from({ length: 5 }, () => shop.order()), stranger.order()]);
    await Promise.all([receiver.arrived(healthy, 5), receiver.arrived(elsewhere, 1)]);
    expect(performance.now() - startedAt).toBeLessThan(5 * SECOND);
    expect([hanging, dripping, silent].map((path) => receiver.at(path).length)).toEqual([3, 3, 3]);
    for (const endpoint of [hangs, drips, says]) {
      const all = await eventually(() => shop.deliveriesTo(endpoint), (found) => found.some(({ last_error: error }) => error !== null));
      expect(all.find(({ last_error: error }) => error !== null)?.last_error).toMatch(/^timeout: .*15 seconds/);
      expect(all.filter(isDelivered)).toEqual([]);
      await shop.merchant.call('DELETE', `/v1/webhook-endpoints/${endpoint.id}`, undefined);
    }
  });

  it('delivers each event once while two instances run', async () => {
    const second = await Gateway.start({ database: gateway.database });
    try {
      const path = Subscriber.newPath();
      const endpoint = await shop.subscribe(path);
      const there = new Subscriber(shop.merchant.with({ url: second.url }), receiver, gateway.database);
      await Promise.all(Array.from({ length: 40 }, (_, at) => (at % 2 ? there : shop).order()));
      await eventually(() => shop.deliveriesTo(endpoint), (all) => all.length === 40 && all.every(isDelivered));
      const ids = receiver.at(path).map(({ headers }) => headers['webhook-id']);
      expect([ids.length, new Set(ids).size]).toEqual([40, 40]);
    } finally {
      await second.stop();
    }
  });

  it('uses up as many failures as were asked for, whoever asks at once', async () => {
    const { id } = await shop.subscribe(Subscriber.newPath());
    await shop.merchant.post(`/v1/test/webhook-endpoints/${id}/fail`, { outcome: 'server_error', attempts: 5 });
    const claimed = { client_id: shop.merchant.credentials.clientId, endpoint_id: id, failures: 0 } as ClaimedDelivery;
    const taken = await Promise.all(Array.from({ length: 20 }, () => gateway.app.get(FailuresAtWill).take(claimed)));
    expect(taken.filter((result) => result?.responseStatus === 500)).toHaveLength(5);
    expect(taken.filter((result) => result === undefined)).toHaveLength(15);
  });

  it('sends again what nobody has finished when its lease ends, and a late answer spoils nothing', async () => {
    const path = Subscriber.newPath();
    let late!: ServerResponse;
    receiver.next(path, (response) => {
      late = response;
    }, status(500));
    const endpoint = await shop.subscribe(path);
    await shop.order();
    await receiver.arrived(path, 1);
    // The first attempt is as good as dead: claimed, stored, and never finished.
    const [claimed] = await gateway.database.rows<{ lease: number; status: string; duration_ms: number | null }>(
      `select extract(epoch from d.next_attempt_at - a.started_at)::float as lease, d.status, a.duration_ms
         from webhook_deliveries d join webhook_attempts a on a.delivery_id = d.id where d.endpoint_id = $1`,
      [endpoint.id],
    );
    expect(claimed).toEqual({ lease: 45, status: 'pending', duration_ms: null });
    await shop.comesDue(endpoint);
    const planned = await shop.delivery(endpoint, hasFailed(2));
    expect(planned.attempts.map(({ attempt, response_status }) => [attempt, response_status])).toEqual([[1, null], [2, 500]]);
    late.writeHead(503).end();
    const finished = ({ attempts: [first] }: { attempts: Attempt[] }): boolean => first.duration_ms !== null;
    const { attempts: _attempts, ...unmoved } = planned;
    expect(await shop.delivery(endpoint, finished)).toMatchObject(unmoved);
    await shop.comesDue(endpoint);
    await shop.delivery(endpoint, isDelivered);
    expect(receiver.at(path)).toHaveLength(3);
  });

  it('cancels an event that was emitted while its endpoint was being disabled', async () => {
    const endpoint = await shop.subscribe(Subscriber.newPath());
    const event = { id: 'evt_1', type: 'payment.created', object_id: 'pay_1', data: {}, created_at: '2026-01-01T00:00:00Z' };
    // One statement has one snapshot: to the event, the endpoint is still enabled.
    await gateway.database.rows(
      `with off as (update webhook_endpoints set status = 'disabled' where id = $1), event as (
         insert into events (client_id, livemode, id, type, object_id, data, created_at)
         select $2, false, e ->> 'id', e ->> 'type', e ->> 'object_id', e -> 'data', now()
           from (values ($3::json)) as v (e) returning id, type
       )
       insert into webhook_deliveries (client_id, livemode, id, endpoint_id, event_id, event_type)
       select $2, false, new_id('del'), $1, event.id, event.type from event`,
      [endpoint.id, shop.merchant.credentials.clientId, JSON.stringify(event)],
    );
    await shop.delivery(endpoint, ({ status: state }) => state === 'canceled');
  });

  it('waits at shutdown for what is under way, and leaves to the lease what takes too long', async () => {
    const own = await Gateway.start();
    const [answering, hanging] = [Subscriber.newPath(), Subscriber.newPath()];
    const owner = new Subscriber(await own.merchant(), receiver, own.database);
    let open!: ServerResponse;
    receiver.from(answering, (response) => {
      open = response;
    });
    receiver.from(hanging, hang());
    const answers = await owner.subscribe(answering);
    const hangs = await owner.subscribe(hanging);
    await owner.order();
    await Promise.all([receiver.arrived(answering, 1), receiver.arrived(hanging, 1)]);
    const startedAt = performance.now();
    const closed = own.app.close();
    open.writeHead(204).end();
    await closed;
    expect(performance.now() - startedAt).toBeLessThan(10 * SECOND);
    const state = (id: string) => own.database.rows(
      'select status, attempts, next_attempt_at > now() as later from webhook_deliveries where endpoint_id = $1', [id],
    );
    expect(await state(answers.id)).toEqual([{ status: 'delivered', attempts: 1, later: null }]);
    expect(await state(hangs.id)).toEqual([{ status: 'pending', attempts: 1, later: true }]);
    await own.database.drop();
  });
});
