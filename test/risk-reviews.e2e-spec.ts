import { LedgerCheck } from '../src/ledger/ledger-check';
import { destinationOf, fund, shownOf } from './support/funds';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';
import { signer } from './support/signing';

const PATH = '/v1/admin/risk/reviews';

interface Payment extends Record<string, unknown> {
  id: string;
  status: string;
  exception: string | null;
  fee: string;
  amount_received: string;
}

describe('reviews', () => {
  let gateway: Gateway;
  let analyst: TestPerson;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    analyst = await staff(gateway, 'analyst');
    const rule = (subject: string, name: string) => analyst.post('/v1/admin/risk/rules', {
      name, note: 'a test', rule: { subject, when: [{ signal: 'amount_units', at_least: 666, at_most: 666 }], verdict: 'review', reason: 'an odd amount' },
    });
    expect([(await rule('payment', 'odd_payment')).status, (await rule('withdrawal', 'odd_withdrawal')).status]).toEqual([201, 201]);
  });
  beforeEach(async () => {
    merchant = await gateway.merchant({ feeBps: 250 });
  });
  afterAll(async () => {
    expect(await gateway.app.get(LedgerCheck).run()).toMatchObject({ ok: true });
    await gateway.stop();
  });

  const create = async (more: object = {}) =>
    (await merchant.post<Payment>('/v1/payments', { amount: '666.00', currency: 'USD', method: 'simulated', ...more })).body;
  const pay = async (id: string, body: object = {}) => (await merchant.post<Payment>(`/v1/test/payments/${id}/pay`, body)).body;
  const get = async (id: string) => (await merchant.get<Payment>(`/v1/payments/${id}`)).body;
  const balance = async () => (await merchant.get<{ balances: object[] }>('/v1/balances')).body.balances;
  const decide = (id: string, decision: string, reason = 'looked at it') => analyst.post(`${PATH}/${id}/${decision}`, { reason });
  const told = async (id: string) =>
    (await gateway.database.rows<{ type: string }>('select type from events where object_id = $1 order by created_at, id', [id])).map(({ type }) => type);
  const labelOf = (id: string) => gateway.database.value('select label from risk_labels where subject_id = $1', [id]);

  it('hold what is paid until somebody lets it go, and no fee is taken before', async () => {
    const made = await create();
    expect(made).toMatchObject({ status: 'pending', exception: 'under_review', risk: { score: 0.5, decision: 'review', reasons: ['an odd amount'] } });
    expect(await pay(made.id)).toMatchObject({ status: 'processing', exception: 'under_review', amount_received: '666.00', fee: '0.00' });
    expect(await balance()).toEqual([{ currency: 'USD', available: '0.00', pending: '666.00', held: '0.00' }]);
    const { body: queue } = await analyst.get<{ data: object[] }>(PATH);
    expect(queue.data[0]).toMatchObject({
      id: made.id, status: 'open', subject: 'payment', amount: '666.00', score: 0.5, reasons: ['an odd amount'], rules: ['odd_payment'],
      signals: { amount_units: 666, client_payments_10m: 1 },
    });
    const released = await decide(made.id, 'release');
    expect([released.status, released.body]).toEqual([200, expect.objectContaining({ status: 'released', reason: 'looked at it', decided_by: analyst.id })]);
    expect(await get(made.id)).toMatchObject({ status: 'succeeded', exception: null, fee: '16.65' });
    expect(await balance()).toEqual([{ currency: 'USD', available: '649.35', pending: '0.00', held: '0.00' }]);
    expect(await told(made.id)).toEqual(['payment.created', 'payment.processing', 'payment.succeeded']);
    expect(await labelOf(made.id)).toBe('legitimate');
    expectProblem(await decide(made.id, 'reject'), 409, 'state_conflict');
  });

  it('let a payment go before it is paid, which is then one like any other', async () => {
    const { id } = await create();
    expect((await decide(id, 'release')).status).toBe(200);
    expect(await get(id)).toMatchObject({ status: 'pending', exception: null });
    expect(await pay(id)).toMatchObject({ status: 'succeeded', fee: '16.65' });
  });

  it('give back what was paid for one that is rejected, and all that comes later', async () => {
    const { id } = await create();
    await pay(id);
    expect((await decide(id, 'reject', 'the card was stolen')).status).toBe(200);
    expect(await get(id)).toMatchObject({ status: 'canceled', exception: null });
    expect(await balance()).toEqual([{ currency: 'USD', available: '0.00', pending: '0.00', held: '0.00' }]);
    const deposits = await gateway.database.rows('select amount_minor, reason, wish, booked, status from unmatched_deposits where payment_id = $1', [id]);
    expect(deposits).toEqual([{ amount_minor: '66600', reason: 'closed_payment', wish: 'refund', booked: true, status: 'open' }]);
    expect([await labelOf(id), (await told(id)).at(-1)]).toEqual(['fraud', 'payment.canceled']);
    expect(await pay(id)).toMatchObject({ status: 'canceled' });
    expect(await gateway.database.rows('select wish from unmatched_deposits where payment_id = $1', [id])).toEqual([{ wish: 'refund' }, { wish: 'refund' }]);
  });

  it('wait for the rest of a part, and hold all of it', async () => {
    const { id } = await create();
    expect(await pay(id, { amount: '600.00' })).toMatchObject({ status: 'pending', exception: 'under_review', amount_received: '600.00' });
    expect(await pay(id)).toMatchObject({ status: 'processing', amount_received: '666.00' });
    expect(await pay(id, { amount: '1.00' })).toMatchObject({ status: 'processing', amount_received: '667.00' });
    await decide(id, 'release');
    expect(await get(id)).toMatchObject({ status: 'succeeded', exception: 'overpaid', amount_received: '667.00', fee: '16.68' });
    expect(await balance()).toEqual([{ currency: 'USD', available: '650.32', pending: '0.00', held: '0.00' }]);
  });

  it('put aside what comes beyond the amount, where the merchant gives that back, and never more than came', async () => {
    const rules = await merchant.call('PATCH', '/v1/client/settings', { payment_rules: { tolerance: '1.00', overpaid: 'refund' } });
    expect([rules.status, rules.text]).toEqual([200, expect.any(String)]);
    const { id } = await create();
    expect(await pay(id, { amount: '666.50' })).toMatchObject({ status: 'processing', amount_received: '666.50' });
    expect(await pay(id, { amount: '5.00' })).toMatchObject({ status: 'processing', amount_received: '666.50' });
    expect(await gateway.database.rows('select amount_minor, reason, wish from unmatched_deposits where payment_id = $1', [id]))
      .toEqual([{ amount_minor: '500', reason: 'overpaid', wish: 'refund' }]);
    await decide(id, 'release');
    expect(await get(id)).toMatchObject({ status: 'succeeded', amount_received: '666.50' });
  });

  it('end by themselves with a payment that expires or is canceled, and money that comes late waits for people', async () => {
    const [expired, canceled] = [await create({ expires_in: 60 }), await create()];
    expect((await merchant.post(`/v1/payments/${canceled.id}/cancel`)).status).toBe(200);
    await merchant.post('/v1/test/clock', { advance_seconds: 61 });
    for (const { id } of [expired, canceled]) {
      expect((await analyst.get(`${PATH}/${id}`)).body).toMatchObject({ status: 'closed', decided_by: null });
      expectProblem(await decide(id, 'release'), 409, 'state_conflict');
    }
    expect(await pay(expired.id)).toMatchObject({ status: 'expired', amount_received: '0.00' });
    const [late] = await gateway.database.rows<{ id: string; reason: string; revision: string }>('select id, reason, revision from unmatched_deposits where payment_id = $1', [expired.id]);
    expect([late.reason, (await get(expired.id)).exception]).toEqual(['late', 'paid_late']);
    const admin = await staff(gateway, 'admin');
    const assigned = await admin.post(`/v1/admin/unmatched-deposits/${late.id}/assign`, { payment: expired.id, reason: 'looked at', revision: Number(late.revision) });
    expect([assigned.status, (await get(expired.id)).status]).toEqual([200, 'succeeded']);
  });

  it('decided by two at once have one outcome', async () => {
    const { id } = await create();
    await pay(id);
    const answers = await Promise.all(['release', 'reject', 'release', 'reject'].map((decision) => decide(id, decision)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    const { status } = await get(id);
    expect(['succeeded', 'canceled']).toContain(status);
    expect(await labelOf(id)).toBe(status === 'succeeded' ? 'legitimate' : 'fraud');
  });

  describe('of withdrawals', () => {
    const request = async () => {
      await fund(gateway, merchant, 100_000n, 'USD');
      const destination = await destinationOf(gateway, merchant, { type: 'bank_account', iban: 'DE89370400440532013000', holder: 'Shop' });
      return (await merchant.post<{ id: string }>('/v1/withdrawals', { amount: '666.00', currency: 'USD', destination })).body.id;
    };
    const approve = async (id: string) => (await signer(gateway)).decide(`/v1/admin/withdrawals/${id}/approve`, 'approve', await shownOf(gateway, id));

    it('keep them from being approved, also by the database, until they are released', async () => {
      const id = await request();
      const early = await approve(id);
      expectProblem(early, 409, 'state_conflict');
      expect(early.body.detail).toContain('held for review');
      await expect(gateway.database.rows("update withdrawals set status = 'approved', approvals = 2 where id = $1", [id])).rejects.toThrow('withdrawals_held_are_not_approved');
      expect((await decide(id, 'release')).status).toBe(200);
      expect([(await approve(id)).body.status, (await approve(id)).body.status]).toEqual(['pending_review', 'approved']);
    });

    it('end them with a reason, and the funds are back', async () => {
      const id = await request();
      expect((await decide(id, 'reject', 'not their account')).status).toBe(200);
      expect((await merchant.get(`/v1/withdrawals/${id}`)).body).toMatchObject({ status: 'rejected', failure: 'not their account' });
      expect(await balance()).toEqual([expect.objectContaining({ available: '1000.00', held: '0.00' })]);
      const { body: { data } } = await analyst.get<{ data: { id: string }[] }>(`${PATH}?subject=withdrawal&status=rejected`);
      expect(data.map((each) => each.id)).toEqual([id]);
    });
  });

  it('are decided by analysts and admins with a fresh second factor, and audited', async () => {
    const { id } = await create();
    for (const role of ['approver', 'auditor'] as const) {
      const person = await staff(gateway, role);
      expect([(await person.get(`${PATH}/${id}`)).status, (await person.post(`${PATH}/${id}/release`, { reason: 'no' })).status]).toEqual([200, 403]);
    }
    const stale = await staff(gateway, 'admin', { fresh: false });
    expectProblem(await stale.post(`${PATH}/${id}/release`, { reason: 'no' }), 403, 'two_factor_required');
    expectProblem(await analyst.post(`${PATH}/${id}/release`, {}), 422, 'validation_failed');
    expectProblem(await analyst.post(`${PATH}/pay_${'0'.repeat(32)}/release`, { reason: 'nothing there' }), 404, 'not_found');
    expect((await decide(id, 'release', 'a regular')).status).toBe(200);
    expect(await gateway.database.rows("select actor_id, after from audit_events where object_id = $1 and kind = 'review.released'", [id]))
      .toEqual([{ actor_id: analyst.id, after: { status: 'released', reason: 'a regular', label: 'legitimate' } }]);
  });
});
