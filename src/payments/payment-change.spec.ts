import { runInContext } from '../platform/http/request-context';
import type { Payment } from './payment';
import { changeFor, changeStatement } from './payment-change';
import { paymentRulesOf } from './payment-rules';
import { settle } from './settlement';

const at = new Date('2026-01-01T12:00:00.000Z');
const payment: Payment = {
  clientId: 'cli_1', livemode: false, id: 'pay_1', status: 'pending', exception: null, review: null, risk: null,
  amountMinor: 1000n, currency: 'USDT', payAmountMinor: 1000n, payCurrency: 'USDT',
  amountReceivedMinor: 0n, amountRefundedMinor: 0n, amountRefundingMinor: 0n, feeMinor: 0n, feeBps: 0, method: 'usdt_trc20',
  providerReference: null, depositAddress: null, customer: null, payer: null, payerNetwork: null, description: null, returnUrl: null, metadata: {},
  expiresAt: at, createdAt: at, updatedAt: at, revision: 1n,
};

describe('money that a payment does not take', () => {
  const kept = (livemode: boolean | undefined, amountMinor = 1000n, occurredAt = at) => {
    const arrival = { provider: 'tron', reference: 'r', amountMinor, currency: 'USDT', livemode, occurredAt };
    const change = changeFor(payment, arrival, settle(payment, arrival, paymentRulesOf({})), at);
    const { values } = runInContext({ requestId: 'req_spec', startedAt: 0 }, () => changeStatement(change));
    return JSON.parse(values![3] as string) as { reason: string; livemode: boolean; booked: boolean }[];
  };

  it('is kept in the mode that it has, not in that of a payment of the other mode', () => {
    expect(kept(true)).toEqual([expect.objectContaining({ reason: 'wrong_mode', livemode: true, booked: false })]);
    expect(kept(undefined, 1000n, new Date(at.getTime() + 1))).toEqual([expect.objectContaining({ reason: 'late', livemode: false, booked: true })]);
    expect(kept(false)).toEqual([]);
  });
});
