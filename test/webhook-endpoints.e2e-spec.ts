import { randomUUID } from 'node:crypto';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { Receiver, status } from './support/receiver';
import { eventually, hasFailed, Subscriber } from './support/subscriber';

const order = { amount: '25.00', currency: 'USD', method: 'simulated' };

describe('webhook endpoints', () => {
  let gateway: Gateway;
  let strict: Gateway;
  let receiver: Receiver;
  let merchant: Merchant;

  beforeAll(async () => {
    receiver = await Receiver.start();
    gateway = await Gateway.start();
  });
  beforeEach(async () => {
    merchant = await gateway.merchant();
  });
  afterAll(async () => {
    await receiver.stop();
    await gateway.stop();
  });

  const create = (body: object = {}, owner = merchant) =>
    owner.post('/v1/webhook-endpoints', { url: receiver.url('/hook'), events: ['*'], ...body });
  const auditOf = (id: unknown) =>
    gateway.database.rows<{ kind: string; before: object | null; after: object | null }>(
      'select kind, before, after from audit_events where object_id = $1 order by id', [id],
    );

  it('are created with a secret that is shown once', async () => {
    const { status: code, body } = await create({ events: ['payment.*', 'refund.succeeded'], description: 'Shop' });
    expect(code).toBe(201);
    const { secret, ...shown } = body;
    expect(secret).toMatch(/^whsec_/);
    expect(shown).toMatchObject({
      object: 'webhook_endpoint', livemode: false, url: receiver.url('/hook'), events: ['payment.*', 'refund.succeeded'],
      description: 'Shop', status: 'enabled', disabled_reason: null, failing_since: null,
    });
    expect((await merchant.get(`/v1/webhook-endpoints/${body.id}`)).body).toEqual(shown);
    expect((await merchant.get('/v1/webhook-endpoints')).body).toEqual({ object: 'list', data: [shown], has_more: false });
  });

  it('answer a repeated creation with the same secret, which no table holds in clear', async () => {
    const idempotencyKey = randomUUID();
    const body = { url: receiver.url('/hook'), events: ['*'] };
    const first = await merchant.post('/v1/webhook-endpoints', body, { idempotencyKey });
    const again = await merchant.post('/v1/webhook-endpoints', body, { idempotencyKey });
    expect([again.status, again.text, again.headers.get('idempotency-replayed')]).toEqual([201, first.text, 'true']);
    const rotationKey = randomUUID();
    const rotated = await merchant.post(`/v1/webhook-endpoints/${first.body.id}/rotate-secret`, {}, { idempotencyKey: rotationKey });
    const repeated = await merchant.post(`/v1/webhook-endpoints/${first.body.id}/rotate-secret`, {}, { idempotencyKey: rotationKey });
    expect(repeated.text).toBe(rotated.text);
    await merchant.post(`/v1/webhook-endpoints/${first.body.id}/test`);
    const tables = await gateway.database.rows<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    for (const secret of [first.body.secret, rotated.body.secret] as string[]) {
      for (const { name } of tables) {
        const rows = await gateway.database.value(`select count(*)::int from ${name} t where strpos(t::text, $1) > 0`, [secret.slice(6)]);
        expect([name, rows]).toEqual([name, 0]);
      }
    }
  });

  it('are changed, disabled and deleted, each with its audit event', async () => {
    const { id } = (await create()).body;
    const path = `/v1/webhook-endpoints/${id as string}`;
    const changed = await merchant.call('PATCH', path, { url: receiver.url('/other'), events: ['refund.*'], description: 'New' });
    expect(changed.body).toMatchObject({ url: receiver.url('/other'), events: ['refund.*'], description: 'New', status: 'enabled' });
    expect((await merchant.call('PATCH', path, { description: null })).body).toMatchObject({ description: null, events: ['refund.*'] });
    const disabled = await merchant.call('PATCH', path, { status: 'disabled' });
    expect(disabled.body).toMatchObject({ status: 'disabled', disabled_reason: 'by_client' });
    expect((await merchant.call('PATCH', path, { status: 'enabled' })).body).toMatchObject({ status: 'enabled', disabled_reason: null });
    await merchant.post(`${path}/rotate-secret`);
    const deleted = await merchant.call('DELETE', path, undefined);
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    expect((await merchant.get(path)).status).toBe(404);
    const later = Math.floor(Date.now() / 1000) + 1;
    expect((await merchant.call('DELETE', path, undefined, { timestamp: later })).status).toBe(404);
    const audit = await auditOf(id);
    expect(audit.map(({ kind }) => kind.replace('webhook_endpoint.', ''))).toEqual([
      'created', 'updated', 'updated', 'disabled', 'updated', 'secret_rotated', 'deleted',
    ]);
    expect(audit[1]).toMatchObject({ before: { events: ['*'] }, after: { events: ['refund.*'] } });
    expect(JSON.stringify(audit)).not.toMatch(/whsec_|v1\.[0-9a-f]{8}\./);
  });

  it('cancel what waits when they are deleted or disabled', async () => {
    for (const leave of [{ method: 'DELETE' }, { method: 'PATCH', body: { status: 'disabled' } }]) {
      const path = Subscriber.newPath();
      receiver.from(path, status(500));
      const shop = new Subscriber(merchant, receiver, gateway.database);
      const endpoint = await shop.subscribe(path);
      await shop.order();
      expect(await shop.delivery(endpoint, hasFailed(1))).toMatchObject({ status: 'pending' });
      await merchant.call(leave.method, `/v1/webhook-endpoints/${endpoint.id}`, leave.body);
      expect(await shop.deliveriesTo(endpoint)).toEqual([expect.objectContaining({ status: 'canceled', next_attempt_at: null })]);
    }
  });

  it.each([
    [{ events: ['nothing.known'] }, 'events.0'], [{ events: ['payment'] }, 'events.0'], [{ events: ['webhook.*'] }, 'events.0'],
    [{ events: [] }, 'events'], [{ events: ['*', '*'] }, 'events'], [{ url: 7 }, 'url'], [{ secret: 'whsec_mine' }, 'secret'],
  ])('refuse %j', async (body, field) => {
    const { status: code, body: problem } = await create(body);
    expect([code, problem.code]).toEqual([422, 'validation_failed']);
    expect(problem.errors).toEqual([expect.objectContaining({ field })]);
  });

  it('fail on demand in test mode only, and only as there is', async () => {
    const { id } = (await create()).body;
    const path = `/v1/test/webhook-endpoints/${id as string}/fail`;
    const bad = [{}, { outcome: 'slow' }, ...[0, 21, '1', 1.5].map((attempts) => ({ outcome: 'timeout', attempts }))];
    for (const body of bad) expect((await merchant.post(path, body)).body.code).toBe('validation_failed');
    const live = await gateway.merchant({ live: true });
    const theirs = (await create({}, live)).body.id as string;
    for (const endpoint of [theirs, id as string]) {
      expect((await live.post(`/v1/test/webhook-endpoints/${endpoint}/fail`, { outcome: 'timeout' })).status).toBe(404);
    }
    const untouched = "select count(*)::int from webhook_endpoints where test_failures_left > 0";
    expect(await gateway.database.value(untouched)).toBe(0);
    const asked = await merchant.post(path, { outcome: 'timeout' });
    expect(asked.body).toEqual({ object: 'test_receiver', endpoint: id, outcome: 'timeout', attempts: 1 });
    expect(await gateway.database.value(untouched)).toBe(1);
    const audited = "select kind from audit_events where object_id = $1 order by id desc limit 1";
    expect(await gateway.database.value(audited, [id])).toBe('webhook_endpoint.failures_asked');
  });

  it('are at most sixteen for a client and mode, however they are asked for', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create()));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(16);
    expect(answers.filter(({ body }) => body.code === 'validation_failed')).toHaveLength(4);
  });

  it('of other clients and of the other mode are not found, nor are their events and deliveries', async () => {
    const { id } = (await create()).body;
    await merchant.post('/v1/payments', order);
    const [{ id: delivery, event_id: event }] = await gateway.database.rows<{ id: string; event_id: string }>(
      'select id, event_id from webhook_deliveries where endpoint_id = $1', [id],
    );
    expect((await merchant.get(`/v1/webhook-deliveries/${delivery}`)).status).toBe(200);
    for (const stranger of [await gateway.merchant(), await gateway.merchant({ live: true })]) {
      const answers = await Promise.all([
        stranger.get(`/v1/webhook-endpoints/${id as string}`),
        stranger.call('PATCH', `/v1/webhook-endpoints/${id as string}`, { status: 'disabled' }),
        stranger.call('DELETE', `/v1/webhook-endpoints/${id as string}`, undefined),
        stranger.post(`/v1/webhook-endpoints/${id as string}/rotate-secret`),
        stranger.post(`/v1/webhook-endpoints/${id as string}/test`),
        stranger.get(`/v1/events/${event}`),
        stranger.post(`/v1/events/${event}/redeliver`),
        stranger.get(`/v1/webhook-deliveries/${delivery}`),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
      for (const list of ['webhook-endpoints', 'events', 'webhook-deliveries']) {
        expect((await stranger.get(`/v1/${list}`)).body.data).toEqual([]);
      }
    }
    expect(await gateway.database.value('select count(*)::int from webhook_deliveries where endpoint_id = $1', [id])).toBe(1);
  });

  describe('where private networks are closed', () => {
    beforeAll(async () => {
      strict = await Gateway.start({ database: gateway.database, environment: { WEBHOOKS_ALLOW_PRIVATE_NETWORKS: 'false' } });
    });
    afterAll(() => strict.stop());

    it.each([
      'http://10.1.2.3/hook', 'http://127.0.0.1:8080/hook', 'http://[::1]/hook', 'http://169.254.169.254/latest/meta-data',
      'http://[::ffff:127.0.0.1]/hook', 'http://localhost/hook', 'http://0x7f.1/hook', 'http://192.168.0.1', 'http://100.64.0.1',
      'ftp://8.8.8.8/', 'http://user:pass@8.8.8.8/', 'nonsense',
    ])('%s is refused, when created and when changed', async (url) => {
      const { id } = (await create()).body;
      const there = merchant.with({ url: strict.url });
      const answers = [await create({ url }, there), await there.call('PATCH', `/v1/webhook-endpoints/${id as string}`, { url })];
      for (const { status: code, body } of answers) {
        expect([code, body.code]).toEqual([422, 'url_not_allowed']);
        expect(body.errors).toEqual([expect.objectContaining({ field: 'url' })]);
      }
      const stored = await gateway.database.rows('select url from webhook_endpoints where client_id = $1', [merchant.credentials.clientId]);
      expect(stored).toEqual([{ url: receiver.url('/hook') }]);
    });

    it('a public address is accepted', async () => {
      expect((await create({ url: 'https://8.8.8.8/hook' }, merchant.with({ url: strict.url }))).status).toBe(201);
    });

    it('a public address without TLS is accepted in development and tests, and refused in staging and production', async () => {
      const url = 'http://8.8.8.8/hook';
      expect((await create({ url }, merchant.with({ url: strict.url }))).status).toBe(201);
      const staging = await Gateway.start({
        database: gateway.database,
        environment: { NODE_ENV: 'staging', PUBLIC_URL: 'https://pay.example.com', WEBHOOKS_ALLOW_PRIVATE_NETWORKS: 'false' },
      });
      try {
        const { status: code, body } = await create({ url }, merchant.with({ url: staging.url }));
        expect([code, body.code]).toEqual([422, 'url_not_allowed']);
      } finally {
        await staging.stop();
      }
    });

    it('a repeated creation is answered from the record, whatever is allowed by now', async () => {
      const idempotencyKey = randomUUID();
      const body = { url: receiver.url('/hook'), events: ['*'] };
      const first = await merchant.post('/v1/webhook-endpoints', body, { idempotencyKey });
      const again = await merchant.with({ url: strict.url }).post('/v1/webhook-endpoints', body, { idempotencyKey });
      expect([again.status, again.text]).toEqual([201, first.text]);
    });
  });

  it('whose address has become private are refused at connect, and nothing is sent', async () => {
    const own = await Gateway.start();
    const path = '/private';
    const owner = await own.merchant();
    await owner.post('/v1/webhook-endpoints', { url: receiver.url(path), events: ['*'] });
    await own.app.close();
    const closed = await Gateway.start({ database: own.database, environment: { WEBHOOKS_ALLOW_PRIVATE_NETWORKS: 'false' } });
    try {
      const there = owner.with({ url: closed.url });
      await there.post('/v1/payments', order);
      const look = () => own.database.value<string | null>('select error from webhook_attempts');
      const error = await eventually(look, (found) => typeof found === 'string');
      expect(error).toMatch(/^refused_address: /);
      expect(receiver.at(path)).toEqual([]);
    } finally {
      await closed.stop();
      await own.database.drop();
    }
  });
});
