import { z } from 'zod';
import { type CurrencyCode, isCurrency } from '../money/currency';
import { AmountError, parseAmount } from '../money/money';
import type { PaymentMethod } from './payment';

const AMOUNT_FORM = /^(0|[1-9][0-9]*)(\.[0-9]+)?$/;

/** What a merchant wants done with money that does not come as asked. */
export const paymentRulesSchema = z.strictObject({
  tolerance: z.string().regex(AMOUNT_FORM, 'must be a decimal amount such as "0.01"').max(60).nullable().default(null)
    .meta({ description: 'How far off an amount still counts as paid, in the currency it is paid in. Null: 0, and 0.01 for usdt_trc20.' }),
  underpaid: z.enum(['wait', 'credit', 'refund']).default('wait')
    .meta({ description: 'Too little: wait for the rest until it expires, take what came, or give it back.' }),
  overpaid: z.enum(['credit', 'refund']).default('credit').meta({ description: 'Too much: take all of it, or give the rest back.' }),
  late: z.enum(['credit_locked', 'credit_current', 'queue']).default('queue')
    .meta({ description: 'After it expired: take it at the rate locked then or at the present one, or let people decide.' }),
});
export type PaymentRules = z.output<typeof paymentRulesSchema>;

const DEFAULT_TOLERANCE: Partial<Record<PaymentMethod, string>> = { usdt_trc20: '0.01' };

/** The rules of a client's settings; what it never set has the contract's default. */
export function paymentRulesOf(settings: Readonly<Record<string, unknown>>): PaymentRules {
  return paymentRulesSchema.parse(settings.payment_rules ?? {});
}

/** The tolerance in minor units of the currency that is paid; finer than the currency counts as zero. */
export function toleranceMinor(rules: PaymentRules, method: PaymentMethod, currency: CurrencyCode): bigint {
  const text = rules.tolerance ?? DEFAULT_TOLERANCE[method];
  if (!text || !isCurrency(currency)) return 0n;
  try {
    return parseAmount(text, currency);
  } catch (error) {
    if (error instanceof AmountError) return 0n;
    throw error;
  }
}
