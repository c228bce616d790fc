import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LedgerCheck } from '../../src/ledger/ledger-check';
import { built } from '../support/built';
import { TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { Gateway } from '../support/gateway';
import { deliver, eventIdOf, genericWebhook, type SignedWebhook } from '../support/providers';
import { ServerProcess } from '../support/server-process';

const EVENTS = 1_000;
const KILL_AFTER = 400;
const SENDERS = 16;

/** Sends events from several connections until all are sent or the server is gone; tells which ones it acknowledged. */
async function sendAll(url: string, webhooks: readonly SignedWebhook[], acknowledged: Set<string>, onAcknowledged: () => void): Promise<void> {
  const queue = [...webhooks];
  await Promise.all(Array.from({ length: SENDERS }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const answer = await deliver(url, next).catch(() => undefined);
      if (answer?.status !== 200) return;
      acknowledged.add(eventIdOf(next));
      onAcknowledged();
    }
  }));
}

describe('kill -9 in the middle of 1,000 webhooks', () => {
  let database: TestDatabase;
  let dataDir: string;

  beforeAll(() => built(), 240_000);
  beforeAll(async () => {
    database = await TestDatabase.create();
    dataDir = mkdtempSync(path.join(tmpdir(), 'cpgateway-kill-'));
  });
  afterAll(() => database.drop());

  it('loses none that was acknowledged and applies each once', async () => {
    const setup = await Gateway.start({ database });
    const merchant = await setup.merchant({ feeBps: 250 });
    const paymentIds = await createPayments(() => merchant.post('/v1/payments', { amount: '10.00', currency: 'USD', method: 'card' }));
    await setup.stop();
    const webhooks = paymentIds.map((paymentId, at) => genericWebhook({ paymentId, amount: '10.00', reference: `money-${at}` }));
    const acknowledged = new Set<string>();

    const first = await ServerProcess.start(database.url, dataDir);
    await sendAll(first.url, webhooks, acknowledged, () => {
      if (acknowledged.size === KILL_AFTER) void first.kill();
    });
    await first.kill();
    expect(acknowledged.size).toBeGreaterThanOrEqual(KILL_AFTER);
    expect(acknowledged.size).toBeLessThan(EVENTS);

    const second = await ServerProcess.start(database.url, dataDir);
    // A provider sends everything again that it is not sure of, and some that it is.
    await sendAll(second.url, webhooks, new Set(), () => undefined);
    await eventually(async () => (await database.value('select count(*)::int from inbox_events where status <> $1', ['applied'])) === 0, 30_000);
    await second.stop();

    const kept = await database.rows<{ event_id: string }>('select event_id from inbox_events');
    expect(new Set(kept.map((row) => row.event_id))).toEqual(new Set(webhooks.map(eventIdOf)));
    expect(await database.rows(
      `select status, amount_received_minor, fee_minor, count(*)::int as payments from payments group by 1, 2, 3`,
    )).toEqual([{ status: 'succeeded', amount_received_minor: '1000', fee_minor: '25', payments: EVENTS }]);
    expect(await database.rows(`select debits_posted, credits_posted from ledger_accounts where kind = 'available'`)).toEqual([
      { debits_posted: String(25 * EVENTS), credits_posted: String(1000 * EVENTS) },
    ]);
    const audit = await database.value(`select count(*)::int from audit_events where kind = 'payment.succeeded'`);
    expect(audit).toBe(EVENTS);
    const checker = await Gateway.start({ database });
    expect(await checker.app.get(LedgerCheck).run()).toMatchObject({ ok: true });
    await checker.stop();
  }, 120_000);
});

async function createPayments(create: () => Promise<{ status: number; body: Record<string, unknown> }>): Promise<string[]> {
  const ids: string[] = [];
  await Promise.all(Array.from({ length: SENDERS }, async () => {
    while (ids.length < EVENTS) {
      const slot = ids.push('') - 1;
      const { status, body } = await create();
      expect(status).toBe(201);
      ids[slot] = body.id as string;
    }
  }));
  return ids;
}
