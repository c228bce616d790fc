import { USDT_CONTRACT } from '../src/chains/tron/tron-address';
import { ChainBench, type ChainPayment, tronEnvironment } from './support/chain-payments';
import { FakeTron } from './support/fake-tron';
import { type FakeEvent, type FakeTronChain, someAddress } from './support/fake-tron-chain';
import { TEST_ADDRESSES } from './support/fake-tron-keys';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';

const TEN = 10_000_000n;
const MINUTE_MS = 60_000;
const FAKE_CONTRACT = someAddress();

describe('payments in USDT on TRON', () => {
  let tron: FakeTron;
  let chain: FakeTronChain;
  let gateway: Gateway;
  let bench: ChainBench;
  let merchant: Merchant;

  beforeAll(async () => {
    tron = await FakeTron.start({ dialect: 'trongrid' });
    chain = tron.chain;
    gateway = await Gateway.start({ environment: tronEnvironment(tron) });
    bench = new ChainBench(gateway);
  });
  // A merchant for each test: its book then holds this test's money and nothing else.
  beforeEach(async () => {
    merchant = await gateway.merchant({ feeBps: 100 });
  });
  afterAll(async () => {
    await gateway.stop();
    await tron.stop();
  });

  const shown = async ({ id }: ChainPayment) => (await merchant.get(`/v1/payments/${id}`)).body;
  const rules = (paymentRules: object) => gateway.database.rows(
    'update clients set test_settings = $2, revision = revision + 1 where id = $1', [merchant.credentials.clientId, { payment_rules: paymentRules }],
  );
  /** A transfer that is final when the watcher looks. */
  const pay = async (payment: ChainPayment, event: Partial<FakeEvent> & { result?: string; at?: Date } = {}): Promise<string> => {
    const hash = chain.transfer({ to: payment.address, amountMinor: TEN, ...event });
    chain.confirm(hash);
    await bench.watch(payment);
    return hash;
  };

  it('gives each payment an address of its own, which the owner\'s wallet derives too', async () => {
    const body = { amount: '10.00', currency: 'USDT', method: 'usdt_trc20' };
    const first = await merchant.post('/v1/payments', body, { idempotencyKey: 'first' });
    expect(first.body).toMatchObject({ deposit_address: TEST_ADDRESSES[0], status: 'pending', pay_amount: '10.000000', pay_currency: 'USDT' });
    expect((await bench.payment(merchant)).address).toBe(TEST_ADDRESSES[1]);
    const again = await merchant.post('/v1/payments', body, { idempotencyKey: 'first' });
    expect(again.body).toEqual(first.body);
    expect(await gateway.database.rows(
      `select w.chain, w.address, w.derivation_index, w.livemode, w.complete_until = p.created_at as from_birth
         from watched_addresses w join payments p on p.id = w.payment_id where w.payment_id = $1`,
      [first.body.id],
    )).toEqual([{ chain: 'tron', address: TEST_ADDRESSES[0], derivation_index: '0', livemode: false, from_birth: true }]);
    const parallel = await Promise.all(Array.from({ length: 20 }, () => bench.payment(merchant)));
    expect(new Set(parallel.map(({ address }) => address)).size).toBe(20);
  });

  it('takes no other currency', async () => {
    const { status, body } = await merchant.post('/v1/payments', { amount: '10.00', currency: 'USD', method: 'usdt_trc20' });
    expect([status, body.errors]).toEqual([422, [expect.objectContaining({ field: 'currency' })]]);
  });

  it('goes from the first sight of the money to its credit', async () => {
    const payment = await bench.payment(merchant);
    const hash = chain.transfer({ to: payment.address, amountMinor: TEN });
    await bench.watch(payment);
    expect(await shown(payment)).toMatchObject({ status: 'processing', amount_received: '0.000000' });
    chain.confirm(hash, 18);
    await bench.watch(payment);
    expect(await shown(payment)).toMatchObject({ status: 'processing', amount_received: '0.000000' });
    expect(await bench.balances(merchant)).toEqual({});

    chain.confirm(hash, 19);
    await bench.watch(payment);
    expect(await shown(payment)).toMatchObject({
      status: 'succeeded', exception: null, amount_received: '10.000000', fee: '0.100000', provider_reference: `${hash}:${payment.address}`,
    });
    expect(await bench.balances(merchant)).toEqual({ available: '9900000', fees: '100000', provider: '10000000' });
    expect(await bench.told(payment)).toEqual(['payment.created', 'payment.processing', 'payment.succeeded']);
    expect(await bench.transfers(payment)).toEqual(['final']);
    await bench.watch(payment);
    expect(await bench.balances(merchant)).toEqual({ available: '9900000', fees: '100000', provider: '10000000' });
  });

  it.each<[string, Partial<FakeEvent>]>([
    ['a token that only calls itself USDT', { contract: FAKE_CONTRACT, symbol: 'USDT' }],
    ['a token with another number of decimals', { contract: FAKE_CONTRACT, symbol: 'USDT', decimals: 18, amountMinor: 10n * 10n ** 18n }],
    ['more of a token than any ledger holds', { contract: FAKE_CONTRACT, symbol: 'USDT', amountMinor: 2n ** 256n - 1n }],
  ])('keeps %s aside, unbooked and with an alert', async (_what, event) => {
    const payment = await bench.payment(merchant);
    const hash = chain.transfer({ to: payment.address, amountMinor: TEN, ...event });
    await bench.watch(payment);
    expect([await shown(payment), await bench.unmatched(payment)]).toMatchObject([{ status: 'pending' }, []]);
    chain.confirm(hash);
    await bench.watch(payment);
    await bench.watch(payment);
    expect(await shown(payment)).toMatchObject({ status: 'pending', amount_received: '0.000000' });
    const { from } = chain.get(hash)!.events[0]!;
    expect(await bench.unmatched(payment)).toEqual([{
      provider: 'tron', reference: `${hash}:${payment.address}:${FAKE_CONTRACT}`, amount_minor: String(event.amountMinor ?? TEN), currency: `TRC20:${FAKE_CONTRACT}`,
      reason: 'wrong_asset', wish: 'review', booked: false, livemode: false, details: { symbol: 'USDT', from, contract: FAKE_CONTRACT },
    }]);
    expect(await bench.alerts('chain.wrong_asset', hash)).toBe(1);
    expect(await bench.balances(merchant)).toEqual({});
  });

  it('takes its money beside as much of another token as a transaction can hold', async () => {
    const payment = await bench.payment(merchant);
    const worthless = { to: payment.address, contract: FAKE_CONTRACT, symbol: 'USDT', amountMinor: 2n ** 256n - 1n };
    const flood = chain.transfer(worthless, ...Array.from({ length: 9 }, () => worthless));
    const hash = await pay(payment);
    expect(await shown(payment)).toMatchObject({ status: 'succeeded', exception: null, amount_received: '10.000000' });
    expect(await bench.unmatched(payment)).toMatchObject([{ reference: `${flood}:${payment.address}:${FAKE_CONTRACT}`, amount_minor: String(2n ** 256n - 1n) }]);
    expect(await merchant.post(`/v1/payments/${payment.id}/transactions`, { hash })).toMatchObject({ status: 200, body: { verified: true } });
    expect(await bench.transfers(payment)).toEqual(['final', 'final']);
  });

  it.each<[string, Partial<FakeEvent> & { result?: string }]>([
    ['a leave to spend', { kind: 'approval' }], ['nothing at all', { amountMinor: 0n }], ['a collector\'s piece', { kind: 'nft' }],
    ['a call that was reverted', { result: 'REVERT' }], ['a call that ran out of energy', { result: 'OUT_OF_ENERGY' }],
    ['a payment to somebody else', { to: someAddress() }],
  ])('sees no money in %s', async (_what, event) => {
    const payment = await bench.payment(merchant);
    await pay(payment, event);
    expect(await shown(payment)).toMatchObject({ status: 'pending', amount_received: '0.000000' });
    expect([await bench.balances(merchant), await bench.unmatched(payment)]).toEqual([{}, []]);
  });

  it('adds up what one transaction brings to an address, and lets it pay two payments', async () => {
    const [one, other] = [await bench.payment(merchant), await bench.payment(merchant)];
    const part = TEN / 2n;
    const hash = chain.transfer({ to: one.address, amountMinor: part }, { to: one.address, amountMinor: part }, { to: other.address, amountMinor: TEN });
    chain.confirm(hash);
    await Promise.all([bench.watch(one), bench.watch(other)]);
    expect(await shown(one)).toMatchObject({ status: 'succeeded', exception: null, amount_received: '10.000000' });
    expect(await shown(other)).toMatchObject({ status: 'succeeded', exception: null, amount_received: '10.000000' });
    expect(await bench.balances(merchant)).toMatchObject({ provider: '20000000' });
  });

  it('waits again when the block is taken back, and credits once when it comes in another', async () => {
    const [dropped, moved] = [await bench.payment(merchant), await bench.payment(merchant)];
    const hashes = [dropped, moved].map(({ address }) => chain.transfer({ to: address, amountMinor: TEN }));
    await Promise.all([bench.watch(dropped), bench.watch(moved)]);
    chain.reorganise(hashes[0]!, 'drop');
    await bench.watch(dropped);
    expect(await shown(dropped)).toMatchObject({ status: 'pending', exception: null });
    expect(await bench.told(dropped)).toEqual(['payment.created', 'payment.processing', 'payment.exception']);
    expect(await bench.transfers(dropped)).toEqual(['gone']);

    chain.reorganise(hashes[1]!, 'move');
    chain.confirm(hashes[1]!, 18);
    await bench.watch(moved);
    expect(await shown(moved)).toMatchObject({ status: 'processing' });
    chain.confirm(hashes[1]!);
    await bench.watch(moved);
    await bench.watch(moved);
    expect(await shown(moved)).toMatchObject({ status: 'succeeded' });
    expect(await bench.balances(merchant)).toMatchObject({ provider: '10000000' });
  });

  it('goes on watching what has vanished from the lists', async () => {
    const payment = await bench.payment(merchant);
    await gateway.database.rows(`update watched_addresses set complete_until = now() - interval '1 hour' where payment_id = $1`, [payment.id]);
    const hash = chain.transfer({ to: payment.address, amountMinor: TEN, at: new Date(Date.now() - 10 * MINUTE_MS) });
    await bench.watch(payment);
    expect(await shown(payment)).toMatchObject({ status: 'processing' });
    // The next lists begin after this transaction's block.
    chain.confirm(hash);
    await bench.watch(payment);
    expect(await shown(payment)).toMatchObject({ status: 'succeeded' });
  });

  it('waits again when nothing of what made it `processing` is left, whenever that is noticed', async () => {
    const [reverted, simulated] = [await bench.payment(merchant), await bench.payment(merchant)];
    await gateway.database.rows(
      `insert into chain_transfers (chain, hash, address, contract, state, amount_minor, from_address, block_time, confirmations, failure)
       values ('tron', $1, $2, $3, 'reverted', 1, $2, now(), 19, 'REVERT')`, ['ab'.repeat(32), reverted.address, USDT_CONTRACT],
    );
    await gateway.database.rows(`update payments set status = 'processing' where id = $1`, [reverted.id]);
    await bench.watch(reverted);
    expect(await shown(reverted)).toMatchObject({ status: 'pending' });
    // What a simulated payer has begun is not the chain's to take back.
    await merchant.post(`/v1/test/payments/${simulated.id}/pay`, { confirmations: 3 });
    await bench.watch(simulated);
    expect(await shown(simulated)).toMatchObject({ status: 'processing' });
  });

  it('finds what the lists show only later', async () => {
    const payment = await bench.payment(merchant);
    await bench.watch(payment);
    await pay(payment, { at: new Date(Date.now() - 2 * MINUTE_MS) });
    expect(await shown(payment)).toMatchObject({ status: 'succeeded' });
  });

  it('finds before it ends, or after, what the lists show much later', async () => {
    const [ending, ended] = [await bench.payment(merchant), await bench.payment(merchant)];
    const ids = [ending.id, ended.id];
    await gateway.database.rows(`update watched_addresses set created_at = now() - interval '20 minutes' where payment_id = any ($1)`, [ids]);
    await bench.watch(ending);
    for (const payment of [ending, ended]) await pay(payment, { at: new Date(Date.now() - 15 * MINUTE_MS) });
    expect([await shown(ending), await shown(ended)]).toMatchObject([{ status: 'pending' }, { status: 'pending' }]);

    await gateway.database.rows(
      `update payments set expires_at = now(), status = case when id = $2 then 'expired' else status end where id = any ($1)`, [ids, ended.id],
    );
    await Promise.all([bench.watch(ending), bench.watch(ended)]);
    expect([await shown(ending), await shown(ended)]).toMatchObject([1, 2].map(() => ({ status: 'succeeded', exception: null })));
  });

  it.each([
    ['within the tolerance', 9_990_000n, { status: 'succeeded', exception: null, amount_received: '9.990000' }],
    ['one unit below it', 9_989_999n, { status: 'pending', exception: 'underpaid', amount_received: '9.989999' }],
    ['more, within the tolerance', 10_010_000n, { status: 'succeeded', exception: null, amount_received: '10.010000' }],
    ['one unit above it', 10_010_001n, { status: 'succeeded', exception: 'overpaid', amount_received: '10.010001' }],
  ])('takes an amount %s', async (_what, amountMinor, expected) => {
    const payment = await bench.payment(merchant);
    await pay(payment, { amountMinor });
    expect(await shown(payment)).toMatchObject(expected);
    expect(await bench.balances(merchant)).toMatchObject({ provider: String(amountMinor) });
  });

  it('waits for the rest, and takes money that comes twice', async () => {
    const payment = await bench.payment(merchant);
    await pay(payment, { amountMinor: 4_000_000n });
    expect(await shown(payment)).toMatchObject({ status: 'pending', exception: 'underpaid' });
    const rest = chain.transfer({ to: payment.address, amountMinor: 6_000_000n });
    await bench.watch(payment);
    expect(await shown(payment)).toMatchObject({ status: 'processing', amount_received: '4.000000' });
    chain.confirm(rest);
    await bench.watch(payment);
    expect(await shown(payment)).toMatchObject({ status: 'succeeded', exception: null, amount_received: '10.000000' });
    await pay(payment);
    expect(await shown(payment)).toMatchObject({ status: 'succeeded', exception: 'overpaid', amount_received: '20.000000' });
    expect(await bench.balances(merchant)).toEqual({ available: '19800000', fees: '200000', provider: '20000000' });
  });

  it('lets a payment wait again whose money is to be given back', async () => {
    await rules({ underpaid: 'refund' });
    const payment = await bench.payment(merchant);
    const hash = chain.transfer({ to: payment.address, amountMinor: 4_000_000n });
    await bench.watch(payment);
    chain.confirm(hash);
    await bench.watch(payment);
    expect(await shown(payment)).toMatchObject({ status: 'pending', exception: 'underpaid', amount_received: '0.000000' });
    expect(await bench.unmatched(payment)).toMatchObject([{ reason: 'underpaid', wish: 'refund', booked: true, amount_minor: '4000000' }]);
    expect(await bench.alerts('deposit.unmatched', hash)).toBe(1);
  });

  it('knows late money by the time of its block, not by when it was found', async () => {
    const [late, inTime] = [await bench.payment(merchant), await bench.payment(merchant)];
    await gateway.database.rows(`update payments set expires_at = now() where id = any ($1)`, [[late.id, inTime.id]]);
    await gateway.database.rows(`update watched_addresses set complete_until = now() - interval '1 hour' where payment_id = any ($1)`, [[late.id, inTime.id]]);
    const before = chain.transfer({ to: inTime.address, amountMinor: TEN, at: new Date(Date.now() - MINUTE_MS) });
    const after = chain.transfer({ to: late.address, amountMinor: TEN, at: new Date(Date.now() + 1_000) });
    chain.confirm(before);
    chain.confirm(after);
    await Promise.all([bench.watch(late), bench.watch(inTime)]);
    expect(await shown(inTime)).toMatchObject({ status: 'succeeded', exception: null });
    expect(await shown(late)).toMatchObject({ exception: 'paid_late', amount_received: '0.000000' });
    expect(await bench.unmatched(late)).toMatchObject([{ reference: `${after}:${late.address}`, reason: 'late', booked: true, details: {} }]);
    expect(await bench.balances(merchant)).toMatchObject({ provider: '20000000', unmatched: '10000000' });
  });

  it('keeps what comes for a cancelled payment', async () => {
    const payment = await bench.payment(merchant);
    await merchant.post(`/v1/payments/${payment.id}/cancel`);
    await pay(payment);
    expect(await shown(payment)).toMatchObject({ status: 'canceled' });
    expect(await bench.unmatched(payment)).toMatchObject([{ reason: 'closed_payment', booked: true }]);
  });

  it('finds all of 401 transfers that came while nobody looked', async () => {
    const payment = await bench.payment(merchant, '401.00');
    await gateway.database.rows(`update watched_addresses set complete_until = now() - interval '1 hour', next_look_at = null where payment_id = $1`, [payment.id]);
    const start = Date.now() - 59 * MINUTE_MS;
    const hashes = Array.from({ length: 401 }, (_, at) => chain.transfer({ to: payment.address, amountMinor: 1_000_000n, at: new Date(start + at * 5_000) }));
    chain.confirm(hashes.at(-1)!);
    await bench.watch(payment);
    expect(await shown(payment)).toMatchObject({ status: 'succeeded', exception: null, amount_received: '401.000000' });
    expect(await gateway.database.value('select count(*)::int from payment_receipts where payment_id = $1', [payment.id])).toBe(401);
    expect(new Set(await bench.transfers(payment))).toEqual(new Set(['final']));
  }, 60_000);
});
