import { randomInt } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LedgerCheck } from '../../src/ledger/ledger-check';
import { ChainBench, type ChainPayment, tronEnvironment } from '../support/chain-payments';
import { built } from '../support/built';
import { TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { FakeTron } from '../support/fake-tron';
import { Gateway } from '../support/gateway';
import { ServerProcess } from '../support/server-process';

const PAYMENTS = 80;
const LANES = 2;
const KILLS_PER_LANE = 4;
const TEN = 10_000_000n;

describe('kill -9 of those who watch the chain, 8 times', () => {
  let database: TestDatabase;
  let tron: FakeTron;
  let dataDir: string;

  beforeAll(() => built(), 240_000);
  beforeAll(async () => {
    database = await TestDatabase.create();
    tron = await FakeTron.start({ dialect: 'trongrid' });
    dataDir = mkdtempSync(path.join(tmpdir(), 'cpgateway-kill-'));
  });
  afterAll(async () => {
    await tron.stop();
    await database.drop();
  });

  const makeAllDue = () => database.rows('update watched_addresses set next_look_at = now()');
  const succeeded = () => database.value<number>(`select count(*)::int from payments where status = 'succeeded'`);

  /** Starts a server, lets it ask the chain a few times, and kills it somewhere between a question and its consequences. */
  const killOne = async (): Promise<void> => {
    const server = await ServerProcess.start(database.url, dataDir, tronEnvironment(tron));
    const asked = tron.asked.length + randomInt(1, 50);
    await eventually(() => tron.asked.length >= asked, 3_000).catch(() => undefined);
    await pause(randomInt(0, 40));
    await server.kill();
  };

  /** Payers, one after the other, while blocks are made; each payment is paid in two transfers of one transaction. */
  const payAll = async (payments: readonly ChainPayment[], isOver: () => boolean): Promise<void> => {
    const waiting = [...payments];
    while (!isOver()) {
      for (const { address } of waiting.splice(0, 2)) {
        tron.chain.transfer({ to: address, amountMinor: TEN / 4n }, { to: address, amountMinor: TEN - TEN / 4n });
      }
      await makeAllDue();
      await pause(200);
    }
    for (const { address } of waiting) tron.chain.transfer({ to: address, amountMinor: TEN });
  };

  it('credits every transfer exactly once', async () => {
    const setup = await Gateway.start({ database, environment: tronEnvironment(tron) });
    const merchant = await setup.merchant({ feeBps: 250 });
    const bench = new ChainBench(setup);
    const payments = await Promise.all(Array.from({ length: PAYMENTS }, () => bench.payment(merchant)));
    await setup.stop();

    let kills = 0;
    let isOver = false;
    const payers = payAll(payments, () => isOver);
    const killers = Array.from({ length: LANES }, async () => {
      for (let at = 0; at < KILLS_PER_LANE; at += 1) {
        await killOne();
        kills += 1;
      }
    });
    await Promise.all(killers).finally(() => { isOver = true; });
    await payers;
    const creditedUnderFire = await succeeded();
    tron.chain.advance(19);

    const last = await ServerProcess.start(database.url, dataDir, tronEnvironment(tron));
    await makeAllDue();
    await eventually(async () => (await succeeded()) === PAYMENTS, 60_000).finally(() => last.stop());

    expect(kills).toBe(LANES * KILLS_PER_LANE);
    expect(creditedUnderFire).toBeGreaterThan(0);
    expect(await database.rows('select status, exception, amount_received_minor, fee_minor, count(*)::int as payments from payments group by 1, 2, 3, 4'))
      .toEqual([{ status: 'succeeded', exception: null, amount_received_minor: '10000000', fee_minor: '250000', payments: PAYMENTS }]);
    expect(await database.value('select count(*)::int from payment_receipts')).toBe(PAYMENTS);
    expect(await database.value(`select count(*)::int from events where type = 'payment.succeeded'`)).toBe(PAYMENTS);
    expect(await database.value('select count(*)::int from unmatched_deposits')).toBe(0);
    expect(await database.rows('select state, count(*)::int as transfers from chain_transfers group by 1')).toEqual([{ state: 'final', transfers: PAYMENTS }]);
    const checker = await Gateway.start({ database });
    expect(await checker.app.get(LedgerCheck).run()).toMatchObject({ ok: true });
    await checker.stop();
  }, 180_000);
});
