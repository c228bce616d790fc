import { Ledger } from '../../src/ledger/ledger.service';
import type { CurrencyCode } from '../../src/money/currency';
import type { PaymentMethod } from '../../src/payments/payment';
import { UnitOfWork } from '../../src/platform/database/unit-of-work';
import { runInContext } from '../../src/platform/http/request-context';
import { newId } from '../../src/platform/identifiers';
import type { Gateway } from './gateway';
import type { Merchant } from './merchant';

const system = { requestId: 'test-paid-payment', actor: { type: 'system' as const }, startedAt: 0 };

/** What a payment is like that has been paid in full; where a real one would need a provider or a chain. */
export interface PaidPayment {
  method: PaymentMethod;
  currency: CurrencyCode;
  amountMinor: bigint;
  livemode?: boolean;
  depositAddress?: string;
}

/** Puts a paid payment into a client's book, with its receipt and its transfer, and answers its id. */
export async function paidPayment(gateway: Gateway, merchant: Merchant, paid: PaidPayment): Promise<string> {
  const { livemode = false, currency, amountMinor } = paid;
  const { clientId } = merchant.credentials;
  const id = newId('pay');
  const minor = amountMinor.toString();
  await runInContext(system, () => gateway.app.get(UnitOfWork).run(async (tx) => {
    await tx.query(
      `insert into payments (client_id, livemode, id, status, amount_minor, currency, pay_amount_minor, pay_currency, amount_received_minor,
                             amount_refunded_minor, fee_minor, fee_bps, method, metadata, deposit_address,
                             expires_at, created_at, updated_at, revision)
       values ($1, $2, $3, 'succeeded', $4, $5, $4, $5, $4, 0, 0, 0, $6, '{}', $7, now() + interval '30 minutes', now(), now(), 1)`,
      [clientId, livemode, id, minor, currency, paid.method, paid.depositAddress ?? null],
    );
    await tx.query(
      `insert into payment_receipts (client_id, livemode, provider, reference, payment_id, amount_minor, credited_minor, currency,
                                     received_at)
       values ($1, $2, 'test', $3, $3, $4, $4, $5, now())`,
      [clientId, livemode, id, minor, currency],
    );
    await gateway.app.get(Ledger).transfer(tx, { clientId, livemode }, currency, [
      { debit: 'provider', credit: 'available', amountMinor, code: 'payment', referenceId: id },
    ]);
  }));
  return id;
}
