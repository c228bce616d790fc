import type { Query } from '../../auth/decisions/signed-decisions';
import { Problem, ValidationProblem } from '../../platform/http/problem';
import type { Payment, PaymentMethod } from '../payment';
import { statusAfter } from '../payment-state';
import { PaymentStateProblem, refuseHeld } from '../payments.errors';
import type { ForceSuccessBody } from './admin-payments.dto';
import type { OverrideProvider } from './payment-override';

type NamedMoney = Pick<ForceSuccessBody, 'provider' | 'reference'>;

/** Which providers can have been paid, by method. */
const PROVIDERS: Readonly<Record<PaymentMethod, readonly OverrideProvider[]>> = {
  card: ['stripe', 'generic'],
  simulated: ['stripe', 'generic'],
  usdt_trc20: ['tron'],
};

/** 409 for a payment that cannot succeed any more, 422 for a provider or an address that cannot have been paid for it. */
export function refuseUnpayable(payment: Payment, { provider, reference }: NamedMoney): void {
  if (!statusAfter(payment.status, 'succeed')) throw new PaymentStateProblem(payment, 'forced to succeed');
  refuseHeld(payment);
  refuseWithoutItsPart(payment);
  const providers = PROVIDERS[payment.method];
  if (!providers.includes(provider)) {
    const message = `a ${payment.method} payment is paid through ${providers.join(' or ')}`;
    throw new ValidationProblem([{ field: 'provider', code: 'not_available', message }]);
  }
  if (provider === 'tron' && reference.split(':')[1] !== payment.depositAddress) {
    throw new ValidationProblem([{ field: 'reference', code: 'not_available', message: "must end in the payment's own deposit address" }]);
  }
}

/** 409 for an expired payment whose earlier part has become an unmatched deposit: no rest completes it without that part. */
export function refuseWithoutItsPart({ status, amountReceivedMinor }: Payment): void {
  if (status !== 'expired' || amountReceivedMinor === 0n) return;
  throw new Problem('state_conflict',
    'This payment has expired with a part of its money, which became an unmatched deposit. Assign that deposit to it first.');
}

/** 409 for money that was counted before, in whatever book: credited, kept as an unmatched deposit, or known to pay another payment. */
export async function refuseCounted(query: Query, { clientId, livemode, id }: Payment, { provider, reference }: NamedMoney): Promise<void> {
  const [row] = await query<{ counted: boolean }>(
    `select is_counted($1, $2, $3, $4) or is_credited($3, $4)
            or exists (select from provider_references where provider = $3 and reference = $4 and payment_id <> $5) as counted`,
    [clientId, livemode, provider, reference, id],
  );
  if (!row?.counted) return;
  throw new Problem(provider === 'tron' ? 'transaction_already_used' : 'state_conflict',
    `The money that ${provider} calls ${reference} was counted before: for a payment, or as an unmatched deposit, which can be assigned.`);
}
