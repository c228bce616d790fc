import { Injectable, Logger } from '@nestjs/common';
import { AssessRefund } from '../../fraud/assessments/assess-refund';
import { type Assessment, assessmentParameter, riskOf } from '../../fraud/assessments/assessment';
import { RiskEngine } from '../../fraud/assessments/risk-engine';
import { isWorthAtLeast } from '../../money/usd-equivalent';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { amountOfField } from '../../platform/http/amounts';
import { ValidationProblem } from '../../platform/http/problem';
import { currentAccess, currentContext } from '../../platform/http/request-context';
import { newId } from '../../platform/identifiers';
import type { Payment } from '../payment';
import { PaymentStateProblem } from '../payments.errors';
import { OrderRefund } from './paying/order-refund';
import type { Refund } from './refund';
import { RefundChanges } from './refund-changes';
import { refundDestination } from './refund-destination';
import { refundFacts } from './refund-facts';
import { lockPayment } from './refund-lookup';
import { presentRefund, type RefundObject } from './refund-presenter';
import { RefundBlocked, RefundTooLarge } from './refunds.errors';
import type { CreateRefundBody } from './refunds.dto';

/** From 1,000 US dollars on, in cents and over all refunds of a payment, somebody of the staff has to approve. */
const LARGE_CENTS = 100_000n;

/** Gives a payment back, in whole or in part. The fee is kept. */
@Injectable()
export class CreateRefund {
  private readonly logger = new Logger(CreateRefund.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly changes: RefundChanges,
    private readonly ordering: OrderRefund,
    private readonly risk: AssessRefund,
    private readonly engine: RiskEngine,
  ) {}

  /**
   * Holds the funds and has them paid, or leaves the refund to staff where it is large or looks odd.
   *
   * @throws Problem 404 for a payment of another book, 409 for one that has not succeeded, 422 `refund_exceeds_payment`,
   *   `insufficient_funds` and `validation_failed`, 403 `risk_blocked`, 503 `paused`. Nothing is held then.
   */
  async create(body: CreateRefundBody): Promise<RefundObject> {
    let assessment!: Assessment;
    try {
      const answer = await this.unitOfWork.run(async (tx) => presentRefund(await this.open(tx, body, (made) => { assessment = made; })));
      await this.engine.tell(assessment);
      return answer;
    } catch (error) {
      if (error instanceof RefundBlocked) {
        // What was refused is gone with its transaction; what was thought of it stays.
        await this.unitOfWork.once({ text: 'select write_assessment($1)', values: [assessmentParameter(assessment)] })
          .catch((failure: unknown) => this.logger.error({ err: failure, msg: 'could not keep the assessment of a refund that was stopped' }));
        await this.engine.tell(assessment);
      }
      throw error;
    }
  }

  private async open(tx: Tx, body: CreateRefundBody, assessed: (assessment: Assessment) => void): Promise<Refund> {
    // Locked from here on: refunds of one payment come one after the other, each seeing what the others have left.
    const payment = await lockPayment(tx.query, currentAccess(), body.payment);
    const { assessment, ...wanted } = await this.decide(tx, payment, body, assessed);
    await tx.query("select check_running('withdrawals', $1)", [payment.clientId]);
    const refund = await this.changes.open(tx, wanted);
    await tx.query('select write_assessment($1)', [assessmentParameter(assessment)]);
    if (refund.status === 'pending') await this.ordering.order(tx, refund);
    return refund;
  }

  private async decide(
    tx: Tx, payment: Payment, body: CreateRefundBody, assessed: (assessment: Assessment) => void,
  ): Promise<Omit<Refund, 'holdId'> & { assessment: Assessment }> {
    if (payment.status !== 'succeeded') throw new PaymentStateProblem(payment, 'refunded');
    const destination = await refundDestination(tx, payment, body.destination);
    const { clientId, livemode, method, payCurrency: currency } = payment;
    if (!this.ordering.canPay({ livemode, method, destination })) {
      const message = `${method} refunds are not set up on this gateway`;
      throw new ValidationProblem([{ field: 'payment', code: 'not_available', message }]);
    }
    const amountMinor = amountOf(payment, body.amount);
    const now = new Date();
    const id = newId('ref', now.getTime());
    const { facts, context } = await refundFacts(tx, payment, { amountMinor, destination }, now, this.engine.enabled);
    const assessment = await this.risk.assess(tx.query, payment, facts, context, id);
    assessed(assessment);
    const risk = riskOf(assessment);
    if (risk.decision === 'block') throw new RefundBlocked(risk);
    // With what was given back of it before: many small refunds of one payment are a large one.
    const togetherMinor = amountMinor + payment.amountRefundedMinor + payment.amountRefundingMinor;
    const needsApproval = risk.decision === 'review' || isWorthAtLeast(togetherMinor, currency, LARGE_CENTS);
    const { actor } = currentContext();
    return {
      assessment, clientId, livemode, id, paymentId: payment.id, depositId: null,
      status: needsApproval ? 'requires_approval' : 'pending', amountMinor, currency, method, reason: body.reason ?? null, destination,
      requestedBy: actor?.id ?? 'system', approvalsRequired: needsApproval ? 1 : 0, approvals: 0, risk,
      transactionHash: null, failure: null, revision: 1n, createdAt: now, updatedAt: now,
    };
  }
}

/** The amount that was asked for, or all that is left. */
function amountOf({ payCurrency, ...payment }: Payment, text: string | undefined): bigint {
  const leftMinor = payment.amountReceivedMinor - payment.amountRefundedMinor - payment.amountRefundingMinor;
  const amountMinor = text === undefined ? leftMinor : amountOfField('amount', text, payCurrency);
  if (amountMinor > leftMinor || amountMinor === 0n) throw new RefundTooLarge(leftMinor, payCurrency);
  return amountMinor;
}
