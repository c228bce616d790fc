import { AddressLook } from '../src/chains/address-look';
import { ChainArrivals, type ChainArrival } from '../src/chains/chain-arrivals';
import { AddressWatcher } from '../src/chains/address-watcher';
import { ChainHealth } from '../src/chains/chain-health';
import { ChainTransfers } from '../src/chains/chain-transfers';
import { CHAIN_VIEW } from '../src/chains/chain-view.provider';
import type { ChainView } from '../src/chains/tron/chain-view';
import { USDT_CONTRACT } from '../src/chains/tron/tron-address';
import { WatchedAddresses } from '../src/chains/watched-addresses';
import { LedgerCheck } from '../src/ledger/ledger-check';
import { SecurityLog } from '../src/audit/security-log';
import { ApplyArrival } from '../src/payments/chain/apply-arrival';
import { ExpirePayments } from '../src/payments/expire-payments';
import { UnitOfWork } from '../src/platform/database/unit-of-work';
import { runInContext } from '../src/platform/http/request-context';
import { newId } from '../src/platform/identifiers';
import { ChainBench, type ChainPayment, tronEnvironment } from './support/chain-payments';
import { eventually } from './support/eventually';
import { FakeTron } from './support/fake-tron';
import { type FakeTronChain, someAddress } from './support/fake-tron-chain';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { staff } from './support/people';

const TEN = 10_000_000n;

describe('a watch over two sources by two instances', () => {
  let servers: readonly [FakeTron, FakeTron];
  let chain: FakeTronChain;
  let gateway: Gateway;
  let second: Gateway;
  let bench: ChainBench;
  let merchant: Merchant;

  beforeAll(async () => {
    const honest = await FakeTron.start({ dialect: 'trongrid' });
    chain = honest.chain;
    servers = [honest, await FakeTron.start({ chain, dialect: 'tronscan' })];
    const environment = { ...tronEnvironment(...servers), TRON_API_KEY: 'a-key-for-the-chain', RATE_LIMITING_ENABLED: 'false' };
    gateway = await Gateway.start({ environment });
    second = await Gateway.start({ environment, database: gateway.database });
    bench = new ChainBench(gateway);
  }, 60_000);
  beforeEach(async () => {
    merchant = await gateway.merchant();
  });
  afterEach(() => {
    for (const server of servers) {
      server.heal();
      server.thaw();
    }
  });
  afterAll(async () => {
    await second.stop();
    await gateway.stop();
    await Promise.all(servers.map((server) => server.stop()));
  });

  const shown = async ({ id }: ChainPayment) => (await merchant.get(`/v1/payments/${id}`)).body;
  const inSweep = <T>(work: () => Promise<T>) => runInContext({ requestId: newId('req'), actor: { type: 'system', id: 'test' }, startedAt: 0 }, work);
  const finalTransfer = ({ address }: ChainPayment): string => {
    const hash = chain.transfer({ to: address, amountMinor: TEN });
    chain.confirm(hash);
    return hash;
  };
  /** A payment that the watchers are done with, so that the test alone looks. */
  const unwatched = async (): Promise<ChainPayment> => {
    const payment = await bench.payment(merchant);
    await bench.watch(payment);
    await gateway.database.rows('update watched_addresses set next_look_at = null where payment_id = $1', [payment.id]);
    return payment;
  };
  /** Has the address looked at, and waits until that look has ended without an outcome. */
  const watchInVain = async ({ id }: ChainPayment): Promise<void> => {
    await gateway.app.get(AddressWatcher, { strict: false }).lookSoon({ paymentId: id });
    await eventually(async () => (await gateway.database.value<number>(
      'select extract(epoch from next_look_at - now())::int from watched_addresses where payment_id = $1', [id],
    )) === 10);
  };

  it('credits what both show, and sends them the key', async () => {
    const payment = await bench.payment(merchant);
    finalTransfer(payment);
    await bench.watch(payment);
    expect(await shown(payment)).toMatchObject({ status: 'succeeded', exception: null });
    for (const server of servers) expect([...server.keys]).toEqual(['a-key-for-the-chain']);
  });

  it.each([
    ['another amount', { amountMinor: 99_000_000n }], ['a failure', { succeeded: false }], ['that it never heard of it', { unknown: true }],
  ])('credits nothing while one of them tells %s, and nobody is told that it failed', async (_what, lie) => {
    const payment = await bench.payment(merchant);
    const hash = finalTransfer(payment);
    servers[1].lie(hash, lie);
    const before = await bench.cursorOf(payment);
    await watchInVain(payment);
    expect(await shown(payment)).toMatchObject({ status: 'pending', amount_received: '0.000000' });
    expect(await bench.cursorOf(payment)).toEqual(before);
    expect(await bench.alerts('chain.disagreement', servers[1].url.slice('http://'.length))).toBeGreaterThan(0);
    expect((await merchant.post(`/v1/payments/${payment.id}/transactions`, { hash })).body).toMatchObject({ verified: false, missing: [{ code: 'sources_disagree' }] });

    servers[1].lie(hash, {});
    await bench.watch(payment);
    expect(await shown(payment)).toMatchObject({ status: 'succeeded', amount_received: '10.000000' });
  });

  it.each(['drop', 'throttle', 'garbage'] as const)('waits while one of them fails (%s), and goes on where it stood', async (mode) => {
    const payment = await bench.payment(merchant);
    finalTransfer(payment);
    servers[0].fail({ mode });
    const before = await bench.cursorOf(payment);
    await watchInVain(payment);
    expect(await shown(payment)).toMatchObject({ status: 'pending' });
    expect(await bench.cursorOf(payment)).toEqual(before);
    expect(await bench.alerts('chain.unreachable', servers[0].url.slice('http://'.length))).toBeGreaterThan(0);
    servers[0].heal();
    await bench.watch(payment);
    expect(await shown(payment)).toMatchObject({ status: 'succeeded' });
  });

  it('lets a payment expire only when the chain has been seen up to its end', async () => {
    const [unpaid, paid] = [await bench.payment(merchant), await bench.payment(merchant)];
    await Promise.all([bench.watch(unpaid), bench.watch(paid)]);
    servers[0].freeze();
    servers[1].freeze();
    const hash = finalTransfer(paid);
    // Both end now; the newest block that can be seen is older.
    await gateway.database.rows(`update payments set expires_at = now() + interval '1 millisecond' where id = any ($1)`, [[unpaid.id, paid.id]]);
    const expiring = gateway.app.get(ExpirePayments, { strict: false });
    await inSweep(() => gateway.app.get(AddressWatcher, { strict: false }).lookSoon({ paymentId: unpaid.id }));
    await inSweep(() => expiring.sweep());
    expect([await shown(unpaid), await shown(paid)]).toMatchObject([{ status: 'pending' }, { status: 'pending' }]);

    servers[0].thaw();
    await inSweep(() => expiring.sweep());
    expect(await shown(unpaid)).toMatchObject({ status: 'pending' });
    servers[1].thaw();
    await Promise.all([bench.watch(unpaid), bench.watch(paid)]);
    await eventually(async () => (await shown(unpaid)).status === 'expired');
    expect(await shown(paid)).toMatchObject({ status: 'succeeded', exception: null, provider_reference: `${hash}:${paid.address}` });
  });

  it('says in readiness that the view is stale, and stays ready', async () => {
    const health = gateway.app.get(ChainHealth, { strict: false });
    const ready = async () => (await fetch(`${gateway.url}/health/ready`)).json();
    await health.check();
    expect(await ready()).toMatchObject({ status: 'ok', checks: { chain: 'ok' } });
    servers[0].freeze(new Date(Date.now() - 3 * 60_000));
    servers[1].freeze(new Date(Date.now() - 3 * 60_000));
    await health.check();
    expect(await ready()).toMatchObject({ status: 'ok', checks: { chain: 'degraded' } });
    for (const server of servers) server.freeze(new Date(Date.now() + 86_400_000));
    await health.check();
    expect(await ready()).toMatchObject({ checks: { chain: 'degraded' } });
    servers[0].thaw();
    servers[1].thaw();
    await health.check();
    expect(await ready()).toMatchObject({ checks: { chain: 'ok' } });
  });

  it('credits each transfer once, whoever of two instances finds it first', async () => {
    const payments = await Promise.all(Array.from({ length: 24 }, () => bench.payment(merchant)));
    payments.forEach(finalTransfer);
    const watchers = [gateway, second].map(({ app }) => app.get(AddressWatcher, { strict: false }));
    await Promise.all(Array.from({ length: 8 }, async (_, round) => {
      await gateway.database.rows('update watched_addresses set next_look_at = now() where client_id = $1', [merchant.credentials.clientId]);
      await inSweep(() => watchers[round % 2]!.sweep());
    }));
    await Promise.all(payments.map((payment) => bench.watch(payment)));
    expect(await gateway.database.rows(
      `select status, amount_received_minor, count(*)::int as payments from payments where client_id = $1 group by 1, 2`, [merchant.credentials.clientId],
    )).toEqual([{ status: 'succeeded', amount_received_minor: '10000000', payments: 24 }]);
    expect(await bench.balances(merchant)).toEqual({ available: '240000000', provider: '240000000' });
    expect(await gateway.app.get(LedgerCheck).run()).toMatchObject({ ok: true });
  }, 60_000);

  it('forgets nothing and counts nothing twice when it dies between the credit and its notes', async () => {
    const payment = await bench.payment(merchant);
    const cursor = await bench.cursorOf(payment);
    finalTransfer(payment);
    await bench.watch(payment);
    await gateway.database.rows('delete from chain_transfers where address = $1', [payment.address]);
    await gateway.database.rows('update watched_addresses set complete_until = $2 where address = $1', [payment.address, cursor]);
    await bench.watch(payment);
    expect(await bench.balances(merchant)).toEqual({ available: '10000000', provider: '10000000' });
    expect(await bench.transfers(payment)).toEqual(['final']);
  });

  it('keeps the cursor where it is when one arrival cannot be applied', async () => {
    const payment = await bench.payment(merchant);
    await gateway.database.rows(`create function break_it() returns trigger language plpgsql as $$ begin raise exception 'the disk is full'; end $$`);
    await gateway.database.rows(`create trigger break_it before update on payments for each row when (old.id = '${payment.id}') execute function break_it()`);
    finalTransfer(payment);
    const before = await bench.cursorOf(payment);
    await watchInVain(payment);
    expect([await bench.cursorOf(payment), await bench.transfers(payment)]).toEqual([before, []]);
    await gateway.database.rows('drop function break_it cascade');
    await bench.watch(payment);
    expect(await shown(payment)).toMatchObject({ status: 'succeeded' });
  });

  it('credits the money that came beside what cannot be kept, and tries that again', async () => {
    const payment = await bench.payment(merchant);
    await gateway.database.rows(`create function break_it() returns trigger language plpgsql as $$ begin raise exception 'it does not fit'; end $$`);
    await gateway.database.rows(`create trigger break_it before insert on unmatched_deposits for each row when (new.payment_id = '${payment.id}') execute function break_it()`);
    chain.transfer({ to: payment.address, amountMinor: 1n, contract: someAddress() });
    const hash = finalTransfer(payment);
    chain.advance(19);
    const before = await bench.cursorOf(payment);
    await watchInVain(payment);
    expect(await shown(payment)).toMatchObject({ status: 'succeeded' });
    expect([await bench.cursorOf(payment), await bench.transfers(payment), await bench.unmatched(payment)]).toEqual([before, ['final'], []]);
    const admin = await staff(gateway, 'admin');
    expect(await admin.post(`/v1/admin/payments/${payment.id}/verify`, {})).toMatchObject({ status: 200, body: { verified: true, hash } });
    await gateway.database.rows('drop function break_it cascade');
    await bench.watch(payment);
    expect(await bench.unmatched(payment)).toMatchObject([{ reason: 'wrong_asset' }]);
  });

  it('is not misled by a look that was overtaken', async () => {
    const payment = await unwatched();
    const hash = chain.transfer({ to: payment.address, amountMinor: 4_000_000n });
    chain.confirm(hash, 18);
    const watched = (await gateway.app.get(WatchedAddresses, { strict: false }).ofPayment({ clientId: merchant.credentials.clientId, livemode: false }, payment.id))!;
    const look = () => inSweep(() => gateway.app.get(AddressLook, { strict: false }).look(watched));
    const view = gateway.app.get<ChainView>(CHAIN_VIEW, { strict: false });
    const examine = view.examine.bind(view);
    jest.spyOn(view, 'examine').mockImplementationOnce(async (wanted) => {
      const stale = await examine(wanted);
      chain.confirm(hash);
      await look();
      return stale;
    });
    await look();
    expect(await shown(payment)).toMatchObject({ status: 'pending', exception: 'underpaid', amount_received: '4.000000' });
    expect(await bench.told(payment)).toEqual(['payment.created', 'payment.exception']);
  });

  it('notes nothing as seen that is yet to come, whatever the sources say', async () => {
    const payment = await bench.payment(merchant);
    for (const server of servers) server.freeze(new Date(Date.now() + 50_000));
    await bench.watch(payment);
    expect((await bench.cursorOf(payment)).getTime()).toBeLessThanOrEqual(Date.now());
  });

  it('looks ever more rarely once a payment is closed, and never after 90 days', async () => {
    const payment = await bench.payment(merchant);
    const pause = async () => Math.round(await gateway.database.value<number>(
      'select extract(epoch from next_look_at - now())::float from watched_addresses where payment_id = $1', [payment.id],
    ));
    const paused = (seconds: number) => eventually(async () => Math.abs((await pause()) - seconds) <= 1);
    await bench.watch(payment);
    await paused(5);
    await merchant.post(`/v1/payments/${payment.id}/cancel`);
    for (const [age, seconds] of [['0 seconds', 60], ['2 hours', 600], ['2 days', 3600], ['8 days', 86_400]] as const) {
      await gateway.database.rows('update payments set updated_at = now() - $2::interval where id = $1', [payment.id, age]);
      await bench.watch(payment);
      await paused(seconds);
    }
    await gateway.database.rows(`update payments set updated_at = now() - interval '91 days' where id = $1`, [payment.id]);
    await bench.watch(payment);
    await eventually(async () => (await gateway.database.value('select next_look_at is null from watched_addresses where payment_id = $1', [payment.id])) === true);
  });

  it('takes real money on the address of a test payment for nobody\'s, in production', async () => {
    const payment = await unwatched();
    const settings = { ...gateway.settings, nodeEnv: 'production' as const };
    const { app } = gateway;
    const transfers = app.get(ChainTransfers, { strict: false });
    const production = new ApplyArrival(
      settings, new ChainArrivals(), transfers, app.get(UnitOfWork, { strict: false }), app.get(SecurityLog, { strict: false }),
    );
    const watched = (await app.get(WatchedAddresses, { strict: false }).ofPayment({ clientId: merchant.credentials.clientId, livemode: false }, payment.id))!;
    const arrival: ChainArrival = {
      hash: 'ab'.repeat(32), address: payment.address, contract: USDT_CONTRACT, from: someAddress(), amountMinor: TEN, blockTime: new Date(), confirmations: 3, state: 'seen',
    };
    await transfers.save([arrival]);
    await inSweep(() => production.follow(watched));
    expect(await shown(payment)).toMatchObject({ status: 'pending' });
    for (const _twice of [1, 2]) await inSweep(() => production.apply(watched, [{ ...arrival, confirmations: 19, state: 'final' }]));
    expect(await shown(payment)).toMatchObject({ status: 'pending', amount_received: '0.000000' });
    expect(await bench.unmatched(payment)).toMatchObject([{ reference: `${arrival.hash}:${payment.address}`, reason: 'wrong_mode', livemode: true, booked: false }]);
    expect(await bench.alerts('deposit.unmatched', arrival.hash)).toBe(1);
    expect(await bench.balances(merchant)).toEqual({});
  });
});
