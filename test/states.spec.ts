import { ANOMALY_STATUSES, ANOMALY_TRANSITIONS } from '../src/fraud/anomalies/anomaly-state';
import { PAYMENT_STATUSES, PAYMENT_TRANSITIONS } from '../src/payments/payment-state';
import { REFUND_STATUSES, REFUND_TRANSITIONS } from '../src/payments/refunds/refund-state';
import { WITHDRAWAL_STATUSES, WITHDRAWAL_TRANSITIONS } from '../src/withdrawals/withdrawal-state';
import { TestDatabase } from './support/database';

type Table = Readonly<Record<string, Readonly<Record<string, string | undefined>> | readonly string[]>>;

describe('the states', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await TestDatabase.create();
  });
  afterAll(() => database.drop());

  it.each<[string, readonly string[], Table]>([
    ['anomaly', ANOMALY_STATUSES, ANOMALY_TRANSITIONS],
    ['payment', PAYMENT_STATUSES, PAYMENT_TRANSITIONS],
    ['refund', REFUND_STATUSES, REFUND_TRANSITIONS],
    ['withdrawal', WITHDRAWAL_STATUSES, WITHDRAWAL_TRANSITIONS],
  ])('of a %s are the same in the table of the code and in the function of the database', async (what, statuses, transitions) => {
    const rows = await database.rows<{ a: string; b: string; allowed: boolean }>(
      `select a, b, ${what}_may_become(a, b) as allowed from unnest($1::text[]) a, unnest($1::text[]) b`, [statuses],
    );
    expect(rows).toHaveLength(statuses.length ** 2);
    for (const { a, b, allowed } of rows) {
      expect({ a, b, allowed }).toEqual({ a, b, allowed: a === b || Object.values(transitions[a]).includes(b) });
    }
  });
});
