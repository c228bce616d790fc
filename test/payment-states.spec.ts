import { PAYMENT_STATUSES, PAYMENT_TRANSITIONS } from '../src/payments/payment-state';
import { TestDatabase } from './support/database';

describe('the states of a payment', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await TestDatabase.create();
  });
  afterAll(() => database.drop());

  it('are the same in the table of the code and in the function of the database', async () => {
    const rows = await database.rows<{ a: string; b: string; allowed: boolean }>(
      'select a, b, payment_may_become(a, b) as allowed from unnest($1::text[]) a, unnest($1::text[]) b',
      [PAYMENT_STATUSES],
    );
    expect(rows).toHaveLength(PAYMENT_STATUSES.length ** 2);
    for (const { a, b, allowed } of rows) {
      const targets: (string | undefined)[] = Object.values(PAYMENT_TRANSITIONS[a as keyof typeof PAYMENT_TRANSITIONS]);
      expect({ a, b, allowed }).toEqual({ a, b, allowed: a === b || targets.includes(b) });
    }
  });
});
