import { Injectable } from '@nestjs/common';
import type { QueryConfig } from 'pg';
import { auditParameter } from '../audit/audit-event';
import { SecurityLog } from '../audit/security-log';
import { AssessWithdrawal } from '../fraud/assessments/assess-withdrawal';
import { assessmentParameter, type Assessment, riskOf } from '../fraud/assessments/assessment';
import { RiskEngine } from '../fraud/assessments/risk-engine';
import { insufficientFunds } from '../ledger/ledger.service';
import { isCrypto, type CurrencyCode } from '../money/currency';
import { parseAmount } from '../money/money';
import { isWorthAtLeast, usdEquivalentMinor } from '../money/usd-equivalent';
import { accessParameter, UnitOfWork } from '../platform/database/unit-of-work';
import { NotFoundProblem, Problem, ValidationProblem } from '../platform/http/problem';
import { currentContext } from '../platform/http/request-context';
import { type ClaimOutcome, claimParameter } from '../platform/idempotency/idempotency';
import { newId } from '../platform/identifiers';
import { Metrics } from '../platform/observability/metrics';
import { type Book, eventsParameter } from '../platform/outbox/outbox';
import type { Withdrawal } from './withdrawal';
import { factsOf, type FoundDestination } from './withdrawal-facts';
import { countWithdrawal } from './withdrawal-metrics';
import { presentWithdrawal, presentWithdrawalToStaff } from './withdrawal-presenter';
import type { RequestWithdrawalBody } from './withdrawals.dto';
import { WithdrawalBlocked } from './withdrawals.errors';

/** From 10,000 US dollars on, in cents, two people have to approve; as for whatever the rules want a second look at. */
const LARGE_CENTS = 1_000_000n;

/** Holds a client's funds for a payout. Two round trips: what it is decided on, and the one statement that writes it all. */
@Injectable()
export class RequestWithdrawal {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly securityLog: SecurityLog,
    private readonly risk: AssessWithdrawal,
    private readonly engine: RiskEngine,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Answers what `present` makes of the withdrawal, which is also what a repetition is told.
   *
   * @throws Problem 404 for a destination of another book, 409 `destination_cooling_off`, 422 `insufficient_funds`, 403 `risk_blocked`,
   *   503 `paused`. Nothing is held then.
   */
  async request<T extends object>(book: Book, body: RequestWithdrawalBody, present: (withdrawal: Withdrawal) => T): Promise<T> {
    let made: Withdrawal | undefined;
    let assessment!: Assessment;
    const rows = await this.unitOfWork.call<{ outcome: ClaimOutcome | null }>(async () => {
      ({ made, assessment } = await this.decide(book, body));
      return made ? statementFor(made, present(made), assessment) : refusalOf(assessment);
    }).catch((error: unknown) => {
      throw insufficientFunds(error, body.currency);
    });
    const outcome = rows[0]?.outcome;
    if (outcome) this.unitOfWork.refuse(outcome);
    await this.engine.tell(assessment);
    if (!made) {
      countWithdrawal(this.metrics, { livemode: book.livemode, risk: assessment.verdict, status: 'blocked' });
      throw new WithdrawalBlocked(riskOf(assessment));
    }
    countWithdrawal(this.metrics, made);
    await this.noteLarge(made);
    return present(made);
  }

  /** Without a withdrawal it is stopped. */
  private async decide(book: Book, body: RequestWithdrawalBody): Promise<{ made?: Withdrawal; assessment: Assessment }> {
    const { amount, currency, destination: destinationId } = body;
    const now = new Date();
    const amountMinor = parseAmount(amount, currency);
    const { key, ip } = currentContext();
    // Where staff ask for a client, the address is theirs and says nothing of the client.
    const ask = { ...book, currency, destinationId, ip: key ? ip : undefined };
    const found = await factsOf(this.unitOfWork, book, { destinationId, amountMinor, currency }, now, this.risk.request(ask));
    if (!found) throw new NotFoundProblem('destination');
    refuseUnfit(found.destination, currency, now);
    const assessment = await this.risk.assess(ask, found.facts, found.context, newId('wd', now.getTime()));
    if (assessment.verdict.decision === 'block') return { assessment };
    return { assessment, made: newWithdrawal(book, amountMinor, currency, found.destination, assessment) };
  }

  /** Large withdrawals are nothing wrong; whoever watches wants to see them. */
  private async noteLarge({ clientId, livemode, id, amountMinor, currency }: Withdrawal): Promise<void> {
    const cents = usdEquivalentMinor(amountMinor, currency);
    if (!livemode || cents === undefined || cents < LARGE_CENTS) return;
    await this.securityLog.write({
      kind: 'suspicious.large_withdrawal', severity: 'medium', source: clientId, clientId, action: 'needs two approvals',
      details: { withdrawal: id, amount_minor: amountMinor.toString(), currency },
    });
  }
}

function newWithdrawal(
  { clientId, livemode }: Book, amountMinor: bigint, currency: CurrencyCode, destination: FoundDestination, assessment: Assessment,
): Withdrawal {
  const { actor } = currentContext();
  const { at: now, subjectId: id } = assessment;
  const risk = riskOf(assessment);
  return {
    clientId,
    livemode,
    id,
    status: 'pending_review',
    amountMinor,
    currency,
    destinationId: destination.id,
    destination: destination.whole,
    requestedBy: actor?.id ?? actor?.type ?? 'system',
    approvalsRequired: risk.decision === 'review' || isWorthAtLeast(amountMinor, currency, LARGE_CENTS) ? 2 : 1,
    approvals: 0,
    completions: 0,
    risk,
    review: risk.decision === 'review' ? 'held' : null,
    holdId: newId('tr', now.getTime()),
    settledBy: null,
    transactionHash: null,
    failure: null,
    revision: 1n,
    createdAt: now,
    updatedAt: now,
  };
}

/** What no schema of a single field can say. */
function refuseUnfit({ type, activeAt, isOurs }: FoundDestination, currency: CurrencyCode, now: Date): void {
  const fits = type === 'tron_address' ? currency === 'USDT' : !isCrypto(currency);
  if (!fits) {
    const message = type === 'tron_address' ? 'a TRON address takes USDT only' : 'a bank account takes no crypto currency';
    throw new ValidationProblem([{ field: 'currency', code: 'not_available', message }]);
  }
  // It may have been saved before the gateway handed it out.
  if (isOurs) throw new ValidationProblem([{ field: 'destination', code: 'not_available', message: 'is a deposit address of this gateway' }]);
  if (activeAt > now) {
    throw new Problem('destination_cooling_off', `This destination is new and can be used from ${activeAt.toISOString()} on.`);
  }
}

function statementFor(withdrawal: Withdrawal, answer: object, assessment: Assessment): QueryConfig {
  const { claim } = currentContext();
  const { clientId, livemode, id, amountMinor, currency, holdId, createdAt } = withdrawal;
  const minor = amountMinor.toString();
  const change = { kind: 'withdrawal.requested', objectId: id, after: presentWithdrawalToStaff(withdrawal, createdAt) };
  return {
    name: 'request_withdrawal',
    text: 'select request_withdrawal($1, $2, $3, $4, $5, $6, $7) as outcome',
    values: [
      accessParameter(currentContext()),
      claim ? claimParameter(claim, { status: 201, body: JSON.stringify(answer) }) : null,
      JSON.stringify({
        client_id: clientId, livemode, id, status: withdrawal.status, amount_minor: minor, currency, destination_id: withdrawal.destinationId,
        destination: withdrawal.destination, requested_by: withdrawal.requestedBy, approvals_required: withdrawal.approvalsRequired,
        risk: withdrawal.risk, review: withdrawal.review, hold_id: holdId, created_at: createdAt, updated_at: createdAt,
      }),
      JSON.stringify([{
        id: holdId, debit: 'available', credit: 'payout', amount_minor: minor, code: 'withdrawal', state: 'pending', reference_id: id,
      }]),
      auditParameter(withdrawal, [change]),
      eventsParameter([{ type: 'withdrawal.pending_review', objectId: id, data: presentWithdrawal(withdrawal) }], createdAt),
      assessmentParameter(assessment),
    ],
  };
}

function refusalOf(assessment: Assessment): QueryConfig {
  const context = currentContext();
  return {
    name: 'refuse_as_risky',
    text: 'select refuse_as_risky($1, $2, $3) as outcome',
    values: [accessParameter(context), context.claim ? claimParameter(context.claim) : null, assessmentParameter(assessment)],
  };
}
