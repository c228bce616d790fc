import { z } from 'zod';
import type { CurrencyCode } from '../../money/currency';
import { AmountError, parseAmount } from '../../money/money';
import { ValidationProblem } from './problem';

/** An amount as text; whether it suits its currency is checked where both are known. */
export const amountText = z.string({
  error: ({ input }) => (input === undefined ? 'is required' : 'must be a decimal string such as "25.00"; JSON numbers lose digits'),
}).max(60).meta({ description: 'Decimal string, greater than zero, no more decimals than the currency has.', examples: ['25.00'] });

/** Refuses, as a part of a body's schema, an amount that its currency cannot have. */
export function suitsCurrency(body: { amount: string; currency: CurrencyCode }, context: z.RefinementCtx): void {
  try {
    parseAmount(body.amount, body.currency);
  } catch (error) {
    if (!(error instanceof AmountError)) throw error;
    context.addIssue({ code: 'custom', path: ['amount'], message: error.message });
  }
}

/** Minor units of an amount whose currency is known only now; 422 that names the field when the currency cannot have it. */
export function amountOfField(field: string, text: string, currency: CurrencyCode): bigint {
  try {
    return parseAmount(text, currency);
  } catch (error) {
    if (!(error instanceof AmountError)) throw error;
    throw new ValidationProblem([{ field, code: error.reason, message: error.message }]);
  }
}
