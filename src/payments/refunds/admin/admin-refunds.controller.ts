import { Body, Controller, Get, Headers, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { DecisionBody } from '../../../auth/decisions/decisions.dto';
import { prefersCsv } from '../../../platform/http/csv';
import { AlsoCsv } from '../../../platform/http/csv-export';
import { Policy } from '../../../platform/http/policy';
import { STAFF_ROLES, type StaffRole } from '../../../platform/http/roles';
import { noBody } from '../../../platform/http/validation';
import { adminRefundObject } from '../refund-presenter';
import {
  type AdminListRefundsQuery, adminListRefundsQuery, adminRefundPage, approveRefundBody, type CompleteRefundBody, completeRefundBody,
  type FailRefundBody, failRefundBody, refundId, type RejectRefundBody, rejectRefundBody,
} from '../refunds.dto';
import { AdminRefundReader } from './admin-refund-reader';
import { DecideRefund } from './decide-refund';
import { PayRefund } from './pay-refund';
import { refundFile } from './refund-file';

const DECIDERS: readonly StaffRole[] = ['admin', 'approver'];
const DECISION_PROBLEMS = [
  'signature_invalid', 'signature_expired', 'self_approval', 'not_found', 'stale_revision', 'state_conflict',
] as const;

/** Refunds of all clients, for staff: the queue, the decisions, and what people pay by hand. */
@ApiTags('Staff: refunds')
@Controller('v1/admin/refunds')
export class AdminRefundsController {
  constructor(
    private readonly refunds: AdminRefundReader,
    private readonly decisions: DecideRefund,
    private readonly paying: PayRefund,
  ) {}

  @Get()
  @AlsoCsv()
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null,
    summary: 'List the refunds of all clients, newest first; with Accept: text/csv all of them, oldest first', answer: adminRefundPage,
  })
  list(@Query({ schema: adminListRefundsQuery }) query: AdminListRefundsQuery, @Headers('accept') accept?: string) {
    return prefersCsv(accept) ? this.refunds.csv(query) : this.refunds.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null, summary: 'Get a refund of any client, with its decisions and attempts to pay',
    answer: refundFile,
    problems: ['not_found'],
  })
  get(@Param({ schema: refundId }) { id }: { id: string }) {
    return this.refunds.get(id);
  }

  @Post(':id/approve')
  @Policy({
    access: 'staff', roles: DECIDERS, stepUp: 'own', limit: 'decision', audit: 'refund.approved',
    summary: 'Approve a refund, signed over exactly what was shown', answer: adminRefundObject, problems: [...DECISION_PROBLEMS, 'paused'],
  })
  approve(@Param({ schema: refundId }) { id }: { id: string }, @Body({ schema: approveRefundBody }) body: DecisionBody,
    @Headers('x-timestamp') timestamp?: string, @Headers('x-admin-signature') signature?: string) {
    return this.decisions.approve(id, { timestamp, signature }, body);
  }

  @Post(':id/reject')
  @Policy({
    access: 'staff', roles: DECIDERS, stepUp: 'own', limit: 'decision', audit: 'refund.rejected',
    summary: 'Reject a refund, signed; the amount is where it was', answer: adminRefundObject, problems: DECISION_PROBLEMS,
  })
  reject(@Param({ schema: refundId }) { id }: { id: string }, @Body({ schema: rejectRefundBody }) body: RejectRefundBody,
    @Headers('x-timestamp') timestamp?: string, @Headers('x-admin-signature') signature?: string) {
    return this.decisions.reject(id, { timestamp, signature }, body);
  }

  @Post(':id/begin')
  @Policy({
    access: 'staff', roles: DECIDERS, stepUp: true, limit: 'decision', audit: 'payout.created',
    summary: 'Take a refund to pay it by hand, so that nobody else does', answer: adminRefundObject,
    problems: ['not_found', 'state_conflict', 'paused'],
  })
  begin(@Param({ schema: refundId }) { id }: { id: string }, @Body({ schema: noBody }) _body: unknown) {
    return this.paying.begin(id);
  }

  @Post(':id/complete')
  @Policy({
    access: 'staff', roles: DECIDERS, stepUp: true, limit: 'decision', audit: 'payout.named',
    summary: 'Tell the chain transaction that paid a refund', answer: adminRefundObject,
    problems: ['not_found', 'state_conflict', 'transaction_already_used'],
  })
  complete(@Param({ schema: refundId }) { id }: { id: string }, @Body({ schema: completeRefundBody }) { hash }: CompleteRefundBody) {
    return this.paying.complete(id, hash);
  }

  @Post(':id/fail')
  @Policy({
    access: 'staff', roles: DECIDERS, stepUp: true, limit: 'decision', audit: 'refund.failed',
    summary: 'Give a refund up that cannot be paid; the amount is where it was', answer: adminRefundObject,
    problems: ['not_found', 'state_conflict', 'self_approval'],
  })
  fail(@Param({ schema: refundId }) { id }: { id: string }, @Body({ schema: failRefundBody }) { reason }: FailRefundBody) {
    return this.paying.fail(id, reason);
  }
}
