import { TestDatabase } from './support/database';

interface Claimed extends Record<string, unknown> {
  id: string;
  endpoint_id: string;
  attempt: number;
  failing: boolean;
}

const LIMITS = { slots: 64, failing_slots: 32, lanes: 3, failing_lanes: 1, lease_seconds: 45 };

describe('claim_deliveries', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.rows(`insert into clients (id, name) values ('cli_a', 'A'), ('cli_b', 'B')`);
  });
  beforeEach(() => database.rows('truncate webhook_attempts, webhook_deliveries, webhook_endpoints, events'));
  afterAll(() => database.drop());

  /** An endpoint with so many deliveries, due for `dueSeconds`, the first one longest. */
  async function endpoint(id: string, count: number, { client = 'cli_a', failing = false, dueSeconds = 60 } = {}): Promise<void> {
    await database.rows(
      `with endpoint as (
         insert into webhook_endpoints (client_id, livemode, id, url, events, secret, failing_since)
         values ($1, false, $2, 'https://example.com', '{*}', 'sealed', case when $3 then now() end)
       ), event as (
         insert into events (client_id, livemode, id, type, object_id, data, created_at)
         select $1, false, 'evt_' || $2 || n, 'payment.created', 'pay_1', '{ "a":1}', now() from generate_series(1, $4::int) n
         returning id
       ), numbered as (select id, row_number() over (order by length(id), id) as n from event)
       insert into webhook_deliveries (client_id, livemode, id, endpoint_id, event_id, event_type, next_attempt_at)
       select $1, false, 'del_' || $2 || '_' || lpad(n::text, 3, '0'), $2, id, 'payment.created',
              now() - make_interval(secs => $5) + n * interval '1 millisecond' from numbered`,
      [client, id, failing, count, dueSeconds],
    );
  }
  const claim = (limits: object = {}, inFlight: object = {}): Promise<Claimed[]> =>
    database.rows<Claimed>('select * from claim_deliveries($1, $2)', [JSON.stringify({ ...LIMITS, ...limits }), JSON.stringify(inFlight)]);
  const endpointsOf = (claimed: Claimed[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { endpoint_id: id } of claimed) counts[id] = (counts[id] ?? 0) + 1;
    return counts;
  };

  it('takes up to the free lanes of each endpoint, the longest due first, and nothing twice', async () => {
    await endpoint('we_1', 50);
    await endpoint('we_2', 2);
    await endpoint('we_3', 5, { failing: true });
    await endpoint('we_4', 5, { client: 'cli_b' });
    const claimed = await claim({}, { we_4: 2 });
    expect(endpointsOf(claimed)).toEqual({ we_1: 3, we_2: 2, we_3: 1, we_4: 1 });
    const ids = claimed.filter(({ endpoint_id: id }) => id === 'we_1').map(({ id }) => id).sort();
    expect(ids).toEqual(['del_we_1_001', 'del_we_1_002', 'del_we_1_003']);
    expect(claimed[0]).toMatchObject({ attempt: 1, event_data: '{ "a":1}', url: 'https://example.com', secret: 'sealed' });
    expect(await claim({}, { we_1: 3, we_3: 1, we_4: 3 })).toEqual([]);
    const attempts = await database.value('select count(*)::int from webhook_attempts where duration_ms is null');
    expect(attempts).toBe(7);
  });

  it('leaves alone what is not due, whoever it belongs to', async () => {
    await endpoint('we_1', 5, { dueSeconds: -60 });
    expect(await claim()).toEqual([]);
  });

  it('gives every endpoint its first lane before any gets a second', async () => {
    await endpoint('we_1', 50, { dueSeconds: 600 });
    for (const id of ['we_2', 'we_3', 'we_4']) await endpoint(id, 3, { dueSeconds: 1 });
    expect(endpointsOf(await claim({ slots: 4 }))).toEqual({ we_1: 1, we_2: 1, we_3: 1, we_4: 1 });
  });

  it('keeps slots for those that answer when many fail', async () => {
    for (let at = 0; at < 6; at += 1) await endpoint(`we_bad${at}`, 3, { failing: true, dueSeconds: 600 });
    await endpoint('we_good', 3, { dueSeconds: 1 });
    const claimed = endpointsOf(await claim({ slots: 6, failing_slots: 3 }));
    expect(claimed.we_good).toBe(3);
    expect(Object.keys(claimed)).toHaveLength(4);
    expect(endpointsOf(await claim({ slots: 3, failing_slots: 0 }))).toEqual({});
  });

  it('passes over what another claim holds, without waiting for it', async () => {
    await endpoint('we_1', 4);
    await endpoint('we_2', 1);
    const other = await database.pool.connect();
    try {
      await other.query('begin');
      await other.query('select from claim_deliveries($1, $2)', [JSON.stringify({ ...LIMITS, slots: 1 }), '{}']);
      expect((await claim()).map(({ id }) => id).sort()).toEqual(['del_we_1_002', 'del_we_1_003', 'del_we_2_001']);
      await other.query('commit');
    } finally {
      other.release();
    }
    expect((await claim()).map(({ id }) => id)).toEqual(['del_we_1_004']);
  });

  it('says at which test endpoints failures were asked for', async () => {
    for (const id of ['we_1', 'we_2']) await endpoint(id, 1);
    await database.rows(`update webhook_endpoints set test_failure = 'timeout', test_failures_left = 2 where id = 'we_2'`);
    const asked = (await claim()).map(({ endpoint_id: id, fails_at_will: fails }) => [id, fails]);
    expect(asked.sort()).toEqual([['we_1', false], ['we_2', true]]);
    const live = `insert into webhook_endpoints (client_id, livemode, id, url, events, secret, test_failure, test_failures_left)
                  values ('cli_a', true, 'we_live', 'https://example.com', '{*}', 'sealed', 'timeout', 1)`;
    await expect(database.rows(live)).rejects.toMatchObject({ constraint: 'webhook_endpoints_fail_at_will_in_test_mode' });
  });

  it('gives parallel claims different deliveries', async () => {
    for (let at = 0; at < 10; at += 1) await endpoint(`we_${at}`, 40);
    // The connections are opened first, so that the claims really meet.
    await Promise.all(Array.from({ length: 4 }, () => database.rows('select pg_sleep(0.05)')));
    const claims = await Promise.all(Array.from({ length: 40 }, () => claim()));
    const attempts = claims.flat().map(({ id, attempt }) => `${id} ${attempt}`);
    expect(new Set(attempts).size).toBe(attempts.length);
    expect(claims.flat().filter(({ attempt }) => attempt > 1)).toEqual([]);
  });
});
