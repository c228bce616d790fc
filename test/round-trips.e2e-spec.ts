import { Client } from 'pg';
import { assessed } from './support/assessed';
import { eventually } from './support/eventually';
import { destinationOf, fund } from './support/funds';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { member } from './support/people';
import { deliver, genericWebhook } from './support/providers';

/** Sweeps, the queue's own statements, and what is written now and then or for many requests at once belong to no request. */
const BACKGROUND = /graphile_worker|keep_assessments|job_workers|lockless_workers|claim_deliveries|claim_payouts|payments_to_expire|set last_used_at|security_events|ip_blocks|current_figures|look_for_alerts|risk_noticed|listen|pg_advisory/i;

/** What `query` was called with, in words: a name, or the beginning of the text. */
function wordsOf(query: unknown): string {
  const { name, text } = (typeof query === 'object' && query !== null ? query : { text: query }) as { name?: string; text?: string };
  return name ?? String(text).trim().slice(0, 200);
}

describe('database round trips', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  let statements: string[];

  beforeAll(async () => {
    gateway = await Gateway.start();
    merchant = await gateway.merchant();
  });
  beforeEach(() => {
    statements = [];
    const real = Client.prototype.query as (...args: unknown[]) => unknown;
    jest.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...args: unknown[]) {
      const words = wordsOf(args[0]);
      if (!BACKGROUND.test(words)) statements.push(words);
      return real.apply(this, args) as never;
    });
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => gateway.stop());

  const order = { amount: '10.00', currency: 'USD', method: 'card' };
  const create = async () => (await merchant.post<{ id: string }>('/v1/payments', order)).body.id;

  it('are two to create a payment, what it is decided on and all that it writes, and one more when the key is not known yet', async () => {
    // The rules are read once, by whoever comes first.
    await create();
    const fresh = await gateway.merchant();
    statements.length = 0;
    await fresh.post('/v1/payments', order);
    expect(statements).toEqual(['find_key', 'payment_contexts', 'create_payment']);
    statements.length = 0;
    await fresh.post('/v1/payments', order);
    expect(statements).toEqual(['payment_contexts', 'create_payment']);
  });

  it('carry every text of a payer as it is', async () => {
    const customer = `O'Neil, "{a\\b}" \\N null`;
    const payer = { ip: '203.0.113.7', email: "o'neil@shop.example" };
    const pay = async () => assessed(gateway, (await merchant.post<{ id: string; risk: { decision: string } }>('/v1/payments', { ...order, customer, payer })).body);
    await pay();
    const { id } = await pay();
    expect(await gateway.database.rows('select signals -> $2 as customer, signals -> $3 as ip from risk_assessments where subject_id = $1', [id, 'customer_payments', 'ip_payments']))
      .toEqual([{ customer: [2, 2, 2, 2], ip: [2, 2, 2, 2] }]);
  });

  it('go on when the connection of the looks is lost', async () => {
    await create();
    const looking = () => gateway.database.rows<{ pid: number }>(
      "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and query ~ 'payment_contexts|keep_assessments'",
    );
    const [{ pid }] = await looking() as [{ pid: number }];
    await gateway.database.rows('select pg_terminate_backend($1)', [pid]);
    await eventually(async () => (await looking()).every((each) => each.pid !== pid));
    expect(await create()).toMatch(/^pay_/);
  });

  it('are the same for a repeated creation', async () => {
    await create();
    statements.length = 0;
    const idempotencyKey = 'the-same';
    await merchant.post('/v1/payments', order, { idempotencyKey });
    await merchant.post('/v1/payments', order, { idempotencyKey });
    expect(statements).toEqual(['payment_contexts', 'create_payment', 'payment_contexts', 'create_payment']);
  });

  it('are two to ask for a withdrawal: what it is decided on, and all that it writes', async () => {
    await fund(gateway, merchant, 10_000_000n, 'USDT');
    const destination = await destinationOf(gateway, merchant);
    statements.length = 0;
    expect((await merchant.post('/v1/withdrawals', { amount: '1', currency: 'USDT', destination })).status).toBe(201);
    expect(statements).toEqual(['withdrawal_facts', 'request_withdrawal']);
  });

  it('are one to get a payment when the key is known', async () => {
    const id = await create();
    statements.length = 0;
    await merchant.get(`/v1/payments/${id}`);
    expect(statements).toEqual(['get_payment']);
  });

  it('are one to get a payment as a person whose session is known', async () => {
    const id = await create();
    const owner = await member(gateway, merchant, 'owner');
    await owner.get(`/v1/payments/${id}`);
    statements.length = 0;
    expect((await owner.get(`/v1/payments/${id}`)).status).toBe(200);
    expect(statements).toEqual(['get_payment']);
  });

  it('are one to acknowledge a webhook and two to apply it', async () => {
    const paymentId = await create();
    statements.length = 0;
    await deliver(gateway.url, genericWebhook({ paymentId, amount: '10.00', reference: 'counted' }));
    await eventually(() => statements.includes('change_payment'));
    expect(statements).toEqual([expect.stringContaining('receive_webhook'), 'find_by_provider', 'change_payment']);
  });
});
