import { newId } from '../src/platform/identifiers';
import { USDT_CONTRACT } from '../src/chains/tron/tron-address';
import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import { Mailbox } from './support/mailbox';
import type { Answer, Merchant } from './support/merchant';
import { member, staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';

interface Destination extends Record<string, unknown> {
  id: string;
  active_at: string;
  created_at: string;
}
interface Page {
  data: Destination[];
  has_more: boolean;
}

const path = '/v1/destinations';
const ADDRESS = 'TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE';
const OTHER = 'TMuA6YqfCeX8EhbfYEg5y7S4DqzSJireY9';
const THIRD = 'TN3W4H6rK2ce4vX9YnFQHwKENnHjoxb3m9';
const tron = { type: 'tron_address', address: ADDRESS };
const bank = { type: 'bank_account', iban: 'DE89370400440532013000', holder: 'Anna Example' };

describe('destinations', () => {
  let gateway: Gateway;
  let mailbox: Mailbox;
  let merchant: Merchant;
  let removals = 0;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    mailbox = new Mailbox(gateway.settings.dataDir, gateway.database);
  });
  beforeEach(async () => {
    merchant = await gateway.merchant();
  });
  afterAll(() => gateway.stop());

  const idOf = (of: Merchant) => of.credentials.clientId;
  const save = (body: unknown, by = merchant) => by.post<Destination>(path, body);
  /** Signed for a later second each time: with the same one it would be a replay, and get the stored answer. */
  const remove = (id: string, by = merchant) => {
    removals += 1;
    return by.call('DELETE', `${path}/${id}`, undefined, { timestamp: Math.floor(Date.now() / 1000) + removals });
  };
  const list = async (query = '', by = merchant) => (await by.get<Page>(`${path}${query}`)).body;
  const fieldsOf = ({ status, body }: Answer) => [status, (body.errors as { field: string }[] | undefined)?.map(({ field }) => field)];
  const coolsOff = ({ active_at: active, created_at: created }: Destination) => (Date.parse(active) - Date.parse(created)) / 1000;
  const audited = (id: string) =>
    gateway.database.rows('select kind, before, after from audit_events where object_id = $1 order by id', [id]);

  it('are saved, shown whole, told to endpoints and audited', async () => {
    await merchant.post('/v1/webhook-endpoints', { url: 'http://127.0.0.1:18080/hook', events: ['destination.*'] });
    const { status, body } = await save(tron);
    expect([status, body]).toEqual([201, {
      id: expect.stringMatching(/^dst_[0-9a-f]{32}$/), object: 'destination', livemode: false, type: 'tron_address', address: ADDRESS,
      iban: null, holder: null, active_at: expect.any(String), created_at: expect.any(String),
    }]);
    expect((await merchant.get(`${path}/${body.id}`)).body).toEqual(body);
    expect(await audited(body.id)).toEqual([{ kind: 'destination.created', before: null, after: body }]);
    const [told] = await gateway.database.rows(
      `select e.type, e.data, (select count(*)::int from webhook_deliveries d where d.event_id = e.id) as deliveries
         from events e where e.object_id = $1`,
      [body.id],
    );
    expect(told).toEqual({ type: 'destination.created', data: body, deliveries: 1 });
    const [noted] = await gateway.database.rows(
      `select severity, actor_id, details ->> 'destination' as id from security_events
        where kind = 'destination.created' and client_id = $1`,
      [idOf(merchant)],
    );
    expect(noted).toEqual({ severity: 'medium', actor_id: merchant.credentials.keyId, id: body.id });
  });

  it('are saved for bank accounts in one form, which is the whole that people sign', async () => {
    const { status, body } = await save({ type: 'bank_account', iban: 'no93 8601 1117 947', holder: '  Åse   Nordmann ' });
    expect([status, body.iban, body.holder, body.address]).toEqual([201, 'NO9386011117947', 'Åse Nordmann', null]);
    expect(await gateway.database.value('select whole from destinations where id = $1', [body.id])).toBe('NO9386011117947 Åse Nordmann');
  });

  it.each<[unknown, string[]]>([
    [{}, ['type']], [[], ['body']],
    [{ ...tron, address: ADDRESS.toLowerCase() }, ['address']], [{ ...tron, address: USDT_CONTRACT }, ['address']],
    [{ ...tron, iban: bank.iban }, ['iban']], [{ ...tron, livemode: true }, ['livemode']],
    [{ ...bank, iban: 'DE89370400440532013001' }, ['iban']], [{ ...bank, active_at: '2020-01-01T00:00:00Z' }, ['active_at']],
  ])('are not saved from %j', async (body, fields) => {
    expect(fieldsOf(await save(body))).toEqual([422, fields]);
    expect(await list()).toMatchObject({ data: [] });
  });

  it('are never a deposit address of the gateway', async () => {
    const payment = await merchant.post<{ id: string }>('/v1/payments', { amount: '1.00', currency: 'USD', method: 'simulated' });
    await gateway.database.rows(
      `insert into watched_addresses (chain, address, client_id, livemode, payment_id, derivation_index, complete_until)
       values ('tron', $1, $2, false, $3, 0, now())`,
      [OTHER, idOf(merchant), payment.body.id],
    );
    const stranger = await gateway.merchant();
    for (const by of [merchant, stranger]) expect(fieldsOf(await save({ ...tron, address: OTHER }, by))).toEqual([422, ['address']]);
    expect((await save(tron)).status).toBe(201);
  });

  it('are saved once in each book, however many ask at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => save(bank)));
    const made = answers.filter(({ status }) => status === 201);
    expect(made).toHaveLength(1);
    for (const answer of answers.filter((other) => other !== made[0])) {
      expectProblem(answer, 409, 'state_conflict');
      expect(answer.body.detail).toContain(made[0].body.id);
    }
    expectProblem(await save({ ...bank, iban: 'de89 3704 0044 0532 0130 00', holder: ' Anna  Example' }), 409, 'state_conflict');
    expect((await save({ ...bank, holder: 'Anna B. Example' })).status).toBe(201);
    expect((await save(bank, await anotherKey(gateway, merchant, { livemode: false }))).status).toBe(409);
    expect((await save(bank, await gateway.merchant())).status).toBe(201);
  });

  it('are made once by a call that is repeated with its Idempotency-Key', async () => {
    const make = () => merchant.post(path, tron, { idempotencyKey: 'once' });
    const [first, again] = [await make(), await make()];
    expect([first.status, again.status, again.text]).toEqual([201, 201, first.text]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  it('are at most a hundred in a book', async () => {
    await gateway.database.rows(
      `insert into destinations (client_id, livemode, id, type, iban, holder, created_by, active_at)
       select $1, false, new_id('dst'), 'bank_account', 'DE89370400440532013000', 'Holder ' || n, 'test', now()
         from generate_series(1, 99) n`,
      [idOf(merchant)],
    );
    const answers = await Promise.all([save(tron), save(bank), save({ ...tron, address: THIRD })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect((await remove(answers.find(({ status }) => status === 201)!.body.id)).status).toBe(204);
    expect((await save(bank)).status).toBe(201);
  });

  it('are listed newest first, by type, without those that were deleted', async () => {
    const [one, two, three] = [(await save(tron)).body, (await save(bank)).body, (await save({ ...bank, holder: 'Second' })).body];
    expect(await list()).toEqual({ object: 'list', data: [three, two, one], has_more: false });
    expect(await list('?type=bank_account&limit=1')).toEqual({ object: 'list', data: [three], has_more: true });
    expect((await list(`?type=bank_account&starting_after=${three.id}`)).data).toEqual([two]);
    expect((await remove(two.id)).status).toBe(204);
    expect((await list()).data).toEqual([three, one]);
    expect(fieldsOf(await merchant.get(`${path}?type=paypal`))).toEqual([422, ['type']]);
  });

  describe('deleted', () => {
    const openWithdrawal = async (destination: string, status: string) => {
      const [hold, id] = [newId('tr'), newId('wd')];
      await gateway.database.rows('select ledger_transfer($1, false, $2, $3)', [idOf(merchant), 'USDT', JSON.stringify([{
        id: newId('tr'), debit: 'provider', credit: 'available', amount_minor: '5', code: 'payment', state: 'posted', reference_id: 'test',
      }])]);
      await gateway.database.rows('select ledger_transfer($1, false, $2, $3)', [idOf(merchant), 'USDT', JSON.stringify([{
        id: hold, debit: 'available', credit: 'payout', amount_minor: '5', code: 'test_hold', state: 'pending', reference_id: id,
      }])]);
      await gateway.database.rows(
        `insert into withdrawals (client_id, livemode, id, status, amount_minor, currency, destination_id, destination, requested_by,
                                  approvals_required, approvals, risk, hold_id)
         values ($1, false, $2, $3, 5, 'USDT', $4, 'somewhere', 'key', 1, 1, '{}', $5)`,
        [idOf(merchant), id, status, destination, hold],
      );
      return id;
    };

    it('are gone for good, and may be saved anew', async () => {
      const { body } = await save(tron);
      const { status, text } = await remove(body.id);
      expect([status, text]).toEqual([204, '']);
      expectProblem(await merchant.get(`${path}/${body.id}`), 404, 'not_found');
      expectProblem(await remove(body.id), 404, 'not_found');
      expect((await audited(body.id))[1]).toEqual({ kind: 'destination.deleted', before: body, after: null });
      const again = await save(tron);
      expect([again.status, again.body.id === body.id]).toEqual([201, false]);
    });

    it('are gone once when several ask at the same time', async () => {
      const { body } = await save(tron);
      const answers = await Promise.all(Array.from({ length: 5 }, () => remove(body.id)));
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 404, 404, 404, 404]);
    });

    it.each(['pending_review', 'approved', 'processing'])('are not while a withdrawal to them is %s', async (status) => {
      const { body } = await save(tron);
      const withdrawal = await openWithdrawal(body.id, status);
      const answer = await remove(body.id);
      expectProblem(answer, 409, 'state_conflict');
      expect(answer.body.detail).toContain(withdrawal);
      expect((await list()).data).toEqual([body]);
      await gateway.database.rows("update withdrawals set status = 'failed' where id = $1", [withdrawal]);
      expect((await remove(body.id)).status).toBe(204);
    });

    it('are not while a withdrawal to them is being asked for, and that is not lost', async () => {
      const { body } = await save(tron);
      const asking = await gateway.database.pool.connect();
      try {
        await asking.query('begin');
        await asking.query('select 1 from destinations where id = $1 and deleted_at is null for share', [body.id]);
        const removing = remove(body.id);
        const withdrawal = await openWithdrawal(body.id, 'pending_review');
        await asking.query('commit');
        const answer = await removing;
        expectProblem(answer, 409, 'state_conflict');
        expect(answer.body.detail).toContain(withdrawal);
      } finally {
        await asking.query('rollback');
        asking.release();
      }
    });
  });

  describe('cool off', () => {
    const settings = '/v1/client/settings';
    const setByStaff = (admin: TestPerson, of: Merchant, body: object) =>
      admin.call('PATCH', `/v1/admin/clients/${idOf(of)}/settings`, body);

    it('not at all in test mode, and for a day in live mode', async () => {
      const live = await gateway.merchant({ live: true });
      const [tested, real] = [(await save(tron)).body, (await save(tron, live)).body];
      expect([coolsOff(tested), coolsOff(real)]).toEqual([0, 86_400]);
      expect((await merchant.get(settings)).body).toMatchObject({ withdrawals: { destination_cooloff_seconds: 0 } });
      expect((await live.get(settings)).body).toMatchObject({ withdrawals: { destination_cooloff_seconds: 86_400 } });
    });

    it('for as long as staff say, from the very next one on, in that book alone', async () => {
      const admin = await staff(gateway, 'admin');
      const live = await gateway.merchant({ live: true });
      const tester = await anotherKey(gateway, live, { livemode: false });
      expect(coolsOff((await save(tron, live)).body)).toBe(86_400);
      const change = { live: { withdrawals: { destination_cooloff_seconds: 172_800 } } };
      expect((await setByStaff(admin, live, change)).status).toBe(200);
      expect(coolsOff((await save(bank, live)).body)).toBe(172_800);
      expect(coolsOff((await save(bank, tester)).body)).toBe(0);
      expect((await setByStaff(admin, live, { test: { withdrawals: { destination_cooloff_seconds: 60 } } })).status).toBe(200);
      expect(coolsOff((await save(tron, tester)).body)).toBe(60);
    });

    it('by nobody else\'s word: clients see it and cannot change it', async () => {
      const owner = await member(gateway, merchant, 'owner');
      const wanted = { withdrawals: { destination_cooloff_seconds: 1 } };
      for (const answer of [await merchant.call('PATCH', settings, wanted), await owner.call('PATCH', settings, wanted)]) {
        expect(fieldsOf(answer)).toEqual([422, ['withdrawals']]);
        expect(answer.body.errors).toEqual([{ field: 'withdrawals', code: 'operator_only', message: expect.stringContaining('operator') }]);
      }
      expect(coolsOff((await save(tron)).body)).toBe(0);
    });
  });

  describe('in live mode', () => {
    it('are told to every owner of the client by mail, and to nobody else', async () => {
      const live = await gateway.merchant({ live: true });
      const owners = [await member(gateway, live, 'owner'), await member(gateway, live, 'owner')];
      const others = [await member(gateway, live, 'developer'), await member(gateway, merchant, 'owner')];
      const { body } = await save(bank, live);
      for (const { email } of owners) {
        const { subject, text } = await mailbox.next(email);
        expect(subject).toBe('A new destination for withdrawals was added');
        for (const word of [body.id, 'DE89370400440532013000', body.active_at]) expect(text).toContain(word);
        expect(text).not.toContain('Anna');
      }
      for (const { email } of others) await mailbox.none(email);
    });

    it('alone: what is tried in test mode alarms nobody', async () => {
      const owner = await member(gateway, merchant, 'owner');
      expect((await save(tron)).status).toBe(201);
      await mailbox.none(owner.email);
    });
  });

  it('are for keys with the scope to save and delete, and for the client\'s people to read', async () => {
    const { body } = await save(tron);
    const reader = await anotherKey(gateway, merchant, { scopes: ['withdrawals:read'] });
    expect((await reader.get(`${path}/${body.id}`)).status).toBe(200);
    for (const answer of [await save(bank, reader), await remove(body.id, reader)]) expectProblem(answer, 403, 'scope_missing');
    const viewer = await member(gateway, merchant, 'viewer');
    const owner = await member(gateway, merchant, 'owner', { twoFactor: true });
    expect((await viewer.get(`${path}/${body.id}`)).body).toEqual(body);
    const tried = [await owner.post(path, bank), await owner.call('DELETE', `${path}/${body.id}`)];
    for (const answer of tried) expectProblem(answer, 403, 'forbidden');
  });

  it('of others and of the other mode are not found', async () => {
    const live = await gateway.merchant({ live: true });
    const tester = await anotherKey(gateway, live, { livemode: false });
    const { body } = await save(tron, live);
    for (const by of [merchant, tester]) {
      expectProblem(await by.get(`${path}/${body.id}`), 404, 'not_found');
      expectProblem(await remove(body.id, by), 404, 'not_found');
      expect((await list('', by)).data).toEqual([]);
    }
    expect((await live.get(`${path}/${body.id}`)).status).toBe(200);
  });
});
