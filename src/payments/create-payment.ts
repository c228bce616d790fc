import { Injectable } from '@nestjs/common';
import type { QueryConfig } from 'pg';
import { auditParameter } from '../audit/audit-event';
import { type Assessment, assessmentParameter, riskOf } from '../fraud/assessments/assessment';
import { AssessPayment } from '../fraud/assessments/assess-payment';
import type { PaymentFacts } from '../fraud/signals/payer';
import { type DepositAddress, DepositAddressBook } from '../chains/deposit-address-book';
import { isCrypto } from '../money/currency';
import { parseAmount } from '../money/money';
import { accessParameter, UnitOfWork } from '../platform/database/unit-of-work';
import { ValidationProblem } from '../platform/http/problem';
import { currentAccess, currentContext, type BookAccess } from '../platform/http/request-context';
import { type ClaimOutcome, claimParameter } from '../platform/idempotency/idempotency';
import { newId } from '../platform/identifiers';
import { eventsParameter } from '../platform/outbox/outbox';
import { networkOf } from '../platform/security/blocks/networks';
import { type Payment, paymentColumns } from './payment';
import { type PaymentObject, presentPayment } from './payment-presenter';
import type { CreatePaymentBody } from './payments.dto';
import { PaymentBlocked } from './payments.errors';

/**
 * Opens a payment. Two round trips: what it is decided on, and the SQL function that writes all of it or nothing. On chain there is
 * one more between them, for a fresh address; one that a repeated request does not need stays unused.
 */
@Injectable()
export class CreatePayment {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly addresses: DepositAddressBook,
    private readonly risk: AssessPayment,
  ) {}

  /**
   * Answers the payment, or ends as a replay when the idempotency key was used before.
   *
   * @throws PaymentBlocked 403 when the fraud rules stop it: nothing is created, and the key stays free
   */
  async create(body: CreatePaymentBody): Promise<PaymentObject> {
    refuseImpossible(body, currentAccess(), this.addresses.isOpen);
    let answer!: PaymentObject;
    let assessment!: Assessment;
    let deposit: DepositAddress | undefined;
    const [row] = await this.unitOfWork.call<{ outcome: ClaimOutcome | null }>(async () => {
      const now = new Date();
      const id = newId('pay', now.getTime());
      const facts = factsOf(body, currentAccess());
      assessment = await this.risk.assess(facts, id, now);
      if (assessment.verdict.decision === 'block') return refusalOf(assessment);
      if (body.method === 'usdt_trc20') deposit ??= await this.addresses.next();
      const payment = newPayment(body, facts, currentAccess().feeBps, assessment, deposit);
      answer = presentPayment(payment);
      return creationOf(payment, answer, this.risk.parameterOf(assessment), deposit);
    });
    if (row?.outcome) this.unitOfWork.refuse(row.outcome);
    await this.risk.keep(assessment);
    if (assessment.verdict.decision === 'block') throw new PaymentBlocked(riskOf(assessment));
    return answer;
  }
}

/** What the fraud rules look at. */
function factsOf({ amount, currency, customer, payer }: CreatePaymentBody, { clientId, livemode }: BookAccess): PaymentFacts {
  const { ip, email, country } = payer ?? {};
  return { clientId, livemode, amountMinor: parseAmount(amount, currency), currency, customer, ip, network: ip && networkOf(ip), email, country };
}

function creationOf(payment: Payment, answer: PaymentObject, risk: string | null, deposit: DepositAddress | undefined): QueryConfig {
  const context = currentContext();
  const change = { kind: 'payment.created', objectId: payment.id, after: answer };
  return {
    name: 'create_payment',
    text: 'select create_payment($1, $2, $3, $4, $5, $6) as outcome',
    values: [
      accessParameter(context),
      claimParameter(context.claim!, { status: 201, body: JSON.stringify(answer) }),
      JSON.stringify({ ...paymentColumns(payment), derivation_index: deposit?.index }),
      auditParameter(payment, [change]),
      eventsParameter([{ type: change.kind, objectId: payment.id, data: answer }], payment.createdAt),
      risk,
    ],
  };
}

function refusalOf(assessment: Assessment): QueryConfig {
  const context = currentContext();
  return {
    name: 'refuse_as_risky',
    text: 'select refuse_as_risky($1, $2, $3) as outcome',
    values: [accessParameter(context), claimParameter(context.claim!), assessmentParameter(assessment)],
  };
}

function newPayment(body: CreatePaymentBody, facts: PaymentFacts, feeBps: number, assessment: Assessment, deposit: DepositAddress | undefined): Payment {
  const { at: now, subjectId: id } = assessment;
  const { clientId, livemode, amountMinor, network } = facts;
  return {
    clientId,
    livemode,
    id,
    status: 'pending',
    exception: null,
    review: assessment.verdict.decision === 'review' ? 'held' : null,
    risk: riskOf(assessment),
    amountMinor,
    currency: body.currency,
    payAmountMinor: amountMinor,
    payCurrency: body.currency,
    amountReceivedMinor: 0n,
    amountRefundedMinor: 0n,
    amountRefundingMinor: 0n,
    feeMinor: 0n,
    feeBps,
    method: body.method,
    providerReference: null,
    depositAddress: deposit?.address ?? null,
    customer: body.customer ?? null,
    payer: body.payer ?? null,
    payerNetwork: network ?? null,
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
