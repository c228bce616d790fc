import { type PaymentFacts, payerOf } from './payer';
import type { PaymentContext } from './payment-context';
import { paymentSignals } from './payment-signals';
import { flatSignals, SIGNALS, valueOf } from './signal-catalogue';

const NOTHING: PaymentContext = {
  revision: 1, client: null, email_domain: null, small: 0, customer: null, customer_failures: null, ip: null, ip_failures: null, failed_logins: null,
  ip_small: 0, ip_customers: 0, paid: null, places: null, profile: null, blocks: null, hits: null, model: null,
};
const MUCH: PaymentContext = {
  revision: 1, client: [1, 2, 3, 4, 5_000_000], email_domain: [1, 2, 3, 4, 5_000_000], small: 2, customer: [1, 2, 3, 4, 5_000_000],
  customer_failures: [1, 1, 1, 1, 60], ip: [1, 2, 3, 4, 5_000_000], ip_failures: [1, 1, 1, 1, 60], failed_logins: [1, 1, 1, 1, 60],
  ip_small: 1, ip_customers: 1, paid: [3, '1000'], places: ['192.0.2.1'], profile: [200, '200000', '2500', 50],
  blocks: [{ guard: 'ip', reason: 'failed too often', until: '2026-01-31T10:00:00Z' }],
  hits: [
    { list: 'block', kind: 'customer', value: 'c1', reason: 'fraud' }, { list: 'allow', kind: 'email_domain', value: 'shop.example', reason: 'known' },
  ],
  model: null,
};
const BARE: PaymentFacts = { clientId: 'cli_1', livemode: true, amountMinor: 2500n, currency: 'USD' };
const TOLD: PaymentFacts = {
  ...BARE, customer: 'c1', ip: '192.0.2.1', network: '192.0.2.1', email: 'c1@shop.example', country: 'DE', ipCountry: 'FR',
};
const signalsOf = (facts: PaymentFacts, context: PaymentContext, last: string | null) => paymentSignals(facts, payerOf(facts), context, last);

describe('signals of a payment', () => {
  const all = signalsOf(TOLD, MUCH, 'IT');

  it('are all that rules can name for payments', () => {
    const named = Object.entries(SIGNALS).filter(([, { subjects }]) => subjects.includes('payment'));
    const missing = named.flatMap(([name, { windows }]) => (windows ?? [undefined]).filter((window) => valueOf(all, name, window) === null).map((window) => [name, window]));
    expect(missing).toEqual([]);
  });

  it('have the same names, in the same order, whatever is known', () => {
    for (const signals of [signalsOf(BARE, NOTHING, null), signalsOf(BARE, MUCH, null), signalsOf(TOLD, NOTHING, null)]) {
      expect(Object.keys(signals)).toEqual(Object.keys(all));
    }
  });

  it('say nothing of what is not known', () => {
    expect(JSON.parse(JSON.stringify(signalsOf(BARE, NOTHING, null)))).toEqual({
      subject: 'payment', block_list: false, allow_list: false, guard_block: false, amount: '25.00', currency: 'USD', amount_units: 25, earlier: 0,
      round_amount: false, small_payments_1h: 0, client_payments: [1, 1, 1, 1],
    });
    expect(Object.values(flatSignals(signalsOf(BARE, NOTHING, null)))).not.toContain(undefined);
  });

  it('put an amount beside what is usual for the client and for the customer', () => {
    expect(all).toMatchObject({
      amount_times_usual: 2.5, times_usual: '2.5', usual_amount: '10.00', amount_times_largest: 1, largest_amount: '25.00', hour_share: 0.25, hour_percent: '25.0',
      customer_amount_times_usual: 2.5, customer_usual_amount: '10.00',
    });
  });
});
