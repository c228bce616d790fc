import { randomBytes } from 'node:crypto';
import { USDT_CONTRACT } from '../src/chains/tron/tron-address';
import { VerifyChainPayment } from '../src/payments/chain/verify-chain-payment';
import { runInContext } from '../src/platform/http/request-context';
import { ChainBench, type ChainPayment, TRON_WEBHOOK_SECRET, tronEnvironment } from './support/chain-payments';
import { eventually } from './support/eventually';
import { FakeTron } from './support/fake-tron';
import { type FakeTronChain, someAddress } from './support/fake-tron-chain';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { deliver, signedGenerically } from './support/providers';

const TEN = 10_000_000n;

interface Verification {
  verified: boolean;
  missing: { code: string; message: string }[];
}

describe('submitting the transaction that pays', () => {
  let tron: FakeTron;
  let chain: FakeTronChain;
  let gateway: Gateway;
  let bench: ChainBench;
  let merchant: Merchant;

  beforeAll(async () => {
    tron = await FakeTron.start({ dialect: 'tronscan' });
    chain = tron.chain;
    gateway = await Gateway.start({ environment: { ...tronEnvironment(tron), RATE_LIMITING_ENABLED: 'false' } });
    bench = new ChainBench(gateway);
  });
  beforeEach(async () => {
    merchant = await gateway.merchant();
  });
  afterEach(() => tron.heal());
  afterAll(async () => {
    await gateway.stop();
    await tron.stop();
  });

  /** A payment that the watcher leaves alone, so that only what is submitted is seen. */
  const unwatched = async (amount?: string): Promise<ChainPayment> => {
    const payment = await bench.payment(merchant, amount);
    await gateway.database.rows('update watched_addresses set next_look_at = null where payment_id = $1', [payment.id]);
    return payment;
  };
  const submit = (payment: Pick<ChainPayment, 'id'>, hash: string, as = merchant) =>
    as.post<Verification & { code?: string; detail?: string }>(`/v1/payments/${payment.id}/transactions`, { hash });
  const shown = async ({ id }: Pick<ChainPayment, 'id'>) => (await merchant.get(`/v1/payments/${id}`)).body;
  const final = (hash: string) => {
    chain.confirm(hash);
    return hash;
  };

  it('verifies and credits at once, and says the same however often it is asked', async () => {
    const payment = await unwatched();
    const hash = final(chain.transfer({ to: payment.address, amountMinor: TEN }));
    const { at, events: [{ from }] } = chain.get(hash)!;
    const { status, body } = await submit(payment, `0x${hash.toUpperCase()}`);
    expect([status, body]).toEqual([200, {
      object: 'chain_verification', payment: payment.id, hash, verified: true, confirmations: 19, required_confirmations: 19,
      from, to: payment.address, amount: '10.000000', currency: 'USDT', block_time: at.toISOString(), missing: [],
    }]);
    expect(await shown(payment)).toMatchObject({ status: 'succeeded', provider_reference: `${hash}:${payment.address}` });
    chain.advance(5);
    tron.fail({ mode: 'status500' });
    expect((await submit(payment, hash)).body).toEqual(body);
    expect(await bench.balances(merchant)).toEqual({ available: '10000000', provider: '10000000' });
    expect(await gateway.database.rows(`select after from audit_events where kind = 'payment.transaction_submitted' and object_id = $1`, [payment.id]))
      .toEqual([1, 2].map(() => ({ after: { hash, verified: true, missing: [] } })));
  });

  it('gives a repeated request its stored answer', async () => {
    const payment = await unwatched();
    const hash = chain.transfer({ to: payment.address, amountMinor: TEN });
    const ask = () => merchant.post<Verification>(`/v1/payments/${payment.id}/transactions`, { hash }, { idempotencyKey: 'once' });
    const first = await ask();
    final(hash);
    const second = await ask();
    expect([second.headers.get('idempotency-replayed'), second.body]).toEqual(['true', first.body]);
    expect(first.body.verified).toBe(false);
  });

  it('counts the confirmations that are missing', async () => {
    const payment = await unwatched();
    const hash = chain.transfer({ to: payment.address, amountMinor: TEN });
    chain.confirm(hash, 12);
    expect((await submit(payment, hash)).body).toMatchObject({
      verified: false, confirmations: 12, amount: '10.000000', missing: [{ code: 'confirmations', message: '12 of 19 confirmations.' }],
    });
    expect(await shown(payment)).toMatchObject({ status: 'processing' });
    chain.confirm(hash, 18);
    expect((await submit(payment, hash)).body).toMatchObject({ verified: false, missing: [{ message: '18 of 19 confirmations.' }] });
    chain.confirm(hash, 19);
    expect((await submit(payment, hash)).body).toMatchObject({ verified: true });
  });

  it.each<[string, string, RegExp, (payment: ChainPayment) => string]>([
    ['that nobody knows', 'not_found', /does not show/, () => randomBytes(32).toString('hex')],
    ['that was reverted', 'reverted', /\(REVERT\)/, ({ address }) => final(chain.transfer({ to: address, amountMinor: TEN, result: 'REVERT' }))],
    ['without energy', 'reverted', /OUT_OF_ENERGY/, ({ address }) => final(chain.transfer({ to: address, amountMinor: TEN, result: 'OUT_OF_ENERGY' }))],
    ['in another token', 'wrong_token', new RegExp(`not USDT \\(${USDT_CONTRACT}\\)`), ({ address }) =>
      final(chain.transfer({ to: address, amountMinor: TEN, contract: someAddress() }))],
    ['to somebody else', 'wrong_address', /transfers nothing to T/, () => final(chain.transfer({ to: someAddress(), amountMinor: TEN }))],
    ['of nothing', 'wrong_address', /transfers nothing to T/, ({ address }) => final(chain.transfer({ to: address, amountMinor: 0n }))],
    ['that is no token transfer', 'wrong_address', /transfers nothing to T/, () => final(chain.plainPayment())],
  ])('says what is missing of a transaction %s', async (_what, code, message, make) => {
    const payment = await unwatched();
    const { status, body } = await submit(payment, make(payment));
    expect([status, body]).toMatchObject([200, { verified: false, missing: [{ code, message: expect.stringMatching(message) }] }]);
    expect(await shown(payment)).toMatchObject({ status: 'pending', amount_received: '0.000000' });
    expect(await bench.balances(merchant)).toEqual({});
  });

  it('credits what arrived and says how much is missing', async () => {
    const payment = await unwatched();
    const hash = final(chain.transfer({ to: payment.address, amountMinor: 4_000_000n }));
    const short = { code: 'amount', message: '6.000000 of 10.000000 USDT are still missing.' };
    expect((await submit(payment, hash)).body).toMatchObject({ verified: false, amount: '4.000000', missing: [short] });
    expect(await shown(payment)).toMatchObject({ status: 'pending', exception: 'underpaid', amount_received: '4.000000' });
    const rest = chain.transfer({ to: payment.address, amountMinor: 5_000_000n });
    expect((await submit(payment, rest)).body).toMatchObject({
      verified: false, missing: [{ code: 'confirmations' }, { code: 'amount', message: '1.000000 of 10.000000 USDT are still missing.' }],
    });
  });

  it('says that late money is kept', async () => {
    const payment = await unwatched();
    await gateway.database.rows(`update payments set expires_at = now() - interval '1 minute' where id = $1`, [payment.id]);
    const hash = final(chain.transfer({ to: payment.address, amountMinor: TEN }));
    expect((await submit(payment, hash)).body).toMatchObject({ verified: false, missing: [{ code: 'kept_aside', message: expect.stringContaining('late') }] });
    expect(await bench.unmatched(payment)).toMatchObject([{ reason: 'late' }]);
  });

  it.each(['delay', 'drop', 'status500', 'throttle', 'garbage', 'error200'] as const)('leaves a payment as it is when the chain cannot be read: %s', async (mode) => {
    const payment = await unwatched();
    const hash = final(chain.transfer({ to: payment.address, amountMinor: TEN }));
    tron.fail({ mode });
    expect((await submit(payment, hash)).body).toMatchObject({ verified: false, missing: [{ code: 'chain_unreachable' }] });
    expect(await shown(payment)).toMatchObject({ status: 'pending' });
    tron.heal();
    expect((await submit(payment, hash)).body).toMatchObject({ verified: true });
  });

  it('accepts one hash for one of two payments, when both are submitted at once', async () => {
    const [paid, other] = [await unwatched(), await unwatched()];
    const hash = final(chain.transfer({ to: paid.address, amountMinor: TEN }));
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => submit(at % 2 === 0 ? paid : other, hash)));
    expect(answers.map(({ status, body }) => [status, body.verified ?? body.code])).toEqual(
      answers.map((_, at) => (at % 2 === 0 ? [200, true] : [409, 'transaction_already_used'])));
    expect(await shown(other)).toMatchObject({ status: 'pending' });
    expect(await bench.balances(merchant)).toEqual({ available: '10000000', provider: '10000000' });
  });

  it('does not count money again that staff gave to another payment', async () => {
    const [payment, other] = [await unwatched(), await unwatched()];
    const hash = final(chain.transfer({ to: payment.address, amountMinor: TEN }));
    const { clientId } = merchant.credentials;
    await gateway.database.rows(`insert into provider_references values ('tron', $1, $2, false, $3)`, [`${hash}:${payment.address}`, clientId, other.id]);
    await gateway.database.rows(
      `insert into payment_receipts values ($1, false, 'tron', $2, $3, 10000000, 10000000, 'USDT', now())`, [clientId, `${hash}:${payment.address}`, other.id],
    );
    expect((await submit(payment, hash)).body).toMatchObject({ code: 'transaction_already_used' });
    expect(await shown(payment)).toMatchObject({ status: 'pending', amount_received: '0.000000' });
  });

  it('is for payments on chain, and for their own client', async () => {
    const payment = await unwatched();
    const hash = randomBytes(32).toString('hex');
    const card = await merchant.post<{ id: string }>('/v1/payments', { amount: '10.00', currency: 'USD', method: 'card' });
    expect((await submit(card.body, hash)).body).toMatchObject({ code: 'state_conflict' });
    expect((await submit(payment, hash, await gateway.merchant())).body).toMatchObject({ code: 'not_found' });
    for (const wrong of ['', hash.slice(1), `${hash}0`, `0x0x${hash}`.slice(0, 66), `${hash.slice(1)}g`, ` ${hash}`]) {
      expect([wrong, (await submit(payment, wrong)).body.code]).toEqual([wrong, 'validation_failed']);
    }
  });

  describe('by staff, without a hash', () => {
    const verify = ({ id }: ChainPayment) => runInContext({ requestId: 'req_staff', startedAt: 0 }, () =>
      gateway.app.get(VerifyChainPayment, { strict: false }).verify({ clientId: merchant.credentials.clientId, livemode: false }, id));

    it('looks at the address', async () => {
      const payment = await unwatched();
      expect(await verify(payment)).toMatchObject({ verified: false, hash: null, missing: [{ code: 'nothing_arrived' }] });
      const hash = chain.transfer({ to: payment.address, amountMinor: TEN });
      expect(await verify(payment)).toMatchObject({ verified: false, hash, missing: [{ code: 'confirmations', message: '1 of 19 confirmations.' }] });
      final(hash);
      expect(await verify(payment)).toMatchObject({ verified: true, hash, amount: '10.000000' });
      expect(await shown(payment)).toMatchObject({ status: 'succeeded' });
      tron.fail({ mode: 'drop' });
      expect(await verify(payment)).toMatchObject({ verified: false, missing: [{ code: 'chain_unreachable' }] });
    });

    it('names the wrong token that has arrived', async () => {
      const payment = await unwatched();
      const hash = final(chain.transfer({ to: payment.address, amountMinor: TEN, contract: someAddress() }));
      expect(await verify(payment)).toMatchObject({ verified: false, hash, amount: null, missing: [{ code: 'wrong_token' }] });
    });
  });

  describe('notices by webhook', () => {
    const notice = (data: object) => JSON.stringify({ id: randomBytes(8).toString('hex'), type: 'payment.succeeded', created_at: new Date().toISOString(), data });
    const send = (body: string, secret = TRON_WEBHOOK_SECRET) => deliver(gateway.url, { ...signedGenerically(body, { secret }), source: 'tron' });

    it.each([
      ['its payment', ({ id }: ChainPayment) => ({ payment_id: id, amount: '999999.00', currency: 'USD', reference: 'not-believed' })],
      ['its address', ({ address }: ChainPayment) => ({ address })],
    ])('have the chain looked at when they name %s, and are believed in nothing', async (_what, data) => {
      const payment = await unwatched();
      final(chain.transfer({ to: payment.address, amountMinor: TEN }));
      const body = notice(data(payment));
      expect(await send(body)).toMatchObject({ status: 200, body: { received: true } });
      await eventually(async () => (await shown(payment)).status === 'succeeded');
      expect(await shown(payment)).toMatchObject({ amount_received: '10.000000' });
      expect(await send(body)).toMatchObject({ status: 200, body: { duplicate: true } });
      const inbox = await gateway.database.rows(`select status, outcome from inbox_events where source = 'tron' and event_id = $1`, [JSON.parse(body).id]);
      expect(inbox).toEqual([{ status: 'applied', outcome: 'the chain is looked at' }]);
    });

    it('change nothing without money on the chain, and are ignored for strangers', async () => {
      const payment = await unwatched();
      await send(notice({ payment_id: payment.id }));
      await eventually(async () => (await bench.cursorOf(payment)) > new Date(Date.now() - 2_000));
      expect(await shown(payment)).toMatchObject({ status: 'pending' });
      const stranger = notice({ payment_id: `pay_${'0'.repeat(32)}` });
      await send(stranger);
      await eventually(async () => (await gateway.database.value('select status from inbox_events where event_id = $1', [JSON.parse(stranger).id])) === 'ignored');
    });

    it('are refused unsigned', async () => {
      expect((await send(notice({}), 'another-secret-0123456789')).body).toMatchObject({ code: 'signature_invalid' });
    });
  });
});
