import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import type { SignedHeaders } from '../../auth/decisions/decisions.dto';
import { type DecisionSubject, type Query, refuseOtherWords, SignedDecisions } from '../../auth/decisions/signed-decisions';
import { placeOf, SecondFactorCodes } from '../../auth/two-factor/second-factor-codes';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import { changedPayment, changeFor, changeStatement } from '../payment-change';
import { creditAnyway } from '../settlement';
import { type AdminPaymentObject, dueMinor, presentPaymentToStaff } from './admin-payment-presenter';
import type { ForceSuccessBody } from './admin-payments.dto';
import { refuseCounted, refuseUnpayable } from './force-success-rules';
import { findOverride, type PaymentOverride, type PaymentOverrideObject, presentOverride } from './payment-override';
import { findForStaff, outside, type StaffPayment } from './staff-lookup';
import { writeOverride } from './write-override';

/** From then on anybody may put another proposal in the place of one that nobody has seconded. */
const REPLACEABLE_AFTER_MS = 24 * 3_600_000;

/** A payment that people say was paid, in the words that they sign. */
interface ForcedPayment extends DecisionSubject, StaffPayment {
  /** What waits for a second person; undefined when nothing was proposed, or the payment has changed since. */
  proposal: PaymentOverride | undefined;
}

/**
 * A payment that people say was paid although no provider told of it. It creates money, so it takes two of them: the first proposes it with
 * evidence, the second signs the same. It is then booked as an arrival under the provider's own name for the money, so that the
 * provider's word, should it come after all, is known to be about the same money.
 */
@Injectable()
export class ForceSuccess {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly decisions: SignedDecisions,
    private readonly codes: SecondFactorCodes,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Answers the proposal that waits for a second person or, for that second person, the payment. Its author may propose other money in its
   * place at any time, others after a day.
   *
   * @throws Problem 401 for the signature; 403 `self_approval` for the same person again; 409 `stale_revision` for words that are not the
   *   payment's, `transaction_already_used` or `state_conflict` for money that was counted; 422 for a provider that cannot have paid it.
   */
  async force(id: string, headers: SignedHeaders, body: ForceSuccessBody): Promise<AdminPaymentObject | PaymentOverrideObject> {
    const seen = await this.load(outside(this.unitOfWork), id, body, false);
    return isSame(seen.proposal, body) ? this.confirm(id, headers, body) : this.propose(seen, headers, body);
  }

  private async propose(seen: ForcedPayment, headers: SignedHeaders, body: ForceSuccessBody): Promise<PaymentOverrideObject> {
    const session = currentSession();
    const proof = await this.decisions.proofOf('succeed', seen.id, headers, body, session.personId);
    refuseOtherWords(seen, body);
    refuseToReplace(seen.proposal, session.personId);
    const owner = await this.codes.factorOf(session.personId);
    if (!owner) throw new Problem('unauthenticated', 'Log in again.');
    return this.codes.use(owner, body.totp_code, async (tx) => {
      const now = await this.load(tx.query, seen.id, body, true);
      refuseOtherWords(now, body);
      if (now.proposal?.createdAt.getTime() !== seen.proposal?.createdAt.getTime()) {
        throw new Problem('state_conflict', 'Somebody else has proposed this meanwhile. Read the payment again, then decide.');
      }
      await writeOverride(tx, now, body, proof);
      const { status: _status, totp_code: _code, ...said } = body;
      await this.audit.record(tx, now, {
        kind: 'payment.success_proposed', objectId: seen.id, after: said,
        before: seen.proposal && presentOverride(seen.proposal, seen.payment),
      });
      return presentOverride((await findOverride(tx.query, now.payment))!, now.payment);
    }, placeOf(session));
  }

  private confirm(id: string, headers: SignedHeaders, body: ForceSuccessBody): Promise<AdminPaymentObject> {
    return this.decisions.decide('succeed', id, headers, body, {
      load: async (query, lock) => {
        const subject = await this.load(query, id, body, lock);
        if (!isSame(subject.proposal, body)) {
          throw new Problem('stale_revision', 'What was proposed has changed meanwhile. Read the payment again, then decide.');
        }
        return subject;
      },
      apply: (tx, subject) => this.book(tx, subject, body),
      evidence: body.evidence,
    });
  }

  /** Books what is due as if the provider had told of it. */
  private async book(tx: Tx, subject: ForcedPayment, body: ForceSuccessBody): Promise<AdminPaymentObject> {
    const { payment, rules, proposal, amountMinor, currency } = subject;
    const { provider, reference, reason, evidence } = body;
    const at = new Date();
    const arrival = { provider, reference, amountMinor, currency, occurredAt: at };
    const change = changeFor(payment, arrival, creditAnyway(payment, arrival, rules), at);
    const { text, values } = changeStatement(change);
    await tx.query(text, values);
    await this.audit.record(tx, payment, {
      kind: 'payment.status_changed', objectId: payment.id, before: { status: payment.status },
      after: {
        status: 'succeeded', reason, evidence, provider, reference,
        proposed_by: proposal!.requestedBy, proposed_evidence: proposal!.evidence,
      },
    });
    return presentPaymentToStaff(changedPayment(change));
  }

  private async load(query: Query, id: string, body: ForceSuccessBody, lock: boolean): Promise<ForcedPayment> {
    const { payment, rules } = await findForStaff(query, id, lock);
    refuseUnpayable(payment, body);
    await refuseCounted(query, payment, body);
    const proposal = await findOverride(query, payment);
    const current = proposal?.revision === payment.revision ? proposal : undefined;
    return {
      clientId: payment.clientId,
      livemode: payment.livemode,
      id,
      requestedBy: current?.requestedBy ?? '',
      revision: payment.revision,
      amountMinor: dueMinor(payment),
      currency: payment.payCurrency,
      destination: payment.depositAddress ?? '',
      payment,
      rules,
      proposal: current,
    };
  }
}

/** 409 for other money than what somebody else proposed lately: a slip must not push aside what a colleague has signed. */
function refuseToReplace(proposal: PaymentOverride | undefined, personId: string): void {
  if (!proposal || proposal.requestedBy === personId || Date.now() - proposal.createdAt.getTime() > REPLACEABLE_AFTER_MS) return;
  throw new Problem('state_conflict',
    `Somebody has proposed that ${proposal.provider} was paid as ${proposal.reference}. Sign the same, or wait a day to propose other money in its place.`);
}

function isSame(proposal: PaymentOverride | undefined, { provider, reference }: ForceSuccessBody): boolean {
  return proposal?.provider === provider && proposal.reference === reference;
}
