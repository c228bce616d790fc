import { randomUUID } from 'node:crypto';
import { ChainBench, type ChainPayment } from './chain-payments';
import { eventually } from './eventually';
import type { FakeTron } from './fake-tron';
import { destinationOf, shownOf, SOME_ADDRESS } from './funds';
import type { Gateway } from './gateway';
import type { Merchant } from './merchant';
import { staff, type TestPerson } from './people';
import { deliver, eventIdOf, genericWebhook, type SignedWebhook, stripeWebhook } from './providers';
import { signer } from './signing';

const KEEP_EXCESS = { overpaid: 'refund' };

/** A day on which money takes every way that it can take, in both modes: told, seen, kept, assigned, given back and paid out. */
export class DayOfMoney {
  readonly bench: ChainBench;
  readonly stripeReference = `pi_${randomUUID()}`;
  readonly genericReference = `ref_${randomUUID()}`;
  readonly referenceOfNobody = 'ref_of_nobody';
  /** A test payment of 10 USDT and what paid it; it was paid 5 more. */
  chainPayment!: ChainPayment;
  chainHash!: string;
  /** A test withdrawal of 1 USDT, paid by the simulator. */
  withdrawal!: string;
  /** What paid a live withdrawal of 10 USDT. */
  payoutHash!: string;
  liveMerchant!: Merchant;
  private admin!: TestPerson;

  constructor(
    private readonly gateway: Gateway,
    private readonly tron: FakeTron,
  ) {
    this.bench = new ChainBench(gateway);
  }

  async run(): Promise<void> {
    this.admin = await staff(this.gateway, 'admin');
    const merchant = await this.gateway.merchant({ feeBps: 100 });
    await this.told(merchant);
    await this.toldOtherwise();
    await this.onTheChain(merchant);
    await this.paidOut(merchant);
    this.liveMerchant = await this.gateway.merchant({ live: true });
    await this.live(this.liveMerchant);
  }

  /** 20.00 USD from Stripe, one payment twice, and 5.00 from elsewhere. */
  private async told(merchant: Merchant): Promise<void> {
    const card = await this.payment(merchant, { method: 'card' });
    await this.settled(stripeWebhook({ intent: this.stripeReference, paymentId: card, amount: 1000 }));
    await this.settled(stripeWebhook({ intent: this.stripeReference, paymentId: card, amount: 1000 }));
    // Another amount than was asked is kept and booked, then given to another payment; money of nobody is booked when it is given.
    await this.settled(stripeWebhook({ intent: `pi_${randomUUID()}`, paymentId: await this.payment(merchant, { method: 'card' }), amount: 700 }));
    await this.assign("reason = 'wrong_amount'", await this.payment(merchant, { amount: '7.00' }));
    await this.settled(stripeWebhook({ intent: `pi_${randomUUID()}`, amount: 300 }));
    await this.assign("reason = 'no_payment'", await this.payment(merchant, { amount: '3.00' }));
    await this.settled(genericWebhook({ paymentId: await this.payment(merchant, { amount: '5.00' }), amount: '5.00', reference: this.genericReference }));
  }

  /** 12.00 USD for a payment of 10.00, and 4.00 for another one, which expires. */
  private async toldOtherwise(): Promise<void> {
    const merchant = await this.gateway.merchant();
    await this.rules(merchant, KEEP_EXCESS);
    await this.settled(genericWebhook({ paymentId: await this.payment(merchant), amount: '12.00', reference: `ref_${randomUUID()}` }));
    await this.assign("reason = 'overpaid'", await this.payment(merchant, { amount: '2.00' }));
    const part = await this.payment(merchant);
    await this.settled(genericWebhook({ paymentId: part, amount: '4.00', reference: `ref_${randomUUID()}` }));
    await this.gateway.database.rows("update payments set expires_at = now() - interval '1 second' where id = $1", [part]);
    await eventually(async () => (await this.gateway.database.value('select status from payments where id = $1', [part])) === 'expired');
    // The merchant takes the part after all.
    await this.rules(merchant, { ...KEEP_EXCESS, underpaid: 'credit' });
    await this.assign("provider = 'cpgateway'", part);
  }

  private async onTheChain(merchant: Merchant): Promise<void> {
    this.chainPayment = await this.bench.payment(merchant);
    this.chainHash = await this.payOnChain(this.chainPayment, 10_000_000n);
    await this.payOnChain(this.chainPayment, 5_000_000n);
  }

  /** A refund of 1.00 USD out of 9.00 that the simulator paid, and the withdrawal. */
  private async paidOut(merchant: Merchant): Promise<void> {
    const payment = await this.payment(merchant, { amount: '9.00' });
    await merchant.post(`/v1/test/payments/${payment}/pay`);
    const refund = (await merchant.post<{ id: string }>('/v1/refunds', { payment, amount: '1.00' })).body.id;
    const destination = await destinationOf(this.gateway, merchant);
    this.withdrawal = (await merchant.post<{ id: string }>('/v1/withdrawals', { amount: '1', currency: 'USDT', destination })).body.id;
    await merchant.post(`/v1/test/withdrawals/${this.withdrawal}/decide`, {});
    await eventually(async () => (await this.gateway.database.rows(
      "select 1 from payouts where subject_id = any ($1) and status = 'completed'", [[refund, this.withdrawal]],
    )).length === 2);
  }

  /** 50 USDT on the chain, a withdrawal that people paid out of them, and 6.00 USD whose mode nobody knows. */
  private async live(merchant: Merchant): Promise<void> {
    await this.payOnChain(await this.bench.payment(merchant, '50.00'), 50_000_000n);
    const destination = await destinationOf(this.gateway, merchant);
    const { body } = await merchant.post<{ id: string }>('/v1/withdrawals', { amount: '10', currency: 'USDT', destination });
    const approver = await signer(this.gateway);
    await approver.decide(`/v1/admin/withdrawals/${body.id}/approve`, 'approve', await shownOf(this.gateway, body.id));
    this.payoutHash = this.tron.chain.transfer({ to: SOME_ADDRESS, amountMinor: 10_000_000n });
    this.tron.chain.confirm(this.payoutHash);
    const paid = await approver.person.post(`/v1/admin/withdrawals/${body.id}/complete`, { hash: this.payoutHash });
    expect(paid.body).toMatchObject({ status: 'completed' });
    await this.settled(genericWebhook({ paymentId: `pay_${'0'.repeat(32)}`, amount: '6.00', reference: this.referenceOfNobody }));
  }

  private async payment(merchant: Merchant, body: object = {}): Promise<string> {
    return (await merchant.post<{ id: string }>('/v1/payments', { amount: '10.00', currency: 'USD', method: 'simulated', ...body })).body.id;
  }

  private async payOnChain(payment: ChainPayment, amountMinor: bigint): Promise<string> {
    const hash = this.tron.chain.transfer({ to: payment.address, amountMinor });
    this.tron.chain.confirm(hash);
    await this.bench.watch(payment);
    return hash;
  }

  private async settled(webhook: SignedWebhook): Promise<void> {
    await deliver(this.gateway.url, webhook);
    await eventually(() => this.gateway.database.value(
      "select outcome from inbox_events where event_id = $1 and status in ('applied', 'ignored', 'quarantined')", [eventIdOf(webhook)],
    ));
  }

  private async rules(merchant: Merchant, rules: object): Promise<void> {
    await this.gateway.database.rows(
      'update clients set test_settings = $2, revision = revision + 1 where id = $1', [merchant.credentials.clientId, { payment_rules: rules }],
    );
  }

  private async assign(where: string, payment: string): Promise<void> {
    const id = await this.gateway.database.value<string>(`select id from unmatched_deposits where ${where}`);
    const { body } = await this.admin.post(`/v1/admin/unmatched-deposits/${id}/assign`, { payment, reason: 'it is theirs' });
    expect(body).toMatchObject({ status: 'assigned' });
  }
}
