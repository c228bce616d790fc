import type { Payment } from './payment';
import { paymentRulesOf } from './payment-rules';
import { type Arrival, creditAnyway, settle, takeBackPart } from './settlement';

const noon = new Date('2026-01-01T12:00:00.000Z');
const onTime = new Date('2026-01-01T11:59:59.999Z');
const tooLate = new Date('2026-01-01T12:00:00.001Z');

const payment = (change: Partial<Payment> = {}): Payment => ({
  clientId: 'cli_1', livemode: false, id: 'pay_1', status: 'pending', exception: null, review: null, risk: null,
  amountMinor: 1000n, currency: 'USD', payAmountMinor: 1000n, payCurrency: 'USD',
  amountReceivedMinor: 0n, amountRefundedMinor: 0n, amountRefundingMinor: 0n, feeMinor: 0n, feeBps: 250, method: 'simulated',
  providerReference: null, depositAddress: null, customer: null, payer: null, payerNetwork: null, description: null, returnUrl: null, metadata: {},
  expiresAt: noon, createdAt: onTime, updatedAt: onTime, revision: 1n,
  ...change,
});
const arrival = (change: Partial<Arrival> = {}): Arrival => ({
  provider: 'generic', reference: 'ref-1', amountMinor: 1000n, currency: 'USD', occurredAt: onTime, ...change,
});
const decide = (p: Partial<Payment>, a: Partial<Arrival>, rules: object = {}) =>
  settle(payment(p), arrival(a), paymentRulesOf({ payment_rules: rules }));

/** Movements as "debit>credit amount", so that a case reads as one line. */
const moved = (settlement: ReturnType<typeof decide>) =>
  settlement?.movements.map(({ debit, credit, amountMinor }) => `${debit}>${credit} ${amountMinor}`);

describe('settle', () => {
  it('credits what was asked, less the fee rounded half up', () => {
    const settlement = decide({}, {});
    expect(settlement).toMatchObject({ status: 'succeeded', exception: null, amountReceivedMinor: 1000n, feeMinor: 25n, creditedMinor: 1000n });
    expect(moved(settlement)).toEqual(['provider>available 1000', 'available>fees 25']);
  });

  it.each([
    // one minor unit under or over, by rule: status, exception, received, movements, unmatched
    ['under', 'wait', 999n, 'pending', 'underpaid', 999n, ['provider>pending 999'], undefined],
    ['under', 'credit', 999n, 'succeeded', 'underpaid', 999n, ['provider>available 999', 'available>fees 25'], undefined],
    ['under', 'refund', 999n, 'pending', 'underpaid', 0n, ['provider>unmatched 999'], { amountMinor: 999n, reason: 'underpaid', wish: 'refund' }],
    ['over', 'credit', 1001n, 'succeeded', 'overpaid', 1001n, ['provider>available 1001', 'available>fees 25'], undefined],
    ['over', 'refund', 1001n, 'succeeded', 'overpaid', 1000n, ['provider>available 1000', 'available>fees 25', 'provider>unmatched 1'],
      { amountMinor: 1n, reason: 'overpaid', wish: 'refund' }],
  ])('%s-payment, rule %s', (side, rule, amountMinor, status, exception, amountReceivedMinor, movements, unmatched) => {
    const settlement = decide({}, { amountMinor }, { [`${side}paid`]: rule });
    expect(settlement).toMatchObject({ status, exception, amountReceivedMinor });
    expect(moved(settlement)).toEqual(movements);
    expect(settlement?.unmatched).toEqual(unmatched);
  });

  it('counts an amount within the tolerance as paid, and credits what arrived', () => {
    const rules = { tolerance: '0.01' };
    expect(decide({}, { amountMinor: 999n }, rules)).toMatchObject({ status: 'succeeded', exception: null, amountReceivedMinor: 999n });
    expect(decide({}, { amountMinor: 1001n }, rules)).toMatchObject({ status: 'succeeded', exception: null, amountReceivedMinor: 1001n });
    expect(decide({}, { amountMinor: 998n }, rules)).toMatchObject({ status: 'pending', exception: 'underpaid' });
  });

  it('releases the part that waited when the rest arrives', () => {
    const settlement = decide({ amountReceivedMinor: 400n, exception: 'underpaid' }, { amountMinor: 600n, reference: 'ref-2' });
    expect(settlement).toMatchObject({ status: 'succeeded', exception: null, amountReceivedMinor: 1000n, feeMinor: 25n });
    expect(moved(settlement)).toEqual(['provider>available 600', 'pending>available 400', 'available>fees 25']);
  });

  it('keeps the excess over a part that waited, when the rule is to give it back', () => {
    const settlement = decide({ amountReceivedMinor: 400n }, { amountMinor: 700n, reference: 'ref-2' }, { overpaid: 'refund' });
    expect(settlement).toMatchObject({ status: 'succeeded', exception: 'overpaid', amountReceivedMinor: 1000n, creditedMinor: 600n });
    expect(moved(settlement)).toEqual(['provider>available 600', 'pending>available 400', 'available>fees 25', 'provider>unmatched 100']);
  });

  it('takes a second payment as overpaid, with the fee on the whole', () => {
    const paid = { status: 'succeeded', amountReceivedMinor: 1000n, feeMinor: 25n } as const;
    const settlement = decide(paid, { reference: 'ref-2' });
    expect(settlement).toMatchObject({ status: 'succeeded', exception: 'overpaid', amountReceivedMinor: 2000n, feeMinor: 50n });
    expect(moved(settlement)).toEqual(['provider>available 1000', 'available>fees 25']);
    expect(decide(paid, { reference: 'ref-2' }, { overpaid: 'refund' })).toMatchObject({
      status: 'succeeded', amountReceivedMinor: 1000n, unmatched: { amountMinor: 1000n, reason: 'overpaid', wish: 'refund' },
    });
  });

  it.each([
    ['queue', 'expired', 'paid_late', 0n, { amountMinor: 1000n, reason: 'late', wish: 'review' }],
    ['credit_locked', 'succeeded', 'paid_late', 1000n, undefined],
    ['credit_current', 'succeeded', 'paid_late', 1000n, undefined],
  ])('late payment, rule %s', (late, status, exception, amountReceivedMinor, unmatched) => {
    const settlement = decide({ status: 'expired' }, { occurredAt: tooLate }, { late });
    expect(settlement).toMatchObject({ status, exception, amountReceivedMinor });
    expect(settlement?.unmatched).toEqual(unmatched);
  });

  it('is late by when the money came, not by when the gateway looked', () => {
    expect(decide({ status: 'expired' }, { occurredAt: onTime })).toMatchObject({ status: 'succeeded', exception: null });
    expect(decide({ status: 'pending' }, { occurredAt: tooLate })).toMatchObject({ status: 'pending', exception: 'paid_late', unmatched: { reason: 'late' } });
  });

  it('keeps what is told of after a payment expired and is not the whole of it, even if it came in time', () => {
    const rest = decide({ status: 'expired', amountReceivedMinor: 400n }, { amountMinor: 600n });
    expect(rest).toMatchObject({ status: 'expired', exception: 'underpaid', unmatched: { amountMinor: 600n, reason: 'underpaid', wish: 'review' } });
    expect(moved(rest)).toEqual(['provider>unmatched 600']);
    const part = decide({ status: 'expired' }, { amountMinor: 400n });
    expect(part).toMatchObject({ status: 'expired', exception: 'underpaid', amountReceivedMinor: 0n, unmatched: { amountMinor: 400n } });
  });

  it.each(['pending', 'processing', 'failed'] as const)('waits as pending when a part comes for a %s payment', (status) => {
    expect(decide({ status }, { amountMinor: 400n })).toMatchObject({ status: 'pending', exception: 'underpaid', amountReceivedMinor: 400n });
  });

  it.each([
    ['failed', 'succeeded', undefined],
    ['processing', 'succeeded', undefined],
    ['canceled', 'canceled', 'closed_payment'],
  ] as const)('money for a %s payment', (status, after, reason) => {
    const settlement = decide({ status }, {});
    expect(settlement?.status).toBe(after);
    expect(settlement?.unmatched?.reason).toBe(reason);
  });

  it.each([
    ['another currency', {}, { currency: 'EUR' }, 'wrong_currency', ['provider>unmatched 1000']],
    ['a currency without a book', {}, { currency: 'XAU' }, 'wrong_currency', []],
    ['the other mode', {}, { livemode: true }, 'wrong_mode', []],
    ['another amount on a card', { method: 'card' }, { amountMinor: 999n }, 'wrong_amount', ['provider>unmatched 999']],
    ['another intended amount on a card', { method: 'card' }, { expectedAmountMinor: 2000n }, 'wrong_amount', ['provider>unmatched 1000']],
  ] as const)('puts aside %s', (_, p, a, reason, movements) => {
    const settlement = decide(p, a);
    expect(settlement).toMatchObject({ status: 'pending', exception: null, amountReceivedMinor: 0n, unmatched: { reason } });
    expect(moved(settlement)).toEqual(movements);
  });

  it('never credits, keeps and charges more or less than what arrived', () => {
    for (const status of ['pending', 'processing', 'failed', 'expired', 'canceled', 'succeeded'] as const) {
      for (const underpaid of ['wait', 'credit', 'refund']) for (const overpaid of ['credit', 'refund']) for (const late of ['queue', 'credit_locked']) {
        for (const amountMinor of [1n, 999n, 1000n, 1001n, 5000n]) for (const occurredAt of [onTime, tooLate]) {
          const before = status === 'succeeded' ? 1000n : 0n;
          const settlement = decide({ status, amountReceivedMinor: before, feeMinor: before ? 25n : 0n }, { amountMinor, occurredAt }, { underpaid, overpaid, late })!;
          const entered = settlement.movements.filter(({ debit }) => debit === 'provider').reduce((sum, m) => sum + m.amountMinor, 0n);
          expect(entered).toBe(amountMinor);
          expect((settlement.creditedMinor ?? 0n) + (settlement.unmatched?.amountMinor ?? 0n)).toBe(amountMinor);
          expect(settlement.amountReceivedMinor - before).toBe(settlement.creditedMinor ?? 0n);
        }
      }
    }
  });
});

describe('what people decide', () => {
  it.each([
    // status, received, arrival, rules, then: status, exception, received, movements
    ['pending', 0n, { amountMinor: 400n }, {}, 'pending', 'underpaid', 400n, ['provider>pending 400']],
    ['pending', 0n, { amountMinor: 400n }, { underpaid: 'refund' }, 'succeeded', 'underpaid', 400n, ['provider>available 400', 'available>fees 10']],
    ['pending', 0n, { amountMinor: 400n, occurredAt: tooLate }, {}, 'succeeded', 'paid_late', 400n, ['provider>available 400', 'available>fees 10']],
    ['expired', 0n, { amountMinor: 400n }, {}, 'succeeded', 'underpaid', 400n, ['provider>available 400', 'available>fees 10']],
    ['expired', 0n, { occurredAt: tooLate }, { late: 'queue' }, 'succeeded', 'paid_late', 1000n, ['provider>available 1000', 'available>fees 25']],
    ['pending', 400n, { amountMinor: 600n }, {}, 'succeeded', null, 1000n, ['provider>available 600', 'pending>available 400', 'available>fees 25']],
    ['failed', 0n, { amountMinor: 2000n }, { overpaid: 'refund' }, 'succeeded', 'overpaid', 2000n, ['provider>available 2000', 'available>fees 50']],
    ['succeeded', 1000n, { amountMinor: 200n }, { overpaid: 'refund' }, 'succeeded', 'overpaid', 1200n, ['provider>available 200', 'available>fees 30']],
  ] as const)('credits all of it: %s with %s, %j by %j', (status, amountReceivedMinor, came, rules, after, exception, received, movements) => {
    const settlement = creditAnyway(payment({ status, amountReceivedMinor, method: 'card' }), arrival(came), paymentRulesOf({ payment_rules: rules }));
    expect(settlement).toMatchObject({ status: after, exception, amountReceivedMinor: received, creditedMinor: arrival(came).amountMinor });
    expect(settlement.unmatched).toBeUndefined();
    expect(moved(settlement)).toEqual(movements);
  });

  it('gives an expired payment its part back without receiving it again', () => {
    const settlement = takeBackPart(payment({ status: 'expired', amountReceivedMinor: 400n }));
    expect(settlement).toMatchObject({ status: 'succeeded', exception: 'underpaid', amountReceivedMinor: 400n, feeMinor: 10n });
    expect(settlement.creditedMinor).toBeUndefined();
    expect(moved(settlement)).toEqual(['unmatched>available 400', 'available>fees 10']);
  });
});
