import { randomUUID } from 'node:crypto';
import { USDT_CONTRACT } from '../src/chains/tron/tron-address';
import { LedgerCheck } from '../src/ledger/ledger-check';
import { RefundPorts } from '../src/payments/refunds/paying/refund-ports';
import type { RefundObject } from '../src/payments/refunds/refund-presenter';
import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import type { Answer, Merchant } from './support/merchant';
import { paidPayment } from './support/paid-payment';
import { member } from './support/people';
import { expectProblem } from './support/problems';

const CUSTOMER = 'TNPeeaaFB7K9cmo4uQpcU32zGK8G1NYqeL';
const DEPOSIT = 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH';
const OTHER_DEPOSIT = 'TSeJkUh4Qv67VNFwY8LaAxERygNdy6NQZK';

describe('refunds', () => {
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
  });
  beforeEach(async () => {
    merchant = await gateway.merchant();
  });
  afterAll(() => gateway.stop());

  const pay = async (amount: string, currency = 'USD', by = merchant): Promise<string> => {
    const { body } = await by.post<{ id: string }>('/v1/payments', { amount, currency, method: 'simulated' });
    expect((await by.post(`/v1/test/payments/${body.id}/pay`)).body).toMatchObject({ status: 'succeeded' });
    return body.id;
  };
  const refund = (payment: string, more: object = {}, by = merchant): Promise<Answer<RefundObject>> => by.post<RefundObject>('/v1/refunds', { payment, ...more });
  const became = (id: string, status: string, by = merchant): Promise<RefundObject> => eventually(async () => {
    const { body } = await by.get<RefundObject>(`/v1/refunds/${id}`);
    return body.status === status && body;
  }, 15_000);
  const accounts = (of = merchant) => gateway.database.rows<{ kind: string; free: string; held: string }>(
    `select kind, abs(credits_posted - debits_posted)::text as free, (debits_pending + credits_pending)::text as held
       from ledger_accounts where client_id = $1 order by currency, kind`, [of.credentials.clientId],
  );
  const refunding = (payment: string) => gateway.database.value<string>('select amount_refunding_minor::text from payments where id = $1', [payment]);
  const rows = (of = merchant) => gateway.database.value<number>('select count(*)::int from refunds where client_id = $1', [of.credentials.clientId]);
  const audited = async (id: string) => (await gateway.database.rows<{ kind: string }>(
    'select kind from audit_events where object_id = $1 order by occurred_at, id', [id])).map(({ kind }) => kind);
  const pause = (id: string, paused: boolean) => gateway.database.rows(
    `insert into switches (id, paused, reason, changed_by) values ($1, $2, 'the bank is closed', 'test')
     on conflict (id) do update set paused = excluded.paused`, [id, paused],
  );

  it('gives a part of a payment back, keeps the fee, and tells of it', async () => {
    merchant = await gateway.merchant({ feeBps: 250 });
    const payment = await pay('25.00');
    const created = await refund(payment, { amount: '10.00', reason: 'one of two came broken' });
    expect([created.status, created.body]).toEqual([201, {
      id: expect.stringMatching(/^ref_[0-9a-f]{32}$/), object: 'refund', livemode: false, payment, status: 'pending', amount: '10.00', currency: 'USD',
      reason: 'one of two came broken', destination: null, approvals_required: 0, approvals: 0, transaction_hash: null, failure: null,
      risk: { score: 0, decision: 'allow', reasons: [] }, revision: 1, created_at: expect.any(String), updated_at: expect.any(String),
    }]);
    const { id } = created.body;
    const done = await became(id, 'succeeded');
    expect(done).toEqual({ ...created.body, status: 'succeeded', revision: 2, updated_at: expect.any(String) });
    expect((await merchant.get(`/v1/payments/${payment}`)).body).toMatchObject({ status: 'succeeded', amount_received: '25.00', amount_refunded: '10.00', fee: '0.63' });
    expect(await accounts()).toEqual([
      { kind: 'available', free: '1437', held: '0' }, { kind: 'fees', free: '63', held: '0' },
      { kind: 'payout', free: '1000', held: '0' }, { kind: 'provider', free: '2500', held: '0' },
    ]);
    const events = await gateway.database.rows('select type, data from events where object_id = $1 order by id', [id]);
    expect(events).toEqual([{ type: 'refund.pending', data: created.body }, { type: 'refund.succeeded', data: done }]);
    expect(await audited(id)).toEqual(expect.arrayContaining(['refund.created', 'payout.created', 'refund.succeeded']));
    const [history] = await gateway.database.rows("select before, after from audit_events where object_id = $1 and kind = 'payment.refunded'", [payment]);
    expect(history).toEqual({ before: { amount_refunded: '0.00' }, after: { amount_refunded: '10.00', refund: id } });
    const { body: statement } = await merchant.get<{ data: object[] }>('/v1/ledger/entries?account=payout');
    expect(statement.data).toMatchObject([{ code: 'refund', reference: id, amount: '10.00', type: 'credit' }]);
  });

  it('gives all back that is left, in as many parts as wanted, and no more', async () => {
    await pay('100.00');
    const payment = await pay('25.00');
    expect((await refund(payment, { amount: '5.00' })).body).toMatchObject({ status: 'pending', amount: '5.00' });
    expect((await refund(payment)).body).toMatchObject({ status: 'pending', amount: '20.00' });
    const more = await refund(payment, { amount: '0.01' });
    expectProblem(more, 422, 'refund_exceeds_payment');
    expect(more.body).toMatchObject({ detail: 'Of this payment nothing is left to refund; refunds that are under way count.' });
    expectProblem(await refund(payment), 422, 'refund_exceeds_payment');
    const other = await pay('25.00');
    expect((await refund(other, { amount: '25.01' })).body).toMatchObject({
      code: 'refund_exceeds_payment', detail: 'Of this payment at most 25.00 USD can be refunded; refunds that are under way count.',
    });
    const away = 'select (amount_refunded_minor + amount_refunding_minor)::int from payments where id = $1';
    expect([await gateway.database.value(away, [payment]), await gateway.database.value(away, [other]), await rows()]).toEqual([2500, 0, 2]);
  });

  it('answers a repeated request with the refund that it made, also while withdrawals are paused', async () => {
    const payment = await pay('25.00');
    const idempotencyKey = randomUUID();
    const ask = () => merchant.post('/v1/refunds', { payment, amount: '5.00' }, { idempotencyKey });
    const first = await ask();
    await pause(merchant.credentials.clientId, true);
    const again = await ask();
    await pause(merchant.credentials.clientId, false);
    expect([again.status, again.text, again.headers.get('idempotency-replayed')]).toEqual([201, first.text, 'true']);
    expect(await rows()).toBe(1);
  });

  it('holds nothing when it refuses', async () => {
    const live = await gateway.merchant({ feeBps: 250, live: true });
    merchant = await anotherKey(gateway, live);
    const payment = await pay('25.00');
    const { body: open } = await merchant.post<{ id: string }>('/v1/payments', { amount: '25.00', currency: 'USD', method: 'simulated' });
    const refusals: [Answer, number, string][] = [
      [await refund(payment), 422, 'insufficient_funds'],
      [await refund(open.id), 409, 'state_conflict'],
      [await refund(`pay_${'0'.repeat(32)}`), 404, 'not_found'],
      [await refund(payment, {}, await gateway.merchant()), 404, 'not_found'],
      [await refund(payment, {}, live), 404, 'not_found'],
      [await refund(payment, {}, await anotherKey(gateway, merchant, { scopes: ['payments:write', 'refunds:read'] })), 403, 'scope_missing'],
      ...(await Promise.all(['0.00', '10.001', '-1.00', 5, null].map(async (amount) => [await refund(payment, { amount }), 422, 'validation_failed'] as [Answer, number, string]))),
      [await refund(payment, { destination: CUSTOMER }), 422, 'validation_failed'],
    ];
    for (const [answer, status, code] of refusals) expectProblem(answer, status, code);
    expect([await rows(), await refunding(payment)]).toEqual([0, '0']);
    expect((await accounts()).every(({ held }) => held === '0')).toBe(true);
  });

  it('never gives back more than a payment, whoever asks at the same time', async () => {
    await pay('100.00');
    const payment = await pay('10.00');
    const answers = await Promise.all(Array.from({ length: 30 }, () => refund(payment, { amount: '1.00' })));
    const codes = answers.map(({ status, body }) => (status === 201 ? 'made' : (body as unknown as { code: string }).code));
    expect(codes.filter((code) => code === 'made')).toHaveLength(10);
    expect(new Set(codes)).toEqual(new Set(['made', 'refund_exceeds_payment']));
    await eventually(async () => (await merchant.get<{ amount_refunded: string }>(`/v1/payments/${payment}`)).body.amount_refunded === '10.00');
    expect(await accounts()).toEqual([
      { kind: 'available', free: '10000', held: '0' }, { kind: 'payout', free: '1000', held: '0' }, { kind: 'provider', free: '11000', held: '0' },
    ]);
    const beyond = gateway.database.rows('update payments set amount_refunding_minor = 1 where id = $1', [payment]);
    await expect(beyond).rejects.toMatchObject({ constraint: 'payments_refund_within_received' });
  });

  it.each(['withdrawals', 'client'])('stops while %s is paused, and says why', async (area) => {
    const payment = await pay('25.00');
    const id = area === 'client' ? merchant.credentials.clientId : area;
    await pause(id, true);
    const stopped = await refund(payment);
    await pause(id, false);
    expectProblem(stopped, 503, 'paused');
    expect(stopped.body).toMatchObject({ detail: expect.stringContaining('the bank is closed') as string });
    expect((await refund(payment)).status).toBe(201);
  });

  it('asks people about what is large, of unknown value, or odd', async () => {
    expect((await refund(await pay('1000.00'), { amount: '999.99' })).body).toMatchObject({ status: 'pending', approvals_required: 0 });
    const large = await refund(await pay('1000.00'));
    expect(large.body).toMatchObject({ status: 'requires_approval', approvals_required: 1, approvals: 0 });
    const inParts = await pay('1500.00');
    expect((await refund(inParts, { amount: '999.99' })).body.status).toBe('pending');
    expect((await refund(inParts, { amount: '0.01' })).body).toMatchObject({ status: 'requires_approval' });
    expect((await refund(await pay('5.00', 'EUR'))).body).toMatchObject({ status: 'requires_approval' });
    expect(await gateway.database.rows('select type from events where object_id = $1', [large.body.id])).toEqual([{ type: 'refund.requires_approval' }]);
    expect(await gateway.database.rows('select 1 from payouts where subject_id = $1', [large.body.id])).toEqual([]);

    merchant = await gateway.merchant();
    const payment = await pay('50.00');
    const small = await Promise.all([1, 2, 3].map(async () => (await refund(payment, { amount: '1.00' })).body.id));
    await Promise.all(small.map((id) => became(id, 'succeeded')));
    expect((await refund(payment, { amount: '20.00' })).body).toMatchObject({
      status: 'requires_approval',
      risk: { score: 0.55, decision: 'review', reasons: ['20.0 times the usual amount (20.00 USD; usual 1.00)', 'at least twice the largest before (1.00 USD)'] },
    });
  });

  it('is stopped where the rules say so, and nothing is held', async () => {
    const { body } = await merchant.post<{ id: string }>('/v1/payments', { amount: '25.00', currency: 'USD', method: 'simulated', customer: 'mallory' });
    const payment = body.id;
    await merchant.post(`/v1/test/payments/${payment}/pay`);
    await gateway.database.rows(
      `insert into risk_list_entries (id, list, kind, value, source, reason, created_by)
       values ('rle_${'0'.repeat(32)}', 'block', 'customer', 'mallory', 'staff', 'a known fraudster', 'usr_x')`,
    );
    const reason = 'the customer mallory is on the block list: a known fraudster';
    const stopped = await refund(payment);
    expectProblem(stopped, 403, 'risk_blocked');
    expect([(stopped.body as unknown as { detail: string }).detail, await rows()]).toEqual([expect.stringMatching(`^This refund is stopped: ${reason}; .* Nothing was held\\.$`), 0]);
    const [noted] = await gateway.database.rows("select severity, details from security_events where kind = 'risk.test_blocked'");
    expect(noted).toMatchObject({ severity: 'low', details: { subject: 'refund', score: 1, reasons: expect.arrayContaining([reason]) } });
    expect(await gateway.database.rows('select decision, fired from risk_assessments where subject_id = $1', [(noted.details as { subject_id: string }).subject_id]))
      .toEqual([{ decision: 'block', fired: ['refund_block_list', 'refund_whole_at_once'] }]);
  });

  it('lets test keys decide, and try every end of a payout', async () => {
    const plays = [
      [{}, 'succeeded', null, 1], [{ payout: 'timeout' }, 'succeeded', null, 1], [{ payout: 'lost' }, 'succeeded', null, 1],
      [{ payout: 'failed' }, 'failed', 'the simulated provider refuses it', 0], [{ decision: 'reject' }, 'failed', 'rejected by the simulator', 0],
    ] as const;
    await Promise.all(plays.map(async ([play, status, failure, paid]) => {
      const payment = await pay('2000.00');
      const { body: { id } } = await refund(payment);
      const decided = await merchant.post<RefundObject>(`/v1/test/refunds/${id}/decide`, play);
      expect(decided.body).toMatchObject('decision' in play ? { status: 'failed', approvals: 0 } : { status: 'pending', approvals: 1 });
      expectProblem(await merchant.post(`/v1/test/refunds/${id}/decide`, play), 409, 'state_conflict');
      expect(await became(id, status)).toMatchObject({ failure });
      const payments = await gateway.database.value(
        'select count(*)::int from simulated_payouts s join payouts p on p.id = s.payout_id where p.subject_id = $1', [id]);
      expect([play, payments, await refunding(payment)]).toEqual([play, paid, '0']);
      expect((await merchant.get(`/v1/payments/${payment}`)).body).toMatchObject({ amount_refunded: status === 'succeeded' ? '2000.00' : '0.00' });
      // What was not paid can be given back once more.
      if (status === 'failed') expect((await refund(payment, { amount: '500.00' })).body).toMatchObject({ amount: '500.00' });
    }));
    const live = await gateway.merchant({ live: true });
    expectProblem(await live.post(`/v1/test/refunds/ref_${'0'.repeat(32)}/decide`), 404, 'not_found');
  }, 40_000);

  it('sends chain payments to an address that is named, and never to one of ours', async () => {
    const method = 'usdt_trc20';
    const payment = await paidPayment(gateway, merchant, { method, currency: 'USDT', amountMinor: 25_000_000n, depositAddress: DEPOSIT });
    await gateway.database.rows(
      `insert into watched_addresses (chain, address, client_id, livemode, payment_id, derivation_index, complete_until)
       select 'tron', unnest($3::text[]), $1, false, $2, 0, now()`, [merchant.credentials.clientId, payment, [DEPOSIT, OTHER_DEPOSIT]],
    );
    const said = async (destination?: string) => {
      const answer = await refund(payment, { amount: '5', destination });
      expectProblem(answer, 422, 'validation_failed');
      const [error] = (answer.body as unknown as { errors: { field: string; message: string }[] }).errors;
      return `${error!.field} ${error!.message}`;
    };
    expect(await said()).toBe('destination is required: name the TRON address that the money goes back to');
    expect(await said(CUSTOMER.replace('L', 'l'))).toBe('destination must be a TRON address with a correct checksum');
    expect(await said(USDT_CONTRACT)).toBe('destination is the contract of USDT itself; money sent there is lost');
    for (const ours of [DEPOSIT, OTHER_DEPOSIT]) expect(await said(ours)).toBe('destination is a deposit address of this gateway; name an address of the customer');
    const { body } = await refund(payment, { amount: '5', destination: CUSTOMER });
    expect(body).toMatchObject({ status: 'pending', amount: '5.000000', currency: 'USDT', destination: CUSTOMER });
    await became(body.id, 'succeeded');
    expect(await gateway.database.rows('select destination from payouts where subject_id = $1', [body.id])).toEqual([{ destination: CUSTOMER }]);
  });

  it('gives live card payments back through their provider, once one is set up', async () => {
    const live = await gateway.merchant({ live: true });
    const payment = await paidPayment(gateway, live, { method: 'card', currency: 'USD', amountMinor: 2500n, livemode: true });
    const without = await refund(payment, {}, live);
    expectProblem(without, 422, 'validation_failed');
    expect(without.body).toMatchObject({ errors: [{ field: 'payment', message: 'card refunds are not set up on this gateway' }] });
    const ordered: string[] = [];
    gateway.app.get(RefundPorts).register('card', { order: async (_tx, { id }) => void ordered.push(id) });
    const { body } = await refund(payment, {}, live);
    expect([body.status, ordered]).toEqual(['pending', [body.id]]);
    expect(await gateway.database.rows('select 1 from payouts where subject_id = $1', [body.id])).toEqual([]);
  });

  it('is listed by payment and by status, for those who may read', async () => {
    const [one, two] = [await pay('10.00'), await pay('2000.00')];
    const a = (await refund(one, { amount: '1.00' })).body.id;
    const b = (await refund(two)).body.id;
    await became(a, 'succeeded');
    const list = async (query: string, by: { get: Merchant['get'] } = merchant) =>
      (await by.get<{ data: RefundObject[] }>(`/v1/refunds${query}`)).body.data.map(({ id }) => id);
    expect([await list(''), await list(`?payment=${one}`), await list('?status=requires_approval'), await list(`?payment=${one}&status=failed`)])
      .toEqual([[b, a], [a], [b], []]);
    expect(await list('', await member(gateway, merchant, 'viewer') as unknown as { get: Merchant['get'] })).toEqual([b, a]);
    expect(await list('', await gateway.merchant())).toEqual([]);
  });

  it('agrees with the ledger in the end', async () => {
    expect(await gateway.app.get(LedgerCheck).run()).toMatchObject({ ok: true, counts: { refunds: expect.any(Number) as number } });
  });
});
