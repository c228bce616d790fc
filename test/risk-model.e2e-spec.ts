import { Client } from 'pg';
import { ModelStore } from '../src/fraud/model/model-store';
import type { ModelObject } from '../src/fraud/model/models.dto';
import type { ModelOpinion } from '../src/fraud/model/opinion';
import { type StoredFacts, factsOf } from '../src/fraud/model/stored-facts';
import { TallyDays } from '../src/fraud/model/tally-days';
import { runInContext } from '../src/platform/http/request-context';
import { newId } from '../src/platform/identifiers';
import { assessed } from './support/assessed';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';
import { trainedModel } from './support/trained-model';

const SETTINGS = '/v1/admin/risk/rules/model';
const DAY_MS = 86_400_000;
/** The model was taught to suspect such amounts, and no rule minds them. */
const LARGE = '251.00';

interface Scored extends Record<string, unknown> {
  id: string;
  risk: { score: number; decision: string; reasons: string[] };
}
interface Settings extends Record<string, unknown> {
  version: number;
  body: Record<string, unknown>;
}

describe('the learned model', () => {
  const log: string[] = [];
  let gateway: Gateway;
  let elsewhere: Gateway;
  let analyst: TestPerson;
  let merchant: Merchant;
  let stored: ModelObject;

  beforeAll(async () => {
    gateway = await Gateway.start({ log, environment: { RATE_LIMITING_ENABLED: 'false' } });
    elsewhere = await Gateway.start({ database: gateway.database, log, environment: { RATE_LIMITING_ENABLED: 'false' } });
    analyst = await staff(gateway, 'analyst');
    const operator = { requestId: 'test', actor: { type: 'operator' as const, id: 'ada' }, startedAt: 0 };
    stored = await runInContext(operator, () => gateway.app.get(ModelStore, { strict: false }).store(trainedModel()));
  });
  beforeEach(async () => {
    merchant = await gateway.merchant();
  });
  afterAll(async () => {
    await elsewhere.stop();
    await gateway.stop();
  });

  const pay = async (at: Merchant, amount = LARGE, more: object = {}) => (
    assessed(gateway, (await at.post<Scored>('/v1/payments', { amount, currency: 'USD', method: 'simulated', ...more })).body));
  const set = async (change: object, who = analyst) => {
    const { body: { data: [newest] } } = await who.get<{ data: Settings[] }>(SETTINGS);
    const body = { mode: 'off', model_version: stored.version, ...change };
    return who.call<Settings>('PATCH', SETTINGS, { version: newest!.version, body, note: 'a test' });
  };
  const put = async (change: object) => expect([(await set(change)).status, change]).toEqual([200, change]);
  const opinion = (id: string) => gateway.database.value<ModelOpinion | null>('select model from risk_assessments where subject_id = $1', [id]);
  const insert = (version: number, body: object, figures: object) => gateway.database.rows(
    "insert into risk_models (version, body, figures, trained_on, created_by) values ($1, $2, $3, 'a test', 'a test')", [version, JSON.stringify(body), JSON.stringify({ ...stored.figures, ...figures })],
  );

  it('is stored with its back-test, shown without its trees, and never altered', async () => {
    const { body: list } = await analyst.get<{ data: ModelObject[] }>('/v1/admin/risk/models');
    expect(list.data).toEqual([stored]);
    const { status, body } = await analyst.get<ModelObject>('/v1/admin/risk/models/1');
    expect([status, body]).toEqual([200, {
      version: 1, object: 'risk_model', trained_on: 'made up', created_by: 'ada', created_at: expect.any(String), features: expect.arrayContaining(['amount', 'large_7d']),
      figures: {
        train: { rows: 1400, frauds: expect.any(Number) }, test: { rows: expect.any(Number), frauds: expect.any(Number) }, auc_roc: expect.any(Number),
        average_precision: expect.any(Number), card_precision_100: expect.any(Number),
        split: { train_start: '2024-10-11', train_days: 7, delay_days: 7, test_days: 5, seed: 1 },
      },
    }]);
    expect(body.figures.auc_roc).toBeGreaterThan(0.95);
    expectProblem(await analyst.get('/v1/admin/risk/models/77'), 404, 'not_found');
    expectProblem(await analyst.get('/v1/admin/risk/models/none'), 422, 'validation_failed');
    await expect(gateway.database.rows("update risk_models set trained_on = 'else'")).rejects.toThrow('append-only');
    const audited = await gateway.database.rows("select actor_id, object_id from audit_events where kind = 'risk.model_stored'");
    expect(audited).toEqual([{ actor_id: 'ada', object_id: 'model_1' }]);
  });

  it('that is off costs nothing: nothing is read for it, asked of it or kept', async () => {
    await put({ mode: 'off' });
    // The first payment of an instance learns what is in force.
    await pay(merchant);
    const asked: unknown[] = [];
    const real = Client.prototype.query as (...args: unknown[]) => unknown;
    jest.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...args: unknown[]) {
      const { name, values } = args[0] as { name?: string; values?: unknown[] };
      if (name === 'payment_contexts') asked.push(values!.at(-1));
      return real.apply(this, args) as never;
    });
    const payment = await pay(merchant);
    jest.restoreAllMocks();
    expect([payment.risk.decision, await opinion(payment.id)]).toEqual(['allow', null]);
    expect(asked).toEqual([false]);
  });

  it('can only be turned on when it is stored, and only decides when it has beaten the rules', async () => {
    const refused = async (change: object, message: string) => {
      const answer = await set(change);
      expectProblem(answer, 422, 'validation_failed');
      expect(answer.body).toMatchObject({ errors: [{ field: 'body.model_version', message: expect.stringContaining(message) }] });
    };
    await refused({ mode: 'advisory', model_version: 4711 }, 'must be the version of a stored model');
    await refused({ mode: 'active', model_version: null }, 'must name a stored model');
    const rules = { auc_roc: 0.9, card_precision_100: 0.1, average_precision: stored.figures.average_precision };
    await insert(50, {}, { rules });
    await refused({ mode: 'active', model_version: 50 }, 'must be of a model that beats the rules');
    await put({ mode: 'advisory', model_version: 50 });
    await insert(51, {}, { rules: { ...rules, average_precision: stored.figures.average_precision - 0.0001 } });
    await put({ mode: 'active', model_version: 51 });
    await put({ mode: 'off', model_version: null });
    expectProblem(await set({ mode: 'on' }), 422, 'validation_failed');
    expectProblem(await set({ mode: 'active', review_from: 0 }), 422, 'validation_failed');
  });

  it('is turned on by admins and analysts with a fresh code, and by nobody else', async () => {
    expectProblem(await set({ mode: 'advisory' }, await staff(gateway, 'approver')), 403, 'forbidden');
    expectProblem(await set({ mode: 'advisory' }, await staff(gateway, 'auditor')), 403, 'forbidden');
    expectProblem(await set({ mode: 'advisory' }, await staff(gateway, 'analyst', { fresh: false })), 403, 'two_factor_required');
    expect((await set({ mode: 'off' }, await staff(gateway, 'admin'))).status).toBe(200);
    expect(await gateway.database.value("select count(*)::int > 0 from audit_events where kind = 'risk.model_changed' and object_id = 'model'")).toBe(true);
  });

  it('as an adviser changes nothing, and is kept with why', async () => {
    await put({ mode: 'advisory' });
    await pay(merchant);
    const payment = await pay(merchant);
    expect(payment.risk).toEqual({ score: 0, decision: 'allow', reasons: [] });
    const said = (await opinion(payment.id))!;
    expect(said).toEqual({ version: 1, mode: 'advisory', probability: expect.any(Number), contributions: expect.any(Array) });
    expect(said.probability).toBeGreaterThan(0.5);
    expect(said.contributions).toHaveLength(5);
    expect(said.contributions).toContainEqual({ feature: 'amount', meaning: 'the amount', value: 251, log_odds: expect.any(Number) });
  });

  it('when it is active holds what it suspects, on every instance, and says why', async () => {
    await put({ mode: 'active' });
    for (const at of [merchant, merchant.with({ url: elsewhere.url })]) {
      // Who learns of it with this payment may judge it without it.
      await pay(at);
      const held = await pay(at);
      expect(held).toMatchObject({ exception: 'under_review', risk: { score: 0.5, decision: 'review' } });
      expect(held.risk.reasons).toEqual([expect.stringMatching(/^the learned model sees a fraud probability of [5-9]\d %: the amount/)]);
      const { body: review } = await analyst.get<{ model: ModelOpinion }>(`/v1/admin/risk/reviews/${held.id}`);
      expect(review.model).toEqual(await opinion(held.id));
      const small = await pay(at, '20.00');
      expect(small.risk).toEqual({ score: 0, decision: 'allow', reasons: [] });
      expect((await opinion(small.id))!.probability).toBeLessThan(0.5);
    }
  });

  it('is asked by an instance that has just started from its first payment on, and bounded as the operator says', async () => {
    await put({ mode: 'active', score: 0.3 });
    const fresh = await Gateway.start({ database: gateway.database, log, environment: { RATE_LIMITING_ENABLED: 'false' } });
    try {
      const first = await pay(merchant.with({ url: fresh.url }));
      expect(first.risk).toMatchObject({ score: 0.3, decision: 'allow', reasons: [expect.stringContaining('the learned model')] });
      await put({ mode: 'active', review_from: 1 });
      expect((await pay(merchant.with({ url: fresh.url }))).risk).toEqual({ score: 0, decision: 'allow', reasons: [] });
    } finally {
      await fresh.stop();
    }
  });

  it('counts in a back-test of rules as it would now', async () => {
    await put({ mode: 'active' });
    await pay(merchant);
    const from = new Date().toISOString();
    await pay(merchant);
    const backtest = async () => (await analyst.post(`/v1/admin/risk/rules/backtest`, { from })).body;
    expect(await backtest()).toMatchObject({ assessments: 1, changed: 0, after: { allow: 0, review: 1, block: 0 } });
    await put({ mode: 'off' });
    expect(await backtest()).toMatchObject({ changed: 1, after: { allow: 1, review: 0, block: 0 } });
  });

  it('that cannot be read is left out loudly, and stops no payment', async () => {
    await insert(60, { kind: 'boosted_trees', featureNames: ['something'], baseScore: 0, trees: [] }, {});
    await put({ mode: 'active', model_version: 60 });
    await pay(merchant);
    const payment = await pay(merchant);
    expect([payment.risk, await opinion(payment.id)]).toEqual([{ score: 0, decision: 'allow', reasons: [] }, null]);
    expect(log.filter((line) => line.includes('the learned model') && line.includes('is left out'))).toHaveLength(1);
    await put({ mode: 'off' });
  });

  describe('looks at', () => {
    const facts = async (customer: string) => factsOf(
      { at: new Date(), amountMinor: 100n, currency: 'USD' },
      await gateway.database.value<StoredFacts>("select risk_model_facts($1, false, $2, 'USD')", [merchant.credentials.clientId, customer]),
    );
    const label = (id: string, as = 'fraud') => gateway.database.rows(
      `insert into risk_labels (client_id, livemode, subject_id, label, source, labelled_by) values ($1, false, $2, $3, 'staff', 'usr_x')
       on conflict (client_id, livemode, subject_id) do update set label = excluded.label`, [merchant.credentials.clientId, id, as],
    );
    /** A payment of the past, as it was assessed. */
    const past = async (daysAgo: number, decision = 'allow', signals: object = {}) => {
      const at = new Date(Date.now() - daysAgo * DAY_MS);
      const id = newId('pay', at.getTime());
      await gateway.database.rows(
        `insert into risk_assessments (client_id, livemode, subject_id, subject, score, decision, reasons, signals, fired, revision, created_at)
         values ($1, false, $2, 'payment', 0, $3, '[]', $4, '{}', 1, $5)`, [merchant.credentials.clientId, id, decision, JSON.stringify(signals), at],
      );
      return id;
    };

    it("the customer's payments, with what is known of them by now, and not at what was stopped", async () => {
      const ids = [];
      for (const [amount, currency] of [['10.00', 'USD'], ['30.00', 'USD'], ['5.00', 'EUR']]) ids.push((await pay(merchant, amount, { customer: 'c1', currency })).id);
      await gateway.database.rows("update payments set created_at = created_at - interval '8 days' where client_id = $1", [merchant.credentials.clientId]);
      await gateway.database.rows("insert into risk_list_entries (id, list, kind, value, source, reason) values (new_id('rle'), 'block', 'email_domain', 'bad.example', 'staff', 'r')");
      const stopped = { amount: '900.00', currency: 'USD', method: 'simulated', customer: 'c1', payer: { email: 'x@bad.example' } };
      expect((await merchant.post('/v1/payments', stopped)).status).toBe(403);
      await pay(merchant, '70.00', { customer: 'c1' });
      expect(await facts('c1')).toMatchObject({
        recent: [{ amount: 10, isKnownFraud: false }, { amount: 30, isKnownFraud: false }, { amount: 70, isKnownFraud: false }], usual: { count: 2, mean: 20, max: 30 },
      });
      await label(ids[1]!);
      expect(await facts('c1')).toMatchObject({ recent: [{ isKnownFraud: false }, { isKnownFraud: true }, { isKnownFraud: false }], usual: { count: 1, mean: 10 } });
      expect((await facts('c2')).recent).toEqual([]);
    });

    it('finished days that are counted once, and again whenever somebody says what became of a payment', async () => {
      const tally = () => gateway.app.get(TallyDays, { strict: false }).run();
      const days = async () => (await facts('c')).days;
      const ids = [await past(3), await past(3, 'review', { customer_amount_times_usual: 2.5 }), await past(3, 'allow', { customer_amount_times_usual: 2.6 }), await past(3, 'block')];
      await past(70);
      await past(0);
      const day = Math.floor(Date.now() / DAY_MS) - 3;
      await tally();
      expect(await days()).toEqual([{ day, payments: 3, knownFrauds: 0, ordinaryFrauds: 0 }]);
      for (const id of ids) await label(id);
      await tally();
      expect(await days()).toEqual([{ day, payments: 3, knownFrauds: 3, ordinaryFrauds: 2 }]);
      const written = () => gateway.database.value('select sum(xmin::text::bigint)::text from risk_client_days');
      const before = await written();
      await tally();
      expect(await written()).toBe(before);
      await label(ids[0]!, 'legitimate');
      await tally();
      expect(await days()).toEqual([{ day, payments: 3, knownFrauds: 2, ordinaryFrauds: 1 }]);
    });
  });
});
