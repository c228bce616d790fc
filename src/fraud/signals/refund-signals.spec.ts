import { judgeAsShipped } from '../../../test/support/shipped-rules';
import { type RefundFacts, refundSignals } from './refund-signals';

const now = new Date('2026-01-10T12:00:00.000Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);

/** Half of a payment of three days ago, as now and then. */
const usual: RefundFacts = {
  amountMinor: 1250n, currency: 'USD', receivedMinor: 2500n, paidAt: ago(3 * 86_400),
  earlierCount: 30, averageMinor: 1000n, maxMinor: 5000n, refundsLastHour: 1, paymentsLastHour: 40, now,
};
const assess = (change: Partial<RefundFacts>) => judgeAsShipped('refund', refundSignals({ ...usual, ...change }, { hits: null }));

describe('the risk of a refund', () => {
  it.each<[string, Partial<RefundFacts>, number, string[]]>([
    ['as usual', {}, 0, []],
    ['a part at once', { paidAt: ago(60) }, 0, []],
    ['the whole after ten minutes', { amountMinor: 2500n, paidAt: ago(600) }, 0, []],
    ['the whole sooner', { amountMinor: 2500n, paidAt: ago(185) }, 0.2, ['whole payment given back 3 minutes after it was paid']],
    ['the whole by a clock that is behind', { amountMinor: 2500n, paidAt: ago(-2) }, 0.2, [
      'whole payment given back 0 seconds after it was paid',
    ]],
    ['four in the hour', { refundsLastHour: 4, paymentsLastHour: 0 }, 0, []],
    ['12 against 15', { refundsLastHour: 12, paymentsLastHour: 15 }, 0.25, ['12 refunds in the last hour against 15 payments']],
    ['5 against 1', { refundsLastHour: 5, paymentsLastHour: 1 }, 0.25, ['5 refunds in the last hour against 1 payment']],
    ['12 against 200', { refundsLastHour: 12, paymentsLastHour: 200 }, 0, []],
    ['five times the usual', { amountMinor: 5000n, receivedMinor: 9000n }, 0.25, ['5.0 times the usual amount (50.00 USD; usual 10.00)']],
    ['ten times the usual and twice the largest', { amountMinor: 10_000n, receivedMinor: 20_000n }, 0.55, [
      '10.0 times the usual amount (100.00 USD; usual 10.00)', 'at least twice the largest before (50.00 USD)',
    ]],
    ['trying the API out', { amountMinor: 2500n, paidAt: ago(1), refundsLastHour: 20, paymentsLastHour: 20, averageMinor: 2500n }, 0.45, [
      'whole payment given back 1 second after it was paid', '20 refunds in the last hour against 20 payments',
    ]],
  ])('%s', (_, change, score, reasons) => {
    expect(assess(change)).toEqual({ score, decision: score >= 0.5 ? 'review' : 'allow', reasons });
  });

  it('never blocks', () => {
    const all = assess({ amountMinor: 10n ** 9n, receivedMinor: 10n ** 9n, paidAt: now, refundsLastHour: 99 });
    expect([all.score, all.decision]).toEqual([0.79, 'review']);
  });
});
