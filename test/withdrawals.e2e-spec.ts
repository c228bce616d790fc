import { checkLedger, destinationOf, fund, SOME_ADDRESS, SOME_IBAN, shownOf, withFunds } from './support/funds';
import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { staff, totpCode } from './support/people';
import { signer, type Signer } from './support/signing';

describe('withdrawals', () => {
  let gateway: Gateway;
  let approver: Signer;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    approver = await signer(gateway);
  });
  afterAll(() => gateway.stop());

  const balanceOf = async (merchant: Merchant) => {
    const { body } = await merchant.get<{ balances: { available: string; held: string }[] }>('/v1/balances');
    return [body.balances[0].available, body.balances[0].held];
  };
  const statusOf = (id: string) => gateway.database.value<string>('select status from withdrawals where id = $1', [id]);
  const eventsOf = async (id: string) =>
    (await gateway.database.rows<{ type: string }>('select type from events where object_id = $1 order by created_at, id', [id])).map(({ type }) => type);
  /** A code counts once: each approval has an approver of its own, unless it says which. */
  const approve = async (id: string, by?: Signer) => (by ?? (await signer(gateway))).decide(`/v1/admin/withdrawals/${id}/approve`, 'approve', await shownOf(gateway, id));

  describe('on their way', () => {
    it('are held at once, approved, paid by the simulator, and told step by step', async () => {
      const { merchant, destination } = await withFunds(gateway, { amountMinor: 25_000_000n });
      const asked = await merchant.post('/v1/withdrawals', { amount: '20', currency: 'USDT', destination });
      expect([asked.status, asked.body]).toEqual([201, expect.objectContaining({
        object: 'withdrawal', livemode: false, status: 'pending_review', amount: '20.000000', currency: 'USDT', destination,
        destination_address: SOME_ADDRESS, approvals_required: 1, approvals: 0, revision: 1, failure: null,
        risk: expect.objectContaining({ decision: 'allow' }),
      })]);
      expect(await balanceOf(merchant)).toEqual(['5.000000', '20.000000']);
      const id = asked.body.id as string;
      expect((await merchant.get(`/v1/withdrawals/${id}`)).body).toEqual(asked.body);
      const approved = await approve(id, approver);
      expect([approved.status, approved.body]).toEqual([200, expect.objectContaining({ status: 'approved', approvals: 1, revision: 2 })]);
      await eventually(async () => (await statusOf(id)) === 'completed');
      expect(await balanceOf(merchant)).toEqual(['5.000000', '0.000000']);
      expect(await eventsOf(id)).toEqual(['withdrawal.pending_review', 'withdrawal.approved', 'withdrawal.processing', 'withdrawal.completed']);
      const kinds = await gateway.database.rows<{ kind: string; actor_type: string }>(
        "select kind, actor_type from audit_events where object_id = $1 and kind like 'withdrawal.%' order by id", [id],
      );
      expect(kinds.map(({ kind, actor_type: by }) => `${kind} by ${by}`)).toEqual([
        'withdrawal.requested by api_key', 'withdrawal.approved by person', 'withdrawal.processing by system', 'withdrawal.completed by system',
      ]);
      const { body: file } = await approver.person.get<{ decisions: object[]; payouts: object[] }>(`/v1/admin/withdrawals/${id}`);
      expect(file).toMatchObject({
        status: 'completed', settled_by: 'simulator', destination: SOME_ADDRESS, destination_id: destination,
        decisions: [{ decision: 'approve', person: approver.person.id, revision: 1, simulated: false }],
        payouts: [{ attempt: 1, port: 'simulator', status: 'completed', sends: 1 }],
      });
    });

    it('that are rejected or canceled let the funds go', async () => {
      const { merchant, request } = await withFunds(gateway, { amountMinor: 25_000_000n });
      const [rejected, canceled] = [await request(), await request()];
      const answer = await approver.decide(`/v1/admin/withdrawals/${rejected}/reject`, 'reject', await shownOf(gateway, rejected), { body: { reason: 'unknown receiver' } });
      expect(answer.body).toMatchObject({ status: 'rejected', failure: 'unknown receiver' });
      expect((await merchant.post(`/v1/withdrawals/${canceled}/cancel`)).body).toMatchObject({ status: 'canceled' });
      expect(await balanceOf(merchant)).toEqual(['25.000000', '0.000000']);
      const again = await merchant.post(`/v1/withdrawals/${canceled}/cancel`);
      expect([again.status, again.body.code]).toEqual([409, 'state_conflict']);
      const late = await approve(canceled);
      expect([late.status, late.body.code]).toEqual([409, 'state_conflict']);
    });

    it('from 10,000 dollars on take two people, and amounts without a known value too', async () => {
      const { merchant, request, destination } = await withFunds(gateway, { amountMinor: 20_000_000_000n });
      const under = await merchant.post('/v1/withdrawals', { amount: '9999.99', currency: 'USDT', destination });
      expect(under.body.approvals_required).toBe(1);
      const id = await request('10000');
      const [first, second] = await Promise.all([signer(gateway), signer(gateway, 'admin')]);
      expect((await approve(id, first)).body).toMatchObject({ status: 'pending_review', approvals: 1, approvals_required: 2, revision: 2 });
      const twice = await approve(id, first);
      expect([twice.status, twice.body.code]).toEqual([409, 'state_conflict']);
      expect((await approve(id, second)).body).toMatchObject({ status: 'approved', approvals: 2, revision: 3 });
      const bank = await destinationOf(gateway, merchant, { type: 'bank_account', iban: SOME_IBAN, holder: 'Example GmbH' });
      await fund(gateway, merchant, 100n, 'EUR');
      const euros = await merchant.post('/v1/withdrawals', { amount: '1', currency: 'EUR', destination: bank });
      expect(euros.body).toMatchObject({ approvals_required: 2, destination_address: `${SOME_IBAN} Example GmbH` });
    });

    it('are listed by status and destination, and staff find them by client and amount', async () => {
      const { merchant, request, destination } = await withFunds(gateway);
      const [small, large] = [await request('1'), await request('30')];
      await merchant.post(`/v1/withdrawals/${small}/cancel`);
      const ids = async (path: string) => (await merchant.get<{ data: { id: string }[] }>(path)).body.data.map(({ id }) => id);
      expect(await ids('/v1/withdrawals')).toEqual([large, small]);
      expect(await ids('/v1/withdrawals?status=canceled')).toEqual([small]);
      expect(await ids(`/v1/withdrawals?destination=${destination}&limit=1`)).toEqual([large]);
      const auditor = await staff(gateway, 'auditor');
      const queue = async (filter: string) => (await auditor.get<{ data: { id: string; age_seconds: number }[] }>(
        `/v1/admin/withdrawals?client=${merchant.credentials.clientId}${filter}`)).body.data;
      expect((await queue('')).map(({ id }) => id)).toEqual([large, small]);
      expect(await queue('&status=pending_review')).toEqual([expect.objectContaining({ id: large, age_seconds: expect.any(Number) })]);
      expect((await queue('&currency=USDT&amount_gte=2')).map(({ id }) => id)).toEqual([large]);
      expect(await queue('&livemode=true')).toEqual([]);
      expect((await auditor.get('/v1/admin/withdrawals?amount_gte=2')).status).toBe(422);
      expect((await auditor.get('/v1/admin/withdrawals?currency=USDT&amount_gte=1e3')).status).toBe(422);
    });
  });

  describe('that cannot be asked for', () => {
    it.each<[string, object, number, string]>([
      ['of more than there is', { amount: '1000.000001' }, 422, 'insufficient_funds'],
      ['of nothing', { amount: '0' }, 422, 'validation_failed'],
      ['as a number', { amount: 10 }, 422, 'validation_failed'],
      ['of too many decimals', { amount: '1.0000001' }, 422, 'validation_failed'],
      ['in dollars to a chain address', { currency: 'USD' }, 422, 'validation_failed'],
      ['to a place that is not there', { destination: `dst_${'0'.repeat(32)}` }, 404, 'not_found'],
      ['with a field of its own', { client_id: 'cli_x' }, 422, 'validation_failed'],
    ])('%s', async (_name, change, status, code) => {
      const { merchant, destination } = await withFunds(gateway);
      const { body, status: answered } = await merchant.post('/v1/withdrawals', { amount: '10', currency: 'USDT', destination, ...change });
      expect([answered, body.code]).toEqual([status, code]);
      expect(await balanceOf(merchant)).toEqual(['1000.000000', '0.000000']);
      expect(await gateway.database.value('select count(*)::int from withdrawals where client_id = $1', [merchant.credentials.clientId])).toBe(0);
    });

    it('to a new destination, until it has cooled off', async () => {
      const { merchant, destination } = await withFunds(gateway);
      await gateway.database.rows("update destinations set active_at = now() + interval '1 hour' where id = $1", [destination]);
      const early = await merchant.post('/v1/withdrawals', { amount: '10', currency: 'USDT', destination });
      expect([early.status, early.body.code]).toEqual([409, 'destination_cooling_off']);
      await gateway.database.rows('update destinations set active_at = now() where id = $1', [destination]);
      expect((await merchant.post('/v1/withdrawals', { amount: '10', currency: 'USDT', destination })).status).toBe(201);
    });

    it("to another client's destination, or to the other mode's", async () => {
      const { destination } = await withFunds(gateway);
      const { merchant: stranger } = await withFunds(gateway);
      const answer = await stranger.post('/v1/withdrawals', { amount: '10', currency: 'USDT', destination });
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
    });
  });

  it('happen once for one idempotency key, and not again when it is sent again', async () => {
    const { merchant, destination } = await withFunds(gateway, { amountMinor: 100_000_000n });
    const body = { amount: '10', currency: 'USDT', destination };
    const answers = await Promise.all(Array.from({ length: 20 }, () => merchant.post('/v1/withdrawals', body, { idempotencyKey: 'once' })));
    expect(answers.filter(({ status, body: { code } }) => status !== 201 && code !== 'idempotency_in_progress')).toEqual([]);
    expect(new Set(answers.filter(({ status }) => status === 201).map(({ body: { id } }) => id)).size).toBe(1);
    expect(await balanceOf(merchant)).toEqual(['90.000000', '10.000000']);
  });

  it('are exactly ten when forty are asked for at once and there is money for ten', async () => {
    const { merchant, destination } = await withFunds(gateway, { amountMinor: 100_000_000n });
    const answers = await Promise.all(Array.from({ length: 40 }, () => merchant.post('/v1/withdrawals', { amount: '10', currency: 'USDT', destination })));
    const tally = (code: unknown) => answers.filter(({ status, body }) => (body.code ?? status) === code).length;
    expect([tally(201), tally('insufficient_funds')]).toEqual([10, 30]);
    expect(await balanceOf(merchant)).toEqual(['0.000000', '100.000000']);
    expect(await gateway.database.value('select count(*)::int from withdrawals where client_id = $1', [merchant.credentials.clientId])).toBe(10);
  });

  it('are approved or canceled, never both, two hundred times', async () => {
    const { merchant, request } = await withFunds(gateway, { amountMinor: 200_000_000n });
    const people = await Promise.all(Array.from({ length: 8 }, () => signer(gateway)));
    const outcomes: string[] = [];
    for (let round = 0; round < 25; round += 1) {
      const ids = await Promise.all(people.map(() => request('1')));
      // A code counts once and lives for half a minute: for so many decisions the last one that was used is forgotten.
      await gateway.database.rows('update people set totp_last_step = 0 where id = any($1)', [people.map(({ person }) => person.id)]);
      const tried = await Promise.all(ids.map(async (id, index) => {
        const shown = await shownOf(gateway, id);
        const [approval, cancel] = await Promise.all([
          people[index].decide(`/v1/admin/withdrawals/${id}/approve`, 'approve', shown, {
            body: { totp_code: await totpCode(people[index].person.totpSecret!) },
          }),
          merchant.post(`/v1/withdrawals/${id}/cancel`),
        ]);
        return [approval.status, cancel.status].join();
      }));
      outcomes.push(...tried);
    }
    expect(outcomes).toHaveLength(200);
    expect(outcomes.filter((outcome) => outcome !== '200,409' && outcome !== '409,200')).toEqual([]);
    await eventually(async () => (await gateway.database.value(
      "select count(*)::int from withdrawals where client_id = $1 and status not in ('completed', 'canceled')", [merchant.credentials.clientId])) === 0);
    expect((await checkLedger(gateway)).fault).toBeUndefined();
  }, 120_000);

  it('end in books that add up', async () => {
    expect(await checkLedger(gateway)).toMatchObject({ ok: true, counts: { withdrawals: expect.any(Number) } });
  });
});
