import { Client } from 'pg';
import type { Assessment } from '../src/fraud/assessments/assessment';
import { MissingAssessments } from '../src/fraud/assessments/missing-assessments';
import { SharedRounds } from '../src/fraud/assessments/shared-rounds';
import { type PaymentContext, type PaymentQuestion, questionColumns } from '../src/fraud/signals/payment-context';
import { NONE, type RunningCounter, smallBy, windowedBy } from '../src/fraud/signals/running-counter';
import { runInContext } from '../src/platform/http/request-context';
import { assessed } from './support/assessed';
import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';

interface Scored extends Record<string, unknown> {
  id: string;
  risk: { score: number; decision: string; reasons: string[] };
}

const question: PaymentQuestion = { clientId: 'cli_1', livemode: false, currency: 'USD', subjects: [], country: false, model: false };

/** What is answered where nothing is known but the rules. */
const nothing: Record<keyof PaymentContext, unknown> = {
  revision: expect.any(Number), client: null, small: 0, customer: null, customer_failures: null, ip: null, ip_failures: null, failed_logins: null,
  email_domain: null, ip_small: 0, ip_customers: 0, paid: null, places: null, profile: null, blocks: null, hits: null, model: null,
};

describe('what payments are counted by', () => {
  const log: string[] = [];
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start({ log, environment: { RATE_LIMITING_ENABLED: 'false' } });
  });
  beforeEach(async () => {
    merchant = await gateway.merchant();
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => gateway.stop());

  const payer = { ip: '203.0.113.9', email: 'ann@shop.example' };
  const pay = async (more: object = {}) => {
    const { status, body } = await merchant.post<Scored>('/v1/payments', { amount: '20.00', currency: 'USD', method: 'simulated', customer: 'ann', payer, ...more });
    expect(status).toBe(201);
    return body;
  };
  const signalsOf = (id: string) => gateway.database.value<Record<string, unknown>>('select signals from risk_assessments where subject_id = $1', [id]);
  const counted = async () => {
    const rows = await gateway.database.rows<{ kind: string; entity: string; row: RunningCounter }>(
      'select kind, entity, running_counter(c, floor(extract(epoch from now()) / 60)::bigint, now()) as row from risk_counters c where client_id = $1 order by kind', [merchant.credentials.clientId],
    );
    return rows.map(({ kind, entity, row }) => ({ kind, entity, counter: windowedBy(row, NONE), small: smallBy(row, NONE) }));
  };
  const shift = (minutes: number) => gateway.database.rows(
    "update risk_counters set upto = upto - $2::int, since = since - make_interval(mins => $2::int) where client_id = $1", [merchant.credentials.clientId, minutes],
  );

  /** The statements of assessments from now on. */
  const watch = () => {
    const statements: string[] = [];
    const real = Client.prototype.query as (...args: unknown[]) => unknown;
    jest.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...args: unknown[]) {
      const { name = '' } = args[0] as { name?: string };
      if (['payment_contexts', 'keep_assessments'].includes(name)) statements.push(name);
      return real.apply(this, args) as never;
    });
    return statements;
  };

  it('is read in round trips that are shared by whoever comes meanwhile', async () => {
    const statements = watch();
    const rounds = gateway.app.get(SharedRounds, { strict: false });
    const asked = Array.from({ length: 70 }, (_, at) => ({ ...question, clientId: `cli_${at}`, customer: `c${at}` }));
    expect(await Promise.all(asked.map((each) => rounds.look(each)))).toEqual(asked.map(() => nothing));
    // Thirty-two at a time.
    expect(statements).toEqual(Array.from({ length: 3 }, () => 'payment_contexts'));
  });

  it('fails for nobody but who asks what cannot be asked', async () => {
    const rounds = gateway.app.get(SharedRounds, { strict: false });
    const asked = ['a', 'no\u0000text', 'b', 'c'].map((customer) => rounds.look({ ...question, customer }));
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  });

  it('is written for each of many at once', async () => {
    const payments = await Promise.all(Array.from({ length: 40 }, (_, at) => pay({ amount: at < 10 ? '2.00' : '20.00', customer: `c${at}` })));
    for (const payment of payments) await assessed(gateway, payment);
    const [client] = await counted();
    expect(client).toEqual({ kind: 'client', entity: merchant.credentials.clientId, counter: [40, 40, 40, 40, expect.any(Number)], small: 10 });
    const seen = await gateway.app.get(SharedRounds, { strict: false }).look({ ...question, clientId: merchant.credentials.clientId, network: payer.ip });
    expect(seen).toMatchObject({ ip: [40, 40, 40, 40, expect.any(Number)], ip_small: 10, ip_customers: 40, customer: null });
  });

  it('is written once, also where it comes again among others', async () => {
    const [first, second, third] = [await pay(), await pay(), await pay()];
    for (const payment of [first, second, third]) await assessed(gateway, payment);
    const rounds = gateway.app.get(SharedRounds, { strict: false });
    const again = ({ id }: Scored): Assessment => ({
      clientId: merchant.credentials.clientId, livemode: false, subject: 'payment', subjectId: id, revision: 1, at: new Date(), signals: {},
      verdict: { score: 0, decision: 'allow', reasons: [], fired: [] }, sightings: [], counted: {},
    });
    await rounds.write([again(first), { ...again(second), subjectId: 'pay_new' }, again(third)]);
    const kept = await gateway.database.rows('select subject_id from risk_assessments where client_id = $1 order by created_at, subject_id', [merchant.credentials.clientId]);
    expect(kept.map(({ subject_id }) => subject_id)).toEqual([first.id, second.id, third.id, 'pay_new']);
    expect((await counted())[0]).toMatchObject({ kind: 'client', counter: [4, 4, 4, 4, expect.any(Number)] });
  });

  it('counts the payment before, however soon the next one comes', async () => {
    const ids = [];
    for (let at = 0; at < 3; at += 1) ids.push((await assessed(gateway, await pay())).id);
    expect(await signalsOf(ids[2]!)).toMatchObject({ client_payments: [3, 3, 3, 3], customer_payments: [3, 3, 3, 3], ip_payments: [3, 3, 3, 3], email_domain_payments: [3, 3, 3, 3] });
    const quick = [];
    for (let at = 0; at < 3; at += 1) quick.push(await pay());
    await gateway.app.get(SharedRounds, { strict: false }).flush();
    expect(await signalsOf(quick[2]!.id)).toMatchObject({ client_payments: [6, 6, 6, 6], customer_payments: [6, 6, 6, 6] });
  });

  it('counts what waits to be written', async () => {
    const rounds = gateway.app.get(SharedRounds, { strict: false });
    const left = (subjectId: string, amountMinor: bigint): Assessment => ({
      clientId: merchant.credentials.clientId, livemode: false, subject: 'payment', subjectId, revision: 1, at: new Date(), signals: {}, amountMinor, currency: 'USD',
      verdict: { score: 0, decision: 'allow', reasons: [], fired: [] }, sightings: [], counted: { domain: 'shop.example' },
    });
    const asked = { ...question, clientId: merchant.credentials.clientId, domain: 'shop.example' };
    rounds.keep(left('pay_1', 200n));
    await rounds.flush();
    const statements = watch();
    // The second waits beside a row that counts the first.
    rounds.keep(left('pay_2', 100n));
    rounds.keep(left('pay_3', 2000n));
    const three = [3, 3, 3, 3, expect.any(Number)];
    const [same, other, live] = await Promise.all([
      rounds.look(asked), rounds.look({ ...asked, domain: 'else.example' }), rounds.look({ ...asked, livemode: true }),
    ]);
    expect([same, other, live]).toEqual([
      { ...nothing, client: three, small: 2, email_domain: three }, { ...nothing, client: three, small: 2 }, nothing,
    ]);
    expect(statements).toEqual(['payment_contexts']);
    await rounds.flush();
    expect(await rounds.look(asked)).toEqual({ ...nothing, client: three, small: 2, email_domain: three });
    expect(statements).toEqual(['payment_contexts', 'keep_assessments', 'payment_contexts']);
    expect(await counted()).toEqual([
      { kind: 'client', entity: merchant.credentials.clientId, counter: three, small: 2 }, { kind: 'email_domain', entity: 'shop.example', counter: three, small: 2 },
    ]);
  });

  it('waits to be written for no more than as many as go together', async () => {
    const rounds = gateway.app.get(SharedRounds, { strict: false });
    const statements = watch();
    for (let at = 0; at < 128; at += 1) {
      rounds.keep({
        clientId: merchant.credentials.clientId, livemode: false, subject: 'payment', subjectId: `pay_${at}`, revision: 1, at: new Date(), signals: {},
        verdict: { score: 0, decision: 'allow', reasons: [], fired: [] }, sightings: [], counted: {},
      });
    }
    expect(await rounds.look({ ...question, clientId: merchant.credentials.clientId })).toMatchObject({ client: [128, 128, 128, 128, expect.any(Number)] });
    expect(statements).toEqual(['keep_assessments', 'payment_contexts']);
  });

  it('counts a payer by the payments themselves, and by what was stopped before it became one', async () => {
    const ipv6 = { ip: '2001:db8:1:2:3::4', email: 'Bob@shop.example' };
    await pay();
    await pay({ customer: 'bob', amount: '5.00' });
    await pay({ customer: undefined, amount: '500', currency: 'JPY', payer: { ip: payer.ip, email: 'BOB@shop.example' } });
    await pay({ customer: 'bob', payer: ipv6 });
    const { clientId } = merchant.credentials;
    await gateway.database.rows("insert into risk_list_entries (id, list, kind, value, source, reason, client_id) values (new_id('rle'), 'block', 'email_domain', 'bad.example', 'staff', 'r', $1)", [clientId]);
    for (const customer of ['ann', 'eve']) {
      const stopped = await merchant.post('/v1/payments', { amount: '1.00', currency: 'USD', method: 'simulated', customer, payer: { ...payer, email: 'x@bad.example' } });
      expect(stopped.status).toBe(403);
    }
    await gateway.database.rows('delete from risk_list_entries');
    const rounds = gateway.app.get(SharedRounds, { strict: false });
    const look = (more: Partial<PaymentQuestion>) => rounds.look({ ...question, clientId, ...more });
    const times = (count: number) => Array<number>(4).fill(count).concat(expect.any(Number) as number);
    // Three small ones, one of them stopped twice; ann, bob, his address alone, eve.
    expect(await look({ network: payer.ip })).toMatchObject({ ip: times(5), ip_small: 4, ip_customers: 4, ip_failures: null });
    expect(await look({ network: '2001:db8:1:2::/64', customer: 'bob' })).toMatchObject({ ip: times(1), ip_small: 0, ip_customers: 1, customer: times(2) });
    expect(await look({ customer: 'ann' })).toMatchObject({ customer: times(2), customer_failures: null, paid: null, ip: null });
    expect(await look({ customer: 'eve' })).toMatchObject({ customer: times(1) });
    expect(await look({ customer: 'ann', livemode: true, network: payer.ip })).toMatchObject({ customer: null, ip: null });
    // Older than each window.
    const steps: [minutes: number, counts: number[], recent: number[]][] = [[11, [0, 1, 1, 1], [0, 0]], [61, [0, 0, 1, 1], [0, 0]], [1441, [0, 0, 0, 1], [0, 0]]];
    for (const [minutes, counts, [small, customers]] of steps) {
      await gateway.database.rows("update payments set created_at = now() - make_interval(mins => $2) where client_id = $1 and payer_network like '2001%'", [clientId, minutes]);
      expect(await look({ network: '2001:db8:1:2::/64' })).toMatchObject({ ip: [...counts, expect.any(Number)], ip_small: small, ip_customers: customers });
    }
  });

  it('tells where a customer was seen before, but not where a payment was held', async () => {
    await pay({ payer: { ip: '203.0.113.1' } });
    await pay({ payer: { ip: '203.0.113.2' } });
    await pay({ payer: { email: 'ann@shop.example' } });
    const { id } = await pay({ payer: { ip: '203.0.113.3' } });
    await gateway.database.rows(`update payments set risk = jsonb_set(risk, '{decision}', '"review"') where id = $1`, [id]);
    const rounds = gateway.app.get(SharedRounds, { strict: false });
    const asked = { ...question, clientId: merchant.credentials.clientId, customer: 'ann' };
    expect((await rounds.look({ ...asked, country: true })).places).toEqual(['203.0.113.2', '203.0.113.1']);
    expect((await rounds.look(asked)).places).toBeNull();
    expect((await rounds.look({ ...asked, customer: 'eve', country: true })).places).toBeNull();
  });

  it('is found by the payer, and not among all payments of the client', async () => {
    const { clientId } = merchant.credentials;
    await gateway.database.rows(
      `insert into payments (client_id, livemode, id, status, amount_minor, currency, pay_amount_minor, pay_currency, amount_received_minor, amount_refunded_minor,
                             fee_minor, fee_bps, method, customer, payer, payer_network, metadata, expires_at, created_at, updated_at, revision)
       select $1, false, new_id('pay'), 'expired', 100, 'USD', 100, 'USD', 0, 0, 0, 0, 'card', 'c' || n, '{}', '10.0.' || n / 256 || '.' || n % 256, '{}', now(), now(), now(), 1
         from generate_series(1, 2000) n`, [clientId],
    );
    const connection = await gateway.database.pool.connect();
    try {
      await connection.query('begin');
      const read = async () => Number((await connection.query<{ read: string }>(
        "select seq_tup_read + idx_tup_fetch as read from pg_stat_xact_user_tables where relname = 'payments'")).rows[0]!.read);
      const before = await read();
      const columns = questionColumns([{ ...question, clientId, customer: 'c7', network: '10.0.0.7', ip: '10.0.0.7', country: true, model: true }]);
      const { rows } = await connection.query(`select * from payment_contexts(${columns.map((_, at) => `$${at + 1}`).join(', ')})`, columns);
      expect(rows).toMatchObject([{ customer: [1, 1, 1, 1, expect.any(Number)], ip: [1, 1, 1, 1, expect.any(Number)], ip_recent: [1, 1] }]);
      // The same row for the customer, the address, what is recent, the places and the model.
      expect(await read() - before).toBe(5);
    } finally {
      await connection.query('rollback');
      connection.release();
    }
  });

  it('counts what is still being written', async () => {
    const client = { ...question, clientId: merchant.credentials.clientId };
    const rounds = gateway.app.get(SharedRounds, { strict: false });
    await assessed(gateway, await pay());
    const holder = await gateway.database.pool.connect();
    try {
      await holder.query('begin');
      await holder.query('select from risk_counters where client_id = $1 for update', [client.clientId]);
      await pay();
      const written = rounds.flush();
      await eventually(() => gateway.database.value<boolean>(`select exists (
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%keep_assessments%')`));
      const seen = rounds.look(client);
      await holder.query('commit');
      expect(await seen).toMatchObject({ client: [2, 2, 2, 2, expect.any(Number)] });
      await written;
    } finally {
      holder.release();
    }
  });

  it('falls out of each window when its time has passed, and says what is usual', async () => {
    for (let at = 0; at < 4; at += 1) await assessed(gateway, await pay({ amount: '2.00' }));
    const rounds = gateway.app.get(SharedRounds, { strict: false });
    const book = { ...question, clientId: merchant.credentials.clientId };
    const steps: [minutes: number, counter: number[] | null, small: number][] = [
      [11, [0, 4, 4, 4], 4], [50, [0, 0, 4, 4], 0], [1440, [0, 0, 0, 4], 0], [30 * 1440, null, 0],
    ];
    for (const [minutes, expected, small] of steps) {
      await shift(minutes);
      const client = expected && [...expected, expect.any(Number)];
      expect([minutes, await rounds.look(book)]).toEqual([minutes, { ...nothing, client, small }]);
    }
    await shift(-30 * 1440);
    const { id } = await assessed(gateway, await pay());
    // Four before, over a day and an hour: within ten minutes hardly any, a few a day.
    expect((await signalsOf(id)).client_payments).toEqual([1, 1, 1, 5, 0, 0.2, expect.any(Number), 0]);
  });

  it('keeps the total before each minute, hour and day, and no more of them', async () => {
    const marks = await gateway.database.rows(
      `select risk_marks('{5}', 7, 0, 60) as same, risk_marks('{5,0}', 7, 1, 60) as next, risk_marks('{5}', 7, 3, 60) as later,
              risk_marks(array_fill(1::bigint, array[60]), 2, 1, 60) = array[2::bigint] || array_fill(1::bigint, array[59]) as full,
              risk_marks('{5,0}', 7, 60, 60) as gone, risk_marks('{5}', 7, -2, 60) as late, risk_marks('{5,5}', 5, 2, 60) as quiet`,
    );
    expect(marks).toEqual([{ same: ['5'], next: ['7', '5', '0'], later: ['7', '7', '7', '5'], full: true, gone: ['7'], late: ['5'], quiet: ['5'] }]);
    const since = (back: number) => gateway.database.value<string>("select counted_since(10, '{8,5,1}', $1)", [back]);
    // Before the oldest mark there was nothing, or it does not count any more.
    expect([await since(1), await since(2), await since(3), await since(4), await since(0), await since(-1)]).toEqual(['2', '5', '9', '9', '0', '0']);
  });

  it('is written again from the payment when it was lost, once', async () => {
    const missing = gateway.app.get(MissingAssessments, { strict: false });
    await gateway.database.rows('alter table risk_counters add constraint broken check (false) not valid');
    const payment = await pay();
    await gateway.app.get(SharedRounds, { strict: false }).flush();
    await gateway.database.rows('alter table risk_counters drop constraint broken');
    const kept = () => gateway.database.value<number>('select count(*)::int from risk_assessments where subject_id = $1', [payment.id]);
    expect([payment.risk.decision, await kept(), log.some((line) => line.includes('assessments were not written now'))]).toEqual(['allow', 0, true]);
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 120_000);
    for (let times = 0; times < 2; times += 1) await runInContext({ requestId: 'test', startedAt: 0 }, () => missing.run());
    expect(await kept()).toBe(1);
    expect(await counted()).toEqual([expect.objectContaining({ counter: [1, 1, 1, 1, expect.any(Number)] }), expect.objectContaining({ counter: [1, 1, 1, 1, expect.any(Number)] })]);
    expect(log.filter((line) => line.includes('lost in a crash and are written now'))).toHaveLength(1);
  });
});
