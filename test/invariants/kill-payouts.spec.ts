import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { built } from '../support/built';
import { TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { checkLedger, withFunds } from '../support/funds';
import { Gateway } from '../support/gateway';
import type { Merchant } from '../support/merchant';
import { ServerProcess } from '../support/server-process';

const KILLS = 4;
const AT_ONCE = 50;
const OUTCOMES = ['completed', 'timeout', 'lost'] as const;

describe('kill -9 while payouts are sent, of which many are never answered', () => {
  let database: TestDatabase;
  let dataDir: string;

  beforeAll(() => built(), 240_000);
  beforeAll(async () => {
    database = await TestDatabase.create();
    dataDir = mkdtempSync(path.join(tmpdir(), 'cpgateway-kill-'));
  });
  afterAll(() => database.drop());

  /** Makes what is due later due now, as time would: who looks again must not be kept waiting by the test. */
  const letTimePass = (forThoseOlderThan: string) => database.rows(
    `update payouts set next_check_at = now() - interval '1 second', updated_at = updated_at - interval '1 minute'
      where next_check_at is not null and updated_at < now() - $1::interval`, [forThoseOlderThan]);

  const askAndDecide = async (merchant: Merchant, destination: string, at: number) => {
    const { body } = await merchant.post<{ id: string }>('/v1/withdrawals', { amount: '1', currency: 'USDT', destination });
    await merchant.post(`/v1/test/withdrawals/${body.id}/decide`, { payout: OUTCOMES[at % OUTCOMES.length] });
  };

  it('pays none of 200 twice, and each of them once', async () => {
    const setup = await Gateway.start({ database });
    const { merchant, destination } = await withFunds(setup);
    await setup.stop();
    for (let kill = 0; kill < KILLS; kill += 1) {
      const server = await ServerProcess.start(database.url, dataDir);
      const asking = Promise.allSettled(Array.from({ length: AT_ONCE }, (_, at) => askAndDecide(merchant.with({ url: server.url }), destination, at)));
      // Somewhere between the first and the last send, later each time.
      await eventually(async () => (await database.value<number>('select count(*)::int from simulated_payouts')) > kill * AT_ONCE * 0.6 + kill);
      await pause(kill * 7);
      await server.kill();
      await asking;
      await letTimePass('0 seconds');
    }
    const last = await ServerProcess.start(database.url, dataDir);
    const left = AT_ONCE * KILLS - (await database.value<number>('select count(*)::int from withdrawals'));
    await Promise.all(Array.from({ length: left }, (_, at) => askAndDecide(merchant.with({ url: last.url }), destination, at)));
    const undecided = await database.rows<{ id: string }>("select id from withdrawals where status = 'pending_review'");
    await Promise.all(undecided.map(({ id }) => merchant.with({ url: last.url }).post(`/v1/test/withdrawals/${id}/decide`, { payout: 'timeout' })));
    await eventually(async () => {
      // Not what is being sent at this moment: nobody but a dead process has been silent for so long.
      await letTimePass('3 seconds');
      return (await database.value("select count(*)::int from withdrawals where status <> 'completed'")) === 0;
    }, 30_000);
    await last.stop();

    const paid = await database.rows<{ times: number }>('select count(*)::int as times from simulated_payouts group by payout_id');
    expect(paid).toHaveLength(AT_ONCE * KILLS);
    expect(paid.filter(({ times }) => times !== 1)).toEqual([]);
    expect(await database.value('select max(attempt) from payouts')).toBe(1);
    const checker = await Gateway.start({ database });
    expect(await checkLedger(checker)).toMatchObject({ ok: true, counts: { withdrawals: AT_ONCE * KILLS } });
    await checker.stop();
  }, 120_000);
});
