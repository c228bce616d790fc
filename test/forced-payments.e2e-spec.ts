import { randomUUID } from 'node:crypto';
import { newId } from '../src/platform/identifiers';
import { eventually } from './support/eventually';
import { checkLedger } from './support/funds';
import { Gateway } from './support/gateway';
import type { Answer, Merchant } from './support/merchant';
import { staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';
import { deliver, eventIdOf, genericWebhook } from './support/providers';
import { type Otherwise, type Shown, signer, type Signer } from './support/signing';

interface StaffView {
  status: string; revision: number; amount_due: string; pay_currency: string; deposit_address: string | null;
}
const ADDRESS = 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH';

describe('payments that are forced to succeed', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  let reader: TestPerson;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    reader = await staff(gateway, 'auditor');
  });
  // A merchant for each test: its book then holds this test's money and nothing else.
  beforeEach(async () => {
    merchant = await gateway.merchant({ feeBps: 250 });
  });
  afterEach(async () => expect(await checkLedger(gateway)).toMatchObject({ ok: true }));
  afterAll(() => gateway.stop());

  const newPayment = async (body: object = {}) =>
    (await merchant.post<{ id: string }>('/v1/payments', { amount: '10.00', currency: 'USD', method: 'simulated', ...body })).body.id;
  const pay = (id: string, body: object = {}) => merchant.post(`/v1/test/payments/${id}/pay`, body);
  const read = async (id: string) => (await reader.get<StaffView>(`/v1/admin/payments/${id}`)).body;
  const eventsOf = async (id: string) =>
    (await gateway.database.rows<{ type: string }>('select type from events where object_id = $1 order by created_at, id', [id])).map(({ type }) => type);
  const audited = async (id: string, kind: string) => gateway.database.rows<{ actor_id: string; before: object; after: object }>(
    'select actor_id, before, after from audit_events where object_id = $1 and kind = $2 order by id', [id, kind],
  );
  const balances = async () => Object.fromEntries((await gateway.database.rows<{ kind: string; balance: string }>(
    `select kind, abs(debits_posted - credits_posted)::text as balance from ledger_accounts where client_id = $1 and debits_posted <> credits_posted`,
    [merchant.credentials.clientId],
  )).map(({ kind, balance }) => [kind, balance]));
  const expired = async (id: string) => {
    await gateway.database.rows("update payments set expires_at = now() - interval '1 second' where id = $1", [id]);
    await eventually(async () => (await read(id)).status === 'expired');
  };
  const shownOf = async (id: string): Promise<Shown> => {
    const { revision, amount_due: amount, pay_currency: currency, deposit_address: address } = await read(id);
    return { id, revision, amount, currency, destination: address ?? '' };
  };
  const said = (more: object = {}) => ({
    status: 'succeeded', reason: 'the provider lost the event', evidence: 'screenshot of the dashboard', provider: 'generic', reference: 'their-1', ...more,
  });
  const force = async <Body = Record<string, unknown>>(id: string, by: Signer, more: object = {}, otherwise: Otherwise = {}): Promise<Answer<Body>> =>
    by.decide<Body>(`/v1/admin/payments/${id}/status`, 'succeed', await shownOf(id), { ...otherwise, body: { ...said(more), ...otherwise.body } });
  /** A code counts once, so each act has somebody of its own unless it says who. */
  const somebody = () => signer(gateway);
  const proposed = async (more: object = {}) => {
    const id = await newPayment();
    const proposer = await somebody();
    const reference = `their-${randomUUID()}`;
    const answer = await force(id, proposer, { reference, ...more });
    expect([answer.status, answer.body.state]).toEqual([200, 'waiting_for_second_person']);
    return { id, proposer, reference };
  };
  const untouched = async (id: string) => {
    expect(await read(id)).toMatchObject({ status: 'pending', amount_received: '0.00', revision: 1 });
    expect(await balances()).toEqual({});
  };

  it('take two people and are then booked like any other', async () => {
    const id = await newPayment();
    const [first, second] = [await somebody(), await somebody()];
    const proposal = await force(id, first, { reference: 'their-2' });
    expect([proposal.status, proposal.body]).toEqual([200, expect.objectContaining({
      object: 'payment_override', payment: id, client: merchant.credentials.clientId, livemode: false, state: 'waiting_for_second_person',
      requested_by: first.person.id, decided_by: null, revision: 1, amount: '10.00', currency: 'USD', destination: '', provider: 'generic',
      reference: 'their-2', evidence: 'screenshot of the dashboard',
    })]);
    await untouched(id);
    const done = await force(id, second, { reference: 'their-2', evidence: 'called them, they see it too' });
    expect([done.status, done.body]).toEqual([200, expect.objectContaining({
      object: 'payment', status: 'succeeded', exception: null, amount_received: '10.00', fee: '0.25', provider_reference: 'their-2', revision: 2,
    })]);
    expect(await balances()).toEqual({ available: '975', fees: '25', provider: '1000' });
    expect(await eventsOf(id)).toEqual(['payment.created', 'payment.succeeded']);
    expect(await read(id)).toMatchObject({
      override: { state: 'decided', requested_by: first.person.id, decided_by: second.person.id },
      receipts: [{ provider: 'generic', reference: 'their-2', credited: '10.00' }],
    });
    const [{ actor_id: by, after }] = await audited(id, 'payment.status_changed');
    expect([by, after]).toEqual([second.person.id, expect.objectContaining({
      status: 'succeeded', reference: 'their-2', proposed_by: first.person.id, evidence: 'called them, they see it too',
    })]);
    expect(await audited(id, 'payment.success_proposed')).toMatchObject([{ actor_id: first.person.id }]);
    const decisions = await gateway.database.rows('select person_id, requested_by, signature is not null as signed from decisions where subject_id = $1', [id]);
    expect(decisions).toEqual([{ person_id: second.person.id, requested_by: first.person.id, signed: true }]);
  });

  it('are not credited again when the provider tells of the same money after all', async () => {
    const { id, reference } = await proposed();
    expect((await force(id, await somebody(), { reference })).status).toBe(200);
    const webhook = genericWebhook({ paymentId: id, amount: '10.00', reference });
    await deliver(gateway.url, webhook);
    const outcome = await eventually(() => gateway.database.value<string>("select outcome from inbox_events where event_id = $1 and status = 'ignored'", [eventIdOf(webhook)]));
    expect(outcome).toMatch(/credited/);
    expect(await balances()).toEqual({ available: '975', fees: '25', provider: '1000' });
  });

  it('are refused to the one who proposed it, by the database as well', async () => {
    const { id, proposer, reference } = await proposed();
    expectProblem(await force(id, proposer, { reference }), 403, 'self_approval');
    await untouched(id);
    const decide = (person: string, amount = 1000) => gateway.database.rows(
      `insert into decisions (client_id, livemode, subject_id, decision, person_id, requested_by, revision, amount_minor, currency, destination, simulated)
       values ($1, false, $2, 'succeed', $3, $4, 1, $5, 'USD', '', true)`, [merchant.credentials.clientId, id, person, proposer.person.id, amount],
    );
    await expect(decide(proposer.person.id)).rejects.toMatchObject({ constraint: 'decisions_four_eyes' });
    await expect(decide('usr_somebody', 999)).rejects.toMatchObject({ constraint: 'decisions_match_their_subject' });
  });

  it('are refused in other words than the payment is', async () => {
    const { id, reference } = await proposed();
    const other = await somebody();
    expectProblem(await force(id, other, { reference }, { signed: { amount: '100.00' } }), 401, 'signature_invalid');
    expectProblem(await force(id, other, { reference }, { headers: { 'x-admin-signature': '' } }), 401, 'signature_invalid');
    const shown = await shownOf(id);
    for (const wrong of [{ amount: '9.99' }, { revision: 2 }, { currency: 'EUR' }, { destination: ADDRESS }]) {
      const by = await somebody();
      const answer = await by.decide(`/v1/admin/payments/${id}/status`, 'succeed', { ...shown, ...wrong }, { body: said({ reference }) });
      expectProblem(answer, 409, 'stale_revision');
    }
    expectProblem(await force(id, await somebody(), { reference }, { body: { totp_code: '000000' } }), 403, 'two_factor_invalid');
    await untouched(id);
  });

  it('use up the code of whoever proposes it', async () => {
    const [first, one, two] = [await somebody(), await newPayment(), await newPayment()];
    const used = await first.person.code();
    expect((await force(one, first, { reference: 'code-1' }, { body: { totp_code: used } })).status).toBe(200);
    expectProblem(await force(two, first, { reference: 'code-2' }, { body: { totp_code: used } }), 403, 'two_factor_invalid');
  });

  it('are proposed anew when the payment has changed, and by whoever names other money a day later', async () => {
    const { id, reference } = await proposed();
    await pay(id, { amount: '4.00' });
    expect(await read(id)).toMatchObject({ amount_due: '6.00', override: { state: 'void', amount: '10.00' } });
    const [first, second] = [await somebody(), await somebody()];
    expect((await force(id, first, { reference })).body).toMatchObject({ state: 'waiting_for_second_person', amount: '6.00', requested_by: first.person.id });
    expectProblem(await force(id, second, { reference: `${reference}-corrected` }), 409, 'state_conflict');
    await gateway.database.rows("update payment_overrides set created_at = created_at - interval '25 hours' where payment_id = $1", [id]);
    expect((await force(id, second, { reference: `${reference}-corrected` })).body).toMatchObject({ state: 'waiting_for_second_person', requested_by: second.person.id });
    const done = await force(id, await somebody(), { reference: `${reference}-corrected` });
    expect(done.body).toMatchObject({ status: 'succeeded', amount_received: '10.00', fee: '0.25', exception: null });
    expect(await balances()).toEqual({ available: '975', fees: '25', provider: '1000' });
  });

  it('are refused for money that was counted, or that cannot have paid them', async () => {
    const { id: paid, reference } = await proposed();
    expect((await force(paid, await somebody(), { reference })).status).toBe(200);
    expectProblem(await force(paid, await somebody(), { reference: 'more' }), 409, 'state_conflict');
    const open = await newPayment();
    expectProblem(await force(open, await somebody(), { reference }), 409, 'state_conflict');
    const unknown = genericWebhook({ paymentId: newId('pay'), amount: '10.00', reference: `kept-${open}` });
    await deliver(gateway.url, unknown);
    await eventually(() => gateway.database.value('select id from unmatched_deposits where reference = $1', [`kept-${open}`]));
    expectProblem(await force(open, await somebody(), { reference: `kept-${open}` }), 409, 'state_conflict');
    for (const more of [{ provider: 'tron', reference: `${'a'.repeat(64)}:${ADDRESS}` }, { provider: 'stripe', reference: 'ch_1' }, { reference: 'two words' }]) {
      expectProblem(await force(open, await somebody(), more), 422, 'validation_failed');
    }
    const [part, late] = [await newPayment(), await newPayment()];
    await pay(part, { amount: '4.00' });
    await Promise.all([expired(part), expired(late)]);
    expectProblem(await force(part, await somebody(), { reference: 'rest-1' }), 409, 'state_conflict');
    await force(late, await somebody(), { reference: 'late-1' });
    expect((await force(late, await somebody(), { reference: 'late-1' })).body).toMatchObject({ status: 'succeeded', exception: 'paid_late' });
  });

  it('on chain are signed with their whole address and take a transaction to it only', async () => {
    const id = await newPayment();
    await gateway.database.rows(
      "update payments set method = 'usdt_trc20', currency = 'USDT', pay_currency = 'USDT', deposit_address = $2 where id = $1", [id, ADDRESS],
    );
    const hash = 'ab'.repeat(32);
    expectProblem(await force(id, await somebody(), {}), 422, 'validation_failed');
    const elsewhere = { provider: 'tron', reference: `${hash}:T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb` };
    expectProblem(await force(id, await somebody(), elsewhere), 422, 'validation_failed');
    const named = { provider: 'tron', reference: `${hash}:${ADDRESS}` };
    expect((await force(id, await somebody(), named)).body).toMatchObject({ destination: ADDRESS, amount: '0.001000', currency: 'USDT' });
    expectProblem(await force(id, await somebody(), named, { signed: { destination: '' } }), 401, 'signature_invalid');
    expect((await force(id, await somebody(), named)).body).toMatchObject({ status: 'succeeded', amount_received: '0.001000' });
    expect(await gateway.database.value("select payment_id from provider_references where provider = 'tron' and reference = $1", [named.reference])).toBe(id);
  });

  it('are credited once, whoever else confirms or tells of it at the same moment', async () => {
    const payments = await Promise.all(Array.from({ length: 8 }, () => proposed()));
    const people = await Promise.all(payments.map(async () => [await somebody(), await somebody()]));
    await Promise.all(payments.map(async ({ id, reference }, at) => {
      const shown = await shownOf(id);
      const told = deliver(gateway.url, genericWebhook({ paymentId: id, amount: '10.00', reference }));
      const answers = await Promise.all(people[at].map((by) => by.decide(`/v1/admin/payments/${id}/status`, 'succeed', shown, { body: said({ reference }) })));
      expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
      expect(answers.filter(({ status }) => status !== 200).map(({ status }) => status)).toEqual(expect.not.arrayContaining([500]));
      expect((await told).status).toBe(200);
    }));
    await eventually(async () => (await gateway.database.value<number>("select count(*)::int from inbox_events where status in ('received', 'failed')")) === 0);
    for (const { id } of payments) expect(await read(id)).toMatchObject({ status: 'succeeded', amount_received: '10.00' });
    expect(await balances()).toEqual({ available: '7800', fees: '200', provider: '8000' });
  });

  it('are not open to those who only look', async () => {
    const id = await newPayment();
    for (const role of ['analyst', 'auditor'] as const) {
      expectProblem(await (await staff(gateway, role)).post(`/v1/admin/payments/${id}/status`, said()), 403, 'forbidden');
    }
    await untouched(id);
  });
});
