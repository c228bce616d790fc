import { newId } from '../src/platform/identifiers';
import { ChainBench, tronEnvironment } from './support/chain-payments';
import { FakeTron } from './support/fake-tron';
import { checkLedger } from './support/funds';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { openSession } from './support/people';
import { expectProblem } from './support/problems';
import { signer, type Signer } from './support/signing';

interface StaffView {
  id: string; status: string; deposit_address: string;
}

describe('payments and staff', () => {
  let tron: FakeTron;
  let gateway: Gateway;
  let merchant: Merchant;
  let admin: Signer;

  beforeAll(async () => {
    tron = await FakeTron.start({ dialect: 'trongrid' });
    gateway = await Gateway.start({ environment: { ...tronEnvironment(tron), RATE_LIMITING_ENABLED: 'false' } });
    admin = await signer(gateway, 'admin');
  });
  beforeEach(async () => {
    merchant = await gateway.merchant({ feeBps: 250 });
  });
  afterAll(async () => {
    expect(await checkLedger(gateway)).toMatchObject({ ok: true });
    await gateway.stop();
    await tron.stop();
  });

  const newPayment = async (body: object = {}) =>
    (await merchant.post<{ id: string }>('/v1/payments', { amount: '10.00', currency: 'USD', method: 'simulated', ...body })).body.id;
  const pay = (id: string, body: object = {}) => merchant.post(`/v1/test/payments/${id}/pay`, body);
  const read = async (id: string) => (await admin.person.get<StaffView>(`/v1/admin/payments/${id}`)).body;
  const setStatus = (id: string, body: object, by = admin) => by.person.post(`/v1/admin/payments/${id}/status`, body);
  const eventsOf = async (id: string) =>
    (await gateway.database.rows<{ type: string }>('select type from events where object_id = $1 order by created_at, id', [id])).map(({ type }) => type);
  const audited = async (id: string, kind: string) => gateway.database.rows<{ actor_id: string; before: object; after: object }>(
    'select actor_id, before, after from audit_events where object_id = $1 and kind = $2 order by id', [id, kind],
  );

  describe('lists', () => {
    const list = async (query: string) => {
      const { status, body } = await admin.person.get<{ data: StaffView[]; has_more: boolean }>(`/v1/admin/payments?${query}`);
      expect(status).toBe(200);
      return { ids: body.data.map(({ id }) => id), more: body.has_more };
    };

    it('hold the payments of all clients and both modes, by client, mode, status, method and exception', async () => {
      const { clientId } = merchant.credentials;
      const [pending, under, card] = [await newPayment(), await newPayment(), await newPayment({ method: 'card' })];
      await pay(under, { amount: '4.00' });
      const other = await gateway.merchant({ live: true });
      const live = (await other.post<{ id: string }>('/v1/payments', { amount: '1.00', currency: 'USD', method: 'card' })).body.id;
      expect((await list('limit=4')).ids).toEqual([live, card, under, pending]);
      expect((await list(`client=${clientId}`)).ids).toEqual([card, under, pending]);
      expect((await list(`client=${clientId}&livemode=true`)).ids).toEqual([]);
      expect((await list('livemode=true')).ids).toEqual([live]);
      expect((await list('status=pending&limit=4')).ids).toEqual([live, card, under, pending]);
      expect((await list('status=succeeded&livemode=true')).ids).toEqual([]);
      expect((await list(`client=${clientId}&method=card`)).ids).toEqual([card]);
      expect((await list('exception=underpaid&limit=1')).ids).toEqual([under]);
      expect(await list(`client=${clientId}&limit=2`)).toEqual({ ids: [card, under], more: true });
      expect(await list(`client=${clientId}&limit=2&starting_after=${under}`)).toEqual({ ids: [pending], more: false });
      expect(await list(`status=pending&limit=2&ending_before=${under}`)).toEqual({ ids: [live, card], more: false });
    });
  });

  it('are seen with what merchants are not shown', async () => {
    const id = await newPayment({ payer: { ip: '203.0.113.9', country: 'DE' } });
    await pay(id);
    const { status, body } = await admin.person.get(`/v1/admin/payments/${id}`);
    expect([status, body]).toEqual([200, {
      ...(await merchant.get(`/v1/payments/${id}`)).body, client: merchant.credentials.clientId, fee_bps: 250, revision: 2, amount_due: '0.00',
      amount_refunding: '0.00', destination: '', payer: { ip: '203.0.113.9', country: 'DE' }, override: null, chain_transfers: [],
      receipts: [{
        provider: 'simulator', reference: expect.stringMatching(/^tr_/), amount: '10.00', credited: '10.00', currency: 'USD', received_at: expect.any(String),
      }],
    }]);
    expect((await merchant.get(`/v1/payments/${id}`)).body).not.toHaveProperty('payer');
    expectProblem(await admin.person.get(`/v1/admin/payments/${newId('pay')}`), 404, 'not_found');
  });

  describe('that an admin ends', () => {
    it.each(['failed', 'canceled', 'expired'] as const)('become %s, told to the merchant and audited with the reason', async (status) => {
      const id = await newPayment();
      const { status: code, body } = await setStatus(id, { status, reason: 'the customer has called' });
      expect([code, body]).toEqual([200, expect.objectContaining({ status, client: merchant.credentials.clientId, revision: 2 })]);
      expect((await merchant.get(`/v1/payments/${id}`)).body.status).toBe(status);
      expect(await eventsOf(id)).toEqual(['payment.created', `payment.${status}`]);
      expect(await audited(id, 'payment.status_changed')).toEqual([
        { actor_id: admin.person.id, before: { status: 'pending' }, after: { status, reason: 'the customer has called' } },
      ]);
    });

    it('are left alone once money has come, or along no way that payments go', async () => {
      const [part, paid, canceled, seen] = [await newPayment(), await newPayment(), await newPayment(), await newPayment()];
      await pay(part, { amount: '4.00' });
      await pay(paid);
      await setStatus(canceled, { status: 'canceled', reason: 'first' });
      await pay(seen, { confirmations: 3 });
      for (const [id, status] of [[part, 'expired'], [part, 'canceled'], [paid, 'failed'], [canceled, 'canceled'], [seen, 'canceled']] as const) {
        const before = await read(id);
        expectProblem(await setStatus(id, { status, reason: 'no' }), 409, 'state_conflict');
        expect(await read(id)).toEqual(before);
      }
      expect((await setStatus(seen, { status: 'failed', reason: 'reported as lost' })).body).toMatchObject({ status: 'failed' });
    });

    it('need an admin, and a second factor that is fresh or comes along', async () => {
      const id = await newPayment();
      const approver = await signer(gateway);
      expectProblem(await setStatus(id, { status: 'failed', reason: 'no' }, approver), 403, 'forbidden');
      const other = await signer(gateway, 'admin');
      const stale = other.person.with({ tokens: await openSession(gateway, { id: other.person.id, clientId: null }, false) });
      const refused = await stale.post(`/v1/admin/payments/${id}/status`, { status: 'failed', reason: 'no' });
      expectProblem(refused, 403, 'two_factor_required');
      expect(refused.body.detail).toMatch(/send it as totp_code/);
      expect((await read(id)).status).toBe('pending');
      const body = { status: 'failed', reason: 'yes', totp_code: await other.person.code() };
      expect((await stale.post(`/v1/admin/payments/${id}/status`, body)).status).toBe(200);
    });

    it.each([
      [{}, 'status'], [{ status: 'paid', reason: 'x' }, 'status'], [{ status: 'failed' }, 'reason'], [{ status: 'failed', reason: 'x', evidence: 'y' }, 'evidence'],
      [{ status: 'succeeded', reason: 'x' }, 'evidence'],
    ])('are named what is wrong with %j', async (body, field) => {
      const answer = await setStatus(newId('pay'), body);
      expectProblem(answer, 422, 'validation_failed');
      const errors = answer.body.errors as { field: string; message: string }[];
      expect(errors.map((error) => error.field)).toContain(field);
      for (const { message } of errors) expect(message).not.toMatch(/Invalid/);
    });
  });

  it('on chain are looked up for staff at this moment, booked at once, and audited', async () => {
    const { id, address } = await new ChainBench(gateway).payment(merchant);
    const verify = (body?: object, by = admin) => by.person.post(`/v1/admin/payments/${id}/verify`, body);
    expect(await verify()).toMatchObject({ status: 200, body: { payment: id, verified: false, missing: [{ code: 'nothing_arrived' }] } });
    const hash = tron.chain.transfer({ to: address, amountMinor: 10_000_000n });
    const young = await verify({ hash });
    expect(young.body).toMatchObject({ verified: false, hash, to: address, missing: [{ code: 'confirmations' }] });
    tron.chain.confirm(hash);
    expect(await verify({ hash: `0x${hash.toUpperCase()}` })).toMatchObject({ status: 200, body: { verified: true, amount: '10.000000', confirmations: 19 } });
    expect(await read(id)).toMatchObject({
      status: 'succeeded', receipts: [{ provider: 'tron', reference: `${hash}:${address}` }],
      chain_transfers: [{ hash, state: 'final', amount_minor: '10000000', confirmations: 19 }],
    });
    const kept = await audited(id, 'payment.verified_by_staff');
    expect(kept.map(({ actor_id: by, after }) => [by, (after as { verified: boolean }).verified])).toEqual([
      [admin.person.id, false], [admin.person.id, false], [admin.person.id, true],
    ]);
    expectProblem(await verify({ hash: 'abc' }), 422, 'validation_failed');
    expectProblem(await admin.person.post(`/v1/admin/payments/${await newPayment()}/verify`), 409, 'state_conflict');
    expectProblem(await admin.person.post(`/v1/admin/payments/${newId('pay')}/verify`), 404, 'not_found');
  });
});
