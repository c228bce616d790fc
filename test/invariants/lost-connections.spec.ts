import { LedgerCheck } from '../../src/ledger/ledger-check';
import { eventually } from '../support/eventually';
import { Gateway } from '../support/gateway';
import type { Merchant } from '../support/merchant';
import { deliver, genericWebhook } from '../support/providers';

const EVENTS = 120;

describe('a database that cuts every connection while events are applied', () => {
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start();
    merchant = await gateway.merchant();
  });
  afterAll(() => gateway.stop());

  const cutAll = () => gateway.database.rows(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  const applied = () => gateway.database.value<number>(`select count(*)::int from inbox_events where status = 'applied'`);

  it('loses no acknowledged event, applies each once, and the server goes on by itself', async () => {
    const payments = await Promise.all(Array.from({ length: EVENTS }, () =>
      merchant.post<{ id: string }>('/v1/payments', { amount: '1.00', currency: 'USD', method: 'card' })));
    let acknowledged = 0;
    const sending = payments.map(async ({ body: { id } }) => {
      // A provider repeats what was not acknowledged.
      const webhook = genericWebhook({ paymentId: id, amount: '1.00', reference: `money-${id}` });
      await eventually(async () => (await deliver(gateway.url, webhook)).status === 200, 20_000);
      acknowledged += 1;
    });
    for (const share of [0.1, 0.5, 0.9]) {
      await eventually(() => acknowledged >= EVENTS * share, 30_000);
      await cutAll();
    }
    await Promise.all(sending);
    await eventually(async () => (await applied()) === EVENTS, 30_000);
    const { body } = await merchant.get('/v1/balances');
    expect(body).toMatchObject({ balances: [{ currency: 'USD', available: `${EVENTS}.00` }] });
    expect(await gateway.app.get(LedgerCheck).run()).toMatchObject({ ok: true });
    expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(200);
  }, 120_000);
});
