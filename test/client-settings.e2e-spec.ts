import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import type { Answer, Merchant } from './support/merchant';

const path = '/v1/client/settings';
const defaults = { tolerance: null, underpaid: 'wait', overpaid: 'credit', late: 'queue' };
/** What the operator sets; the client sees it. */
const withdrawals = { destination_cooloff_seconds: 0 };

describe('a client and its settings', () => {
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
  });
  beforeEach(async () => {
    merchant = await gateway.merchant({ name: 'Böttcher & Sons', feeBps: 250 });
  });
  afterAll(() => gateway.stop());

  const change = (body: unknown, by = merchant) => by.call('PATCH', path, body);
  const stored = async () => (await gateway.database.rows<{ settings: object; revision: string }>(
    'select test_settings as settings, revision from clients where id = $1', [merchant.credentials.clientId],
  ))[0];
  const errorsOf = (answer: Answer) => [answer.status, (answer.body.errors as { field: string; code: string }[] | undefined)?.map(({ field }) => field)];

  it('shows the client', async () => {
    const { status, body } = await merchant.get('/v1/client');
    expect(status).toBe(200);
    expect(body).toEqual({
      id: merchant.credentials.clientId, object: 'client', name: 'Böttcher & Sons', status: 'active', livemode: false, live_enabled: false,
      fee_bps: 250, created_at: expect.any(String), updated_at: expect.any(String),
    });
  });

  it('shows the defaults until something is set, and stores none of them', async () => {
    expect((await merchant.get(path)).body).toEqual({ object: 'client_settings', payment_rules: defaults, withdrawals });
    expect((await stored()).settings).toEqual({});
  });

  it('changes the named fields and leaves the others', async () => {
    await change({ payment_rules: { underpaid: 'credit', tolerance: '0.05' } });
    const { status, body } = await change({ payment_rules: { overpaid: 'refund' } });
    const payment_rules = { ...defaults, underpaid: 'credit', tolerance: '0.05', overpaid: 'refund' };
    expect([status, body]).toEqual([200, { object: 'client_settings', payment_rules, withdrawals }]);
    expect((await merchant.get(path)).body).toEqual(body);
    expect(await stored()).toEqual({ settings: { payment_rules: { underpaid: 'credit', tolerance: '0.05', overpaid: 'refund' } }, revision: '3' });
  });

  it('tells the audit log what it was and what it is', async () => {
    await change({ payment_rules: { late: 'credit_locked' } });
    const [event] = await gateway.database.rows('select before, after, actor_id from audit_events where kind = $1 and object_id = $2', [
      'client.settings_changed', merchant.credentials.clientId,
    ]);
    expect(event).toEqual({
      before: { payment_rules: defaults, withdrawals },
      after: { payment_rules: { ...defaults, late: 'credit_locked' }, withdrawals },
      actor_id: merchant.credentials.keyId,
    });
  });

  it('changes nothing when nothing is different', async () => {
    await change({ payment_rules: { late: 'credit_locked' } });
    const before = await stored();
    for (const body of [{}, { payment_rules: {} }, { payment_rules: { late: 'credit_locked' } }]) expect((await change(body)).status).toBe(200);
    expect(await stored()).toEqual(before);
    const told = await gateway.database.value('select count(*)::int from audit_events where kind = $1 and object_id = $2', [
      'client.settings_changed', merchant.credentials.clientId,
    ]);
    expect(told).toBe(1);
  });

  it.each<[unknown, string[]]>([
    [{ payment_rules: { underpaid: 'keep' } }, ['payment_rules.underpaid']],
    [{ payment_rules: { tolerance: 'much' } }, ['payment_rules.tolerance']],
    [{ payment_rules: { tolerance: 0.05 } }, ['payment_rules.tolerance']],
    [{ payment_rules: { unheard_of: 1 } }, ['payment_rules.unheard_of']],
    [{ payment_rules: 'wait' }, ['payment_rules']],
    [{ payment_rules: null }, ['payment_rules']],
    [{ payment_rules: [] }, ['payment_rules']],
    [{ fees: { bps: 0 } }, ['fees']],
    [{ withdrawals: { destination_cooloff_seconds: 0 } }, ['withdrawals']],
    [{ withdrawals: {} }, ['withdrawals']],
    [{ toString: {} }, ['toString']],
    [[], ['body']],
  ])('refuses %j', async (body, fields) => {
    expect(errorsOf(await change(body))).toEqual([422, fields]);
    expect(await stored()).toEqual({ settings: {}, revision: '1' });
  });

  it('loses none of ten parallel changes to different fields', async () => {
    const bodies = [{ underpaid: 'credit' }, { overpaid: 'refund' }, { late: 'credit_current' }, { tolerance: '1' }];
    const answers = await Promise.all(bodies.map((fields) => change({ payment_rules: fields })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await stored()).settings).toEqual({ payment_rules: Object.assign({}, ...bodies) as object });
  });

  it('counts for the next payment at once', async () => {
    const order = { amount: '10.00', currency: 'USD', method: 'simulated' };
    await change({ payment_rules: { underpaid: 'credit' } });
    const { body } = await merchant.post('/v1/payments', order);
    const paid = await merchant.post(`/v1/test/payments/${body.id}/pay`, { amount: '9.00' });
    expect(paid.body).toMatchObject({ status: 'succeeded', exception: 'underpaid', amount_received: '9.00' });
  });

  it('keeps the settings of the two books apart', async () => {
    const owner = await gateway.merchant({ live: true });
    const tester = await anotherKey(gateway, owner, { livemode: false });
    await change({ payment_rules: { underpaid: 'credit' } }, tester);
    expect((await tester.get(path)).body).toMatchObject({ payment_rules: { underpaid: 'credit' } });
    expect((await owner.get(path)).body).toMatchObject({ object: 'client_settings', payment_rules: defaults });
    await change({ payment_rules: { late: 'credit_locked' } }, owner);
    expect((await tester.get(path)).body).toMatchObject({ payment_rules: { underpaid: 'credit', late: 'queue' } });
  });

  it('needs the scope', async () => {
    const reader = await anotherKey(gateway, merchant, { scopes: ['settings:read'] });
    expect((await reader.get(path)).status).toBe(200);
    expect((await change({ payment_rules: { underpaid: 'credit' } }, reader)).body.code).toBe('scope_missing');
    const other = await anotherKey(gateway, merchant, { scopes: ['payments:read'] });
    expect((await other.get(path)).body.code).toBe('scope_missing');
  });
});
