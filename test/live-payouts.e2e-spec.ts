import { PAYOUT_SWEEP } from '../src/payouts/payouts';
import { Sweeper } from '../src/platform/jobs/sweeper';
import { eventually } from './support/eventually';
import { FakeTron } from './support/fake-tron';
import { checkLedger, shownOf, SOME_ADDRESS, SOME_IBAN, withFunds } from './support/funds';
import { Gateway } from './support/gateway';
import { staff, type TestPerson } from './support/people';
import { type Signer, signer } from './support/signing';

const OTHER_ADDRESS = 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH';

describe('payouts by hand', () => {
  let gateway: Gateway;
  let tron: FakeTron;
  let operator: TestPerson;
  let clientId: string;
  let toChain: (amount?: string) => Promise<string>;
  let toBank: (amount?: string) => Promise<string>;

  beforeAll(async () => {
    tron = await FakeTron.start();
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false', TRON_API_BASE: tron.url } });
    const made = await withFunds(gateway, { live: true, amountMinor: 10_000_000_000n });
    ({ request: toChain } = made);
    clientId = made.merchant.credentials.clientId;
    const bank = await withFunds(gateway, {
      live: true, amountMinor: 1_000_000n, currency: 'USD', destination: { type: 'bank_account', iban: SOME_IBAN, holder: 'Example GmbH' },
    });
    ({ request: toBank } = bank);
    operator = await staff(gateway, 'approver');
  });
  afterAll(async () => {
    await gateway.stop();
    await tron.stop();
  });

  const approved = async (asked: Promise<string>) => {
    const id = await asked;
    await (await signer(gateway)).decide(`/v1/admin/withdrawals/${id}/approve`, 'approve', await shownOf(gateway, id));
    return id;
  };
  const complete = (id: string, hash: string, by = operator) => by.post(`/v1/admin/withdrawals/${id}/complete`, { hash });
  /** Has the reconciler look now instead of at its next turn. */
  const completedAfterAnotherLook = (id: string) => eventually(async () => {
    await gateway.database.rows('update payouts set next_check_at = now() where subject_id = $1 and next_check_at is not null', [id]);
    gateway.app.get(Sweeper).poke(PAYOUT_SWEEP);
    return (await rowOf(id)).status === 'completed';
  });
  const rowOf = async (id: string) => (await gateway.database.rows('select status, settled_by, transaction_hash from withdrawals where id = $1', [id]))[0];
  const attemptsOf = (id: string) => gateway.database.rows('select status, failure from payouts where subject_id = $1 order by attempt', [id]);
  const pay = (amountMinor: bigint, change: object = {}) => {
    const hash = tron.chain.transfer({ to: SOME_ADDRESS, amountMinor, ...change });
    tron.chain.confirm(hash);
    return hash;
  };

  it('wait for people in live mode, are taken by one, and are complete when the chain says so', async () => {
    const id = await approved(toChain('10'));
    expect(await attemptsOf(id)).toEqual([]);
    const taken = await operator.post(`/v1/admin/withdrawals/${id}/begin`);
    expect(taken.body).toMatchObject({ status: 'processing' });
    const other = await staff(gateway, 'admin');
    expect((await other.post(`/v1/admin/withdrawals/${id}/begin`)).body).toMatchObject({ code: 'state_conflict' });
    const hash = tron.chain.transfer({ to: SOME_ADDRESS, amountMinor: 10_000_000n });
    expect((await complete(id, hash)).body).toMatchObject({ status: 'processing', transaction_hash: null });
    tron.chain.confirm(hash);
    await completedAfterAnotherLook(id);
    expect(await rowOf(id)).toEqual({ status: 'completed', settled_by: 'chain', transaction_hash: hash });
    expect((await complete(id, hash)).body).toMatchObject({ code: 'state_conflict' });
  });

  it('are complete at once when the transaction is final, also when nobody took them first', async () => {
    const id = await approved(toChain('10'));
    const hash = pay(10_000_000n);
    expect((await complete(id, hash)).body).toMatchObject({ status: 'completed', settled_by: 'chain', transaction_hash: hash });
  });

  it.each<[string, bigint, object, string]>([
    ['of another amount', 9_999_999n, {}, 'instead of 10.000000'],
    ['to another address', 10_000_000n, { to: OTHER_ADDRESS }, 'sends no USDT to'],
    ['of another token', 10_000_000n, { contract: OTHER_ADDRESS, symbol: 'USDT' }, 'sends no USDT to'],
    ['that failed', 10_000_000n, { result: 'OUT_OF_ENERGY' }, 'the transaction failed'],
    ['from before it was asked for', 10_000_000n, { at: new Date(Date.now() - 3_600_000) }, 'older than'],
  ])('take no transaction %s, and the right one after it', async (_name, amountMinor, change, reason) => {
    const id = await approved(toChain('10'));
    expect((await complete(id, pay(amountMinor, change))).body).toMatchObject({ status: 'processing', transaction_hash: null });
    expect(await attemptsOf(id)).toEqual([{ status: 'failed', failure: expect.stringContaining(reason) }]);
    expect((await complete(id, pay(10_000_000n))).body).toMatchObject({ status: 'completed' });
  });

  it('take one transaction for one withdrawal, also when it is told for two at once', async () => {
    const [first, second] = [await approved(toChain('10')), await approved(toChain('10'))];
    const hash = pay(10_000_000n);
    const answers = await Promise.all([complete(first, hash), complete(second, hash)]);
    expect(answers.map(({ status, body }) => body.code ?? status).sort()).toEqual([200, 'transaction_already_used']);
    const late = await complete((await rowOf(first)).status === 'completed' ? second : first, hash);
    expect([late.status, late.body.code]).toEqual([409, 'transaction_already_used']);
  });

  it('are looked up when the right transaction is named twice, before and after the chain knows it', async () => {
    const id = await approved(toChain('10'));
    tron.freeze();
    const hash = tron.chain.transfer({ to: SOME_ADDRESS, amountMinor: 10_000_000n });
    expect((await complete(id, hash)).body).toMatchObject({ status: 'processing' });
    expect((await complete(id, hash)).body).toMatchObject({ status: 'processing' });
    expect(await attemptsOf(id)).toEqual([{ status: 'sending', failure: null }]);
    const stale = await staff(gateway, 'approver', { fresh: false });
    expect((await complete(id, 'a'.repeat(64), stale)).body).toMatchObject({ code: 'two_factor_required' });
    expect(await attemptsOf(id)).toEqual([{ status: 'sending', failure: null }]);
    tron.thaw();
    tron.chain.confirm(hash);
    expect((await complete(id, hash)).body).toMatchObject({ status: 'completed', transaction_hash: hash });
  });

  it('may be named again after a slip of the pen, also with the first name once more', async () => {
    const id = await approved(toChain('10'));
    expect((await complete(id, 'f'.repeat(64))).body).toMatchObject({ status: 'processing' });
    expect((await complete(id, pay(10_000_000n))).body).toMatchObject({ status: 'completed' });
    expect(await attemptsOf(id)).toEqual([{ status: 'failed', failure: expect.stringContaining('does not know') }, { status: 'completed', failure: null }]);
    const other = await approved(toChain('10'));
    tron.freeze();
    const right = tron.chain.transfer({ to: SOME_ADDRESS, amountMinor: 10_000_000n });
    await complete(other, right);
    await complete(other, 'e'.repeat(64));
    tron.thaw();
    tron.chain.confirm(right);
    expect((await complete(other, right)).body).toMatchObject({ status: 'completed', transaction_hash: right });
  });

  it('are not given up while a transaction that was named may yet appear, and are once it cannot any more', async () => {
    const id = await approved(toChain('10'));
    await operator.post(`/v1/admin/withdrawals/${id}/begin`);
    tron.freeze();
    const hash = tron.chain.transfer({ to: SOME_ADDRESS, amountMinor: 10_000_000n });
    await complete(id, hash);
    const admin = await staff(gateway, 'admin');
    const fail = () => admin.post(`/v1/admin/withdrawals/${id}/fail`, { reason: 'nothing was sent' });
    expect((await fail()).body).toMatchObject({ code: 'state_conflict' });
    // Another name in its place changes nothing about the first.
    await complete(id, pay(9_000_000n));
    tron.thaw();
    expect((await fail()).body).toMatchObject({ code: 'state_conflict', detail: expect.stringContaining(hash) });
    expect(await gateway.database.value('select state from ledger_transfers where reference_id = $1', [id])).toBe('pending');
    const forgotten = await approved(toChain('10'));
    await complete(forgotten, 'd'.repeat(64));
    await gateway.database.rows("update payouts set updated_at = now() - interval '26 hours', next_check_at = now() where subject_id = $1", [forgotten]);
    gateway.app.get(Sweeper).poke(PAYOUT_SWEEP);
    await eventually(async () => (await attemptsOf(forgotten))[0].status === 'failed');
    await gateway.database.rows("update payouts set updated_at = now() - interval '26 hours' where subject_id = $1", [forgotten]);
    expect((await operator.post(`/v1/admin/withdrawals/${forgotten}/fail`, { reason: 'mine' })).body).toMatchObject({ code: 'self_approval' });
    expect((await admin.post(`/v1/admin/withdrawals/${forgotten}/fail`, { reason: 'never sent' })).body).toMatchObject({ status: 'failed' });
  });

  it('stay under way while the chain cannot be read', async () => {
    const id = await approved(toChain('10'));
    const hash = pay(10_000_000n);
    tron.fail({ mode: 'status500' });
    expect((await complete(id, hash)).body).toMatchObject({ status: 'processing' });
    expect((await operator.post(`/v1/admin/withdrawals/${id}/fail`, { reason: 'I want it back' })).body).toMatchObject({ code: 'state_conflict' });
    tron.heal();
    await completedAfterAnotherLook(id);
    expect(await rowOf(id)).toMatchObject({ status: 'completed' });
  });

  it('are given up by somebody else than who took them', async () => {
    const id = await approved(toChain('10'));
    await operator.post(`/v1/admin/withdrawals/${id}/begin`);
    expect((await operator.post(`/v1/admin/withdrawals/${id}/fail`, { reason: 'no time' })).body).toMatchObject({ code: 'self_approval' });
    const other = await staff(gateway, 'admin');
    expect((await other.post(`/v1/admin/withdrawals/${id}/fail`, { reason: 'nothing was sent' })).body).toMatchObject({ status: 'failed', failure: 'nothing was sent' });
    expect(await gateway.database.value('select state from ledger_transfers where reference_id = $1', [id])).toBe('voided');
    expect((await complete(id, pay(10_000_000n))).body).toMatchObject({ code: 'state_conflict' });
  });

  it('by hash need a second factor of the last minutes, or a code', async () => {
    const id = await approved(toChain('10'));
    const stale = await staff(gateway, 'approver', { fresh: false });
    const hash = pay(10_000_000n);
    expect((await complete(id, hash, stale)).body).toMatchObject({ code: 'two_factor_required' });
    expect((await stale.post(`/v1/admin/withdrawals/${id}/complete`, { hash, totp_code: await stale.code() })).body).toMatchObject({ status: 'completed' });
  });

  it('are neither approved nor taken while their client is suspended', async () => {
    const { merchant, request } = await withFunds(gateway, { live: true, amountMinor: 100_000_000n });
    const [waiting, taken] = [await request('1'), await approved(request('1'))];
    await gateway.database.rows("update clients set status = 'suspended', revision = revision + 1 where id = $1", [merchant.credentials.clientId]);
    const refused = await (await signer(gateway)).decide(`/v1/admin/withdrawals/${waiting}/approve`, 'approve', await shownOf(gateway, waiting));
    expect([refused.status, refused.body]).toEqual([503, expect.objectContaining({ code: 'paused', detail: expect.stringContaining('suspended') })]);
    expect((await operator.post(`/v1/admin/withdrawals/${taken}/begin`)).body).toMatchObject({ code: 'paused' });
  });

  describe('through a bank', () => {
    it('take two people who sign, with evidence', async () => {
      const id = await approved(toBank('10.00'));
      const [first, second] = [await signer(gateway), await signer(gateway)];
      const path = `/v1/admin/withdrawals/${id}/complete`;
      const evidence = { body: { evidence: 'SEPA reference 4711' } };
      expect((await operator.post(path, { hash: '0'.repeat(64) })).body).toMatchObject({ code: 'state_conflict' });
      expect((await first.decide(path, 'complete', await shownOf(gateway, id))).status).toBe(422);
      const proposed = await (await signer(gateway)).decide(path, 'complete', await shownOf(gateway, id), evidence);
      expect([proposed.status, proposed.body]).toEqual([200, expect.objectContaining({ status: 'processing', completions: 1 })]);
      const completed = await second.decide(path, 'complete', await shownOf(gateway, id), evidence);
      expect(completed.body).toMatchObject({ status: 'completed', completions: 2, settled_by: 'people' });
      const { body: file } = await operator.get<{ decisions: { evidence: string | null }[] }>(`/v1/admin/withdrawals/${id}`);
      expect(file.decisions.filter(({ evidence: said }) => said === 'SEPA reference 4711')).toHaveLength(2);
    });

    it('that one has signed to be paid are given up by two who sign, and by nobody with a word', async () => {
      const id = await approved(toBank('10.00'));
      const path = `/v1/admin/withdrawals/${id}`;
      await (await signer(gateway)).decide(`${path}/complete`, 'complete', await shownOf(gateway, id), { body: { evidence: 'SEPA 1' } });
      expect((await operator.post(`${path}/fail`, { reason: 'x' })).body).toMatchObject({ code: 'state_conflict' });
      const [first, second] = [await signer(gateway), await signer(gateway)];
      const deny = async (by: Signer) => by.decide(`${path}/fail`, 'fail', await shownOf(gateway, id), { body: { reason: 'the bank sent it back' } });
      expect((await deny(first)).body).toMatchObject({ status: 'processing' });
      expect((await deny(first)).body).toMatchObject({ code: 'state_conflict' });
      expect((await deny(second)).body).toMatchObject({ status: 'failed', failure: 'the bank sent it back' });
    });

    it('are not complete by the word of one, however often', async () => {
      const id = await approved(toBank('10.00'));
      const only = await signer(gateway);
      const path = `/v1/admin/withdrawals/${id}/complete`;
      const evidence = { body: { evidence: 'trust me' } };
      expect((await only.decide(path, 'complete', await shownOf(gateway, id), evidence)).body).toMatchObject({ completions: 1 });
      expect((await only.decide(path, 'complete', await shownOf(gateway, id), evidence)).body).toMatchObject({ code: 'state_conflict' });
      expect(await rowOf(id)).toMatchObject({ status: 'processing' });
    });
  });

  it('are never simulated in live mode, and leave books that add up', async () => {
    expect(await gateway.database.value("select count(*)::int from payouts where port = 'simulator'")).toBe(0);
    expect(await gateway.database.value('select count(*)::int from withdrawals where client_id = $1 and status = $2', [clientId, 'completed'])).toBeGreaterThan(5);
    expect((await checkLedger(gateway)).fault).toBeUndefined();
  });
});
