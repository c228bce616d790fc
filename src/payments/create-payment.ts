import { Injectable } from '@nestjs/common';
import { auditParameter } from '../audit/audit-event';
import { type DepositAddress, DepositAddressBook } from '../chains/deposit-address-book';
import { isCrypto } from '../money/currency';
import { parseAmount } from '../money/money';
import { accessParameter, UnitOfWork } from '../platform/database/unit-of-work';
import { ValidationProblem } from '../platform/http/problem';
import { currentAccess, currentContext, type BookAccess } from '../platform/http/request-context';
import { type ClaimOutcome, claimParameter } from '../platform/idempotency/idempotency';
import { newId } from '../platform/identifiers';
import { eventsParameter } from '../platform/outbox/outbox';
import { type Payment, paymentColumns } from './payment';
import { type PaymentObject, presentPayment } from './payment-presenter';
import type { CreatePaymentBody } from './payments.dto';

/**
 * Opens a payment. One round trip: what it writes is decided here, and the SQL function writes it or nothing. On chain there is
 * one more before it, for a fresh address; one that a refused or repeated request does not need stays unused.
 */
@Injectable()
export class CreatePayment {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly addresses: DepositAddressBook,
  ) {}

  /** Answers the payment, or ends as a replay when the idempotency key was used before. */
  async create(body: CreatePaymentBody): Promise<PaymentObject> {
    refuseImpossible(body, currentAccess(), this.addresses.isOpen);
    const deposit = body.method === 'usdt_trc20' ? await this.addresses.next() : undefined;
    let answer!: PaymentObject;
    const [row] = await this.unitOfWork.call<{ outcome: ClaimOutcome | null }>(() => {
      const { claim } = currentContext();
      const access = currentAccess();
      const payment = newPayment(body, access, new Date(), deposit);
      answer = presentPayment(payment);
      const change = { kind: 'payment.created', objectId: payment.id, after: answer };
      return {
        name: 'create_payment',
        text: 'select create_payment($1, $2, $3, $4, $5) as outcome',
        values: [
          accessParameter(currentContext()),
          claimParameter(claim!, { status: 201, body: JSON.stringify(answer) }),
          JSON.stringify({ ...paymentColumns(payment), derivation_index: deposit?.index }),
          auditParameter(access, [change]),
          eventsParameter([{ type: change.kind, objectId: payment.id, data: answer }], payment.createdAt),
        ],
      };
    });
    if (row?.outcome) this.unitOfWork.refuse(row.outcome);
    return answer;
  }
}

function newPayment(body: CreatePaymentBody, access: BookAccess, now: Date, deposit: DepositAddress | undefined): Payment {
  const amountMinor = parseAmount(body.amount, body.currency);
  return {
    clientId: access.clientId,
    livemode: access.livemode,
    id: newId('pay', now.getTime()),
    status: 'pending',
    exception: null,
    amountMinor,
    currency: body.currency,
    payAmountMinor: amountMinor,
    payCurrency: body.currency,
    amountReceivedMinor: 0n,
    amountRefundedMinor: 0n,
    amountRefundingMinor: 0n,
    feeMinor: 0n,
    feeBps: access.feeBps,
    method: body.method,
    providerReference: null,
    depositAddress: deposit?.address ?? null,
    customer: body.customer ?? null,
    payer: body.payer ?? null,
    description: body.description ?? null,
    returnUrl: body.return_url ?? null,
    metadata: body.metadata,
    expiresAt: new Date(now.getTime() + body.expires_in * 1000),
    createdAt: now,
    updatedAt: now,
    revision: 1n,
  };
}

/** What no schema of a single field can say: which method suits which key and currency. */
function refuseImpossible({ method, currency }: CreatePaymentBody, access: BookAccess, onChain: boolean): void {
  const refuse = (field: string, message: string) => {
    throw new ValidationProblem([{ field, code: 'not_available', message }]);
  };
  if (method === 'simulated' && access.livemode) refuse('method', 'simulated payments exist for test keys only');
  if (method === 'usdt_trc20' && !onChain) refuse('method', 'usdt_trc20 is not set up on this gateway');
  if (method === 'usdt_trc20' && currency !== 'USDT') refuse('currency', 'must be USDT for usdt_trc20');
  if (method === 'card' && isCrypto(currency)) refuse('currency', `cards are not charged in ${currency}`);
}
