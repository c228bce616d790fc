import { LedgerCheck } from '../src/ledger/ledger-check';
import { RefundDeposits } from '../src/payments/refunds/refund-deposits';
import type { AdminRefundObject, RefundObject } from '../src/payments/refunds/refund-presenter';
import { RunPayouts } from '../src/payouts/run-payouts';
import { UnitOfWork } from '../src/platform/database/unit-of-work';
import { runInContext } from '../src/platform/http/request-context';
import { eventually } from './support/eventually';
import { FakeTron } from './support/fake-tron';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { paidPayment } from './support/paid-payment';
import { expectProblem } from './support/problems';
import { type Shown, signer, type Signer } from './support/signing';

const CUSTOMER = 'TNPeeaaFB7K9cmo4uQpcU32zGK8G1NYqeL';
const MINE = 'select kind, abs(credits_posted - debits_posted)::text as free, (debits_pending + credits_pending)::text as held from ledger_accounts where client_id = $1 order by kind';

describe('decisions on refunds', () => {
  let tron: FakeTron;
  let gateway: Gateway;
  let merchant: Merchant;
  let ann: Signer;
  let bob: Signer;

  beforeAll(async () => {
    tron = await FakeTron.start();
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false', TRON_API_BASE: tron.url } });
  });
  beforeEach(async () => {
    merchant = await gateway.merchant();
    // New people for each test: a code is good for one decision, and two steps of time are all there are to wait for.
    [ann, bob] = await Promise.all([signer(gateway, 'approver'), signer(gateway, 'admin')]);
  });
  afterAll(async () => {
    await gateway.stop();
    await tron.stop();
  });

  const large = async (): Promise<{ payment: string; id: string; path: string; shown: Shown }> => {
    const payment = await paidPayment(gateway, merchant, { method: 'card', currency: 'USD', amountMinor: 200_000n });
    const { body } = await merchant.post<RefundObject>('/v1/refunds', { payment, amount: '1500.00' });
    expect(body.status).toBe('requires_approval');
    return { payment, id: body.id, path: `/v1/admin/refunds/${body.id}`, shown: { id: body.id, revision: 1, amount: '1500.00', currency: 'USD', destination: '' } };
  };
  const statusOf = async (id: string) => (await ann.person.get<AdminRefundObject>(`/v1/admin/refunds/${id}`)).body.status;
  const became = (id: string, status: string) => eventually(async () => (await statusOf(id)) === status);
  const books = (of = merchant) => gateway.database.rows(MINE, [of.credentials.clientId]);
  const decisions = (id: string) => gateway.database.rows('select decision, person_id, evidence from decisions where subject_id = $1', [id]);
  const told = async (id: string) => (await gateway.database.rows<{ type: string }>('select type from events where object_id = $1 order by id', [id])).map(({ type }) => type);

  it('are shown to staff with all that they sign', async () => {
    const { id, path, payment } = await large();
    const { body } = await ann.person.get<AdminRefundObject>(path);
    expect(body).toMatchObject({
      id, client: merchant.credentials.clientId, payment, deposit: null, method: 'card', destination: '', revision: 1, amount: '1500.00',
      requested_by: merchant.credentials.keyId, age_seconds: expect.any(Number) as number,
    });
    const list = async (query: string) => (await ann.person.get<{ data: { id: string }[] }>(`/v1/admin/refunds?${query}`)).body.data.map((each) => each.id);
    const mine = `client=${merchant.credentials.clientId}`;
    expect([await list(mine), await list(`${mine}&status=requires_approval&livemode=false`), await list(`${mine}&livemode=true`), await list(`${mine}&status=failed`)])
      .toEqual([[id], [id], [], []]);
    expectProblem(await ann.person.get(`/v1/admin/refunds/ref_${'0'.repeat(32)}`), 404, 'not_found');
  });

  it('are approved by one person, and paid', async () => {
    const { id, path, shown, payment } = await large();
    const approved = await ann.decide<AdminRefundObject>(`${path}/approve`, 'approve', shown);
    expect([approved.status, approved.body]).toMatchObject([200, { status: 'pending', approvals: 1, approvals_required: 1, revision: 2 }]);
    await became(id, 'succeeded');
    expect(await told(id)).toEqual(['refund.requires_approval', 'refund.pending', 'refund.succeeded']);
    expect(await decisions(id)).toEqual([{ decision: 'approve', person_id: ann.person.id, evidence: null }]);
    expect((await bob.person.get(path)).body).toMatchObject({
      decisions: [{ decision: 'approve', person: ann.person.id, revision: 1, simulated: false }], payouts: [{ attempt: 1, port: 'simulator', status: 'completed' }],
    });
    expect((await merchant.get(`/v1/payments/${payment}`)).body).toMatchObject({ amount_refunded: '1500.00' });
    expect(await books()).toEqual([
      { kind: 'available', free: '50000', held: '0' }, { kind: 'payout', free: '150000', held: '0' }, { kind: 'provider', free: '200000', held: '0' },
    ]);
    for (const [person, revision] of [[ann, 1], [bob, 3]] as const) {
      expectProblem(await person.decide(`${path}/approve`, 'approve', { ...shown, revision }), 409, 'state_conflict');
    }
  });

  it('are rejected with a reason, which lets the funds go', async () => {
    const { id, path, shown, payment } = await large();
    const rejected = await ann.decide<AdminRefundObject>(`${path}/reject`, 'reject', shown, { body: { reason: 'not the same card' } });
    expect(rejected.body).toMatchObject({ status: 'failed', failure: 'not the same card', approvals: 0 });
    expect(await decisions(id)).toEqual([{ decision: 'reject', person_id: ann.person.id, evidence: 'not the same card' }]);
    expect([await told(id), await books()]).toEqual([['refund.requires_approval', 'refund.failed'], [
      { kind: 'available', free: '200000', held: '0' }, { kind: 'payout', free: '0', held: '0' }, { kind: 'provider', free: '200000', held: '0' },
    ]]);
    expect((await merchant.post('/v1/refunds', { payment })).body).toMatchObject({ amount: '2000.00' });
  });

  it('are refused when the words are not those of the refund, or the person may not', async () => {
    const { id, path, shown } = await large();
    expectProblem(await ann.decide(`${path}/approve`, 'approve', { ...shown, amount: '15.00' }), 409, 'stale_revision');
    expectProblem(await ann.decide(`${path}/approve`, 'approve', { ...shown, revision: 2 }), 409, 'stale_revision');
    expectProblem(await ann.decide(`${path}/approve`, 'approve', { ...shown, destination: CUSTOMER }), 409, 'stale_revision');
    expectProblem(await ann.decide(`${path}/approve`, 'approve', shown, { signed: { amount: '1.00' } }), 401, 'signature_invalid');
    expectProblem(await ann.decide(`${path}/approve`, 'reject', shown), 401, 'signature_invalid');
    expectProblem(await ann.decide(`${path}/approve`, 'approve', shown, { body: { totp_code: '000000' } }), 403, 'two_factor_invalid');
    const analyst = await signer(gateway, 'analyst');
    expectProblem(await analyst.decide(`${path}/approve`, 'approve', shown), 403, 'forbidden');
    await gateway.database.rows('update refunds set requested_by = $2 where id = $1', [id, ann.person.id]);
    expectProblem(await ann.decide(`${path}/approve`, 'approve', shown), 403, 'self_approval');
    const another = await paidPayment(gateway, merchant, { method: 'card', currency: 'USD', amountMinor: 200n });
    const small = await merchant.post<RefundObject>('/v1/refunds', { payment: another, amount: '1.00' });
    expectProblem(await bob.decide(`/v1/admin/refunds/${small.body.id}/approve`, 'approve', { ...shown, id: small.body.id, amount: '1.00' }), 409, 'state_conflict');
    expect([await statusOf(id), await decisions(id)]).toEqual(['requires_approval', []]);
  });

  it('are refused by the database too, when nobody else would', async () => {
    const { id } = await large();
    const { clientId } = merchant.credentials;
    await expect(gateway.database.rows("update refunds set status = 'pending' where id = $1", [id])).rejects.toMatchObject({ constraint: 'refunds_are_approved' });
    const decide = (person: string, amount: string) => gateway.database.rows(
      `insert into decisions (client_id, livemode, subject_id, decision, person_id, requested_by, revision, amount_minor, currency, destination, simulated)
       values ($1, false, $2, 'approve', $3, $4, 1, $5, 'USD', '', true)`, [clientId, id, person, merchant.credentials.keyId, amount],
    );
    await expect(decide(merchant.credentials.keyId, '150000')).rejects.toMatchObject({ constraint: 'decisions_four_eyes' });
    await expect(decide('usr_x', '150001')).rejects.toMatchObject({ constraint: 'decisions_match_their_subject' });
  });

  it('wait while withdrawals are paused, and use up no code then', async () => {
    const { path, shown } = await large();
    const code = await ann.person.code();
    await gateway.database.rows("insert into switches (id, paused, reason, changed_by) values ($1, true, 'audit', 'test')", [merchant.credentials.clientId]);
    expectProblem(await ann.decide(`${path}/approve`, 'approve', shown, { body: { totp_code: code } }), 503, 'paused');
    await gateway.database.rows('update switches set paused = false where id = $1', [merchant.credentials.clientId]);
    expect((await ann.decide(`${path}/approve`, 'approve', shown, { body: { totp_code: code } })).body).toMatchObject({ status: 'pending' });
  });

  it('end in one way when two people decide at the same time', async () => {
    const { id, path, shown } = await large();
    const [approved, rejected] = await Promise.all([ann.decide(`${path}/approve`, 'approve', shown), bob.decide(`${path}/reject`, 'reject', shown)]);
    expect([approved.status, rejected.status].sort()).toEqual([200, 409]);
    await became(id, approved.status === 200 ? 'succeeded' : 'failed');
    expect(await decisions(id)).toHaveLength(1);
  });

  describe('that people pay by hand', () => {
    let live: Merchant;
    const refund = async (amount = '5.00') => {
      const payment = await paidPayment(gateway, live, { method: 'usdt_trc20', currency: 'USDT', amountMinor: 25_000_000n, livemode: true });
      const { body } = await live.post<RefundObject>('/v1/refunds', { payment, amount, destination: CUSTOMER });
      expect(body).toMatchObject({ status: 'pending', approvals_required: 0 });
      return `/v1/admin/refunds/${body.id}`;
    };
    const sent = (amountMinor = 5_000_000n, to = CUSTOMER) => tron.chain.transfer({ to, amountMinor });
    /** What the sweep does when the time has come. */
    const lookAgain = async () => {
      await gateway.database.rows("update payouts set next_check_at = now() where status in ('sending', 'unknown')");
      await runInContext({ requestId: 'test-look', startedAt: 0 }, () => gateway.app.get(RunPayouts).sweep());
    };

    beforeEach(async () => {
      live = await gateway.merchant({ live: true });
    });

    it('succeed once the chain shows the transfer as final', async () => {
      const path = await refund();
      expect((await ann.person.post(`${path}/begin`)).body).toMatchObject({ status: 'pending' });
      expectProblem(await bob.person.post(`${path}/begin`), 409, 'state_conflict');
      const hash = sent();
      expect((await ann.person.post(`${path}/complete`, { hash: `0x${hash.toUpperCase()}` })).body).toMatchObject({ status: 'pending', transaction_hash: null });
      tron.chain.confirm(hash);
      await lookAgain();
      const { body } = await ann.person.get<AdminRefundObject>(path);
      expect(body).toMatchObject({ status: 'succeeded', transaction_hash: hash });
      expect(await books(live)).toEqual([
        { kind: 'available', free: '20000000', held: '0' }, { kind: 'payout', free: '5000000', held: '0' }, { kind: 'provider', free: '25000000', held: '0' },
      ]);
      const again = await refund();
      expectProblem(await ann.person.post(`${again}/complete`, { hash }), 409, 'transaction_already_used');
      expectProblem(await ann.person.post(`${again}/complete`, { hash: 'ab' }), 422, 'validation_failed');
    });

    it('stay open when something else was sent, until the right transfer is named', async () => {
      const path = await refund();
      const [wrong, right] = [sent(4_999_999n), sent()];
      for (const hash of [wrong, right]) tron.chain.confirm(hash);
      expect((await ann.person.post(`${path}/complete`, { hash: wrong })).body).toMatchObject({ status: 'pending' });
      const [failed] = await gateway.database.rows('select status, failure from payouts where subject_id = $1', [path.split('/')[4]]);
      expect(failed).toEqual({ status: 'failed', failure: 'the transaction sends 4.999999 USDT instead of 5.000000' });
      expect((await ann.person.post(`${path}/complete`, { hash: right })).body).toMatchObject({ status: 'succeeded', transaction_hash: right });
    });

    it('are given up by somebody who has not taken them to pay, and only while nothing is looked up', async () => {
      const path = await refund();
      await ann.person.post(`${path}/begin`);
      expectProblem(await ann.person.post(`${path}/fail`, { reason: 'sent back' }), 403, 'self_approval');
      expect((await bob.person.post(`${path}/fail`, { reason: 'the address is closed' })).body).toMatchObject({ status: 'failed', failure: 'the address is closed' });
      expect((await books(live))[0]).toMatchObject({ free: '25000000', held: '0' });
      const other = await refund();
      await ann.person.post(`${other}/complete`, { hash: sent() });
      expectProblem(await bob.person.post(`${other}/fail`, { reason: 'never mind' }), 409, 'state_conflict');
      const test = (await large()).path;
      for (const [verb, body] of [['begin', {}], ['complete', { hash: 'a'.repeat(64) }], ['fail', { reason: 'no' }]] as const) {
        expectProblem(await ann.person.post(`${test}/${verb}`, body), 409, 'state_conflict');
      }
    });
  });

  describe('of unmatched deposits', () => {
    /** Money for a payment that was canceled, as one of the staff gives it back. */
    const deposit = async (destination = '', book: object = {}) => {
      const { body } = await merchant.post<{ id: string }>('/v1/payments', { amount: '25.00', currency: 'USD', method: 'simulated' });
      await merchant.post(`/v1/payments/${body.id}/cancel`);
      await merchant.post(`/v1/test/payments/${body.id}/pay`);
      const id = await gateway.database.value<string>('select id from unmatched_deposits where payment_id = $1', [body.id]);
      const context = { requestId: 'test-deposit', actor: { type: 'person' as const, id: ann.person.id }, startedAt: 0 };
      const refund = await runInContext(context, () => gateway.app.get(UnitOfWork).run(async (tx) => {
        await tx.query("update unmatched_deposits set status = 'refunding', resolved_by = $2, revision = revision + 1 where id = $1", [id, ann.person.id]);
        return gateway.app.get(RefundDeposits).createForDeposit(tx, {
          book: { clientId: merchant.credentials.clientId, livemode: false, ...book }, depositId: id, amountMinor: 2500n, currency: 'USD', destination, requestedBy: ann.person.id,
        });
      }));
      return { id, refund, path: `/v1/admin/refunds/${refund.id}`, shown: { id: refund.id, revision: 1, amount: '25.00', currency: 'USD', destination: '' } };
    };
    const stateOf = async (id: string) => (await gateway.database.rows('select status, resolved_by from unmatched_deposits where id = $1', [id]))[0];

    it('hold the unmatched money, take a second person, and end the deposit', async () => {
      const { id, path, shown, refund } = await deposit();
      expect(await books()).toMatchObject([{ kind: 'payout', held: '2500' }, { kind: 'provider' }, { kind: 'unmatched', free: '2500', held: '2500' }]);
      expectProblem(await ann.decide(`${path}/approve`, 'approve', shown), 403, 'self_approval');
      expect((await bob.decide(`${path}/approve`, 'approve', shown)).body).toMatchObject({ status: 'pending', payment: null, deposit: id, method: 'deposit' });
      await became(refund.id, 'succeeded');
      expect(await stateOf(id)).toEqual({ status: 'refunded', resolved_by: ann.person.id });
      expect(await books()).toMatchObject([{ kind: 'payout', free: '2500', held: '0' }, { kind: 'provider' }, { kind: 'unmatched', free: '0', held: '0' }]);
    });

    it('leave the deposit open when they are rejected', async () => {
      const { id, path, shown } = await deposit();
      expect((await bob.decide(`${path}/reject`, 'reject', shown)).body).toMatchObject({ status: 'failed' });
      expect(await stateOf(id)).toEqual({ status: 'open', resolved_by: null });
      const [history] = await gateway.database.rows("select actor_id, after from audit_events where object_id = $1 and kind = 'unmatched_deposit.open'", [id]);
      expect(history).toEqual({ actor_id: bob.person.id, after: { status: 'open', refund: shown.id } });
      expect(await books()).toMatchObject([{ kind: 'payout', held: '0' }, { kind: 'provider' }, { kind: 'unmatched', free: '2500', held: '0' }]);
    });

    it('go to no address that the money could not have come from', async () => {
      await expect(deposit(CUSTOMER)).rejects.toMatchObject({ code: 'validation_failed', detail: 'Check destination: is for USDT; USD goes back the way it came.' });
      await expect(deposit('', { livemode: true })).rejects.toMatchObject({ code: 'state_conflict' });
    });
  });

  describe('in the check of the ledger', () => {
    const check = () => gateway.app.get(LedgerCheck).run();

    it('agree with their payments and holds, and are named where they do not', async () => {
      const { id, payment } = await large();
      expect(await check()).toMatchObject({ ok: true });
      const mutations: [table: string, change: string, where: string][] = [
        ['payments', 'amount_refunded_minor = amount_refunded_minor + 1', `payment ${payment}, amount_refunded_minor by its refunds`],
        ['payments', 'amount_refunding_minor = amount_refunding_minor - 1', `payment ${payment}, amount_refunding_minor by its refunds`],
        ['refunds', 'amount_minor = amount_minor - 1', `refund ${id}, what it holds`],
        ['refunds', "status = 'failed'", `refund ${id}, the state of its hold`],
      ];
      for (const [table, change, where] of mutations) {
        const key = table === 'payments' ? payment : id;
        await gateway.database.rows(`create table saved as select * from ${table} where id = '${key}'`);
        await gateway.database.rows(`update ${table} set ${change} where id = $1`, [key]);
        expect([change, (await check()).fault]).toMatchObject([change, { where }]);
        const [column] = change.split(' ');
        await gateway.database.rows(`update ${table} set ${column} = (select ${column} from saved) where id = $1`, [key]);
        await gateway.database.rows('drop table saved');
      }
      await gateway.database.rows(
        `select ledger_transfer($1, false, 'USD', '[{"id": "tr_x", "debit": "available", "credit": "payout", "amount_minor": 1, "code": "refund",
           "state": "pending", "reference_id": "ref_x"}]')`, [merchant.credentials.clientId],
      );
      expect((await check()).fault).toMatchObject({ where: 'transfer tr_x, refund' });
      await gateway.database.rows("select ledger_settle($1, false, 'tr_x', 'void')", [merchant.credentials.clientId]);
      await gateway.database.rows("delete from ledger_transfers where id = 'tr_x'");
      expect(await check()).toMatchObject({ ok: true });
    });
  });
});
