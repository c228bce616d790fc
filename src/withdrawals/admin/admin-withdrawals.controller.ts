import { Body, Controller, Get, Headers, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { DecisionBody } from '../../auth/decisions/decisions.dto';
import { prefersCsv } from '../../platform/http/csv';
import { AlsoCsv } from '../../platform/http/csv-export';
import { Policy } from '../../platform/http/policy';
import { STAFF_ROLES, type StaffRole } from '../../platform/http/roles';
import { noBody } from '../../platform/http/validation';
import { RequestWithdrawal } from '../request-withdrawal';
import { adminWithdrawalObject, presentWithdrawalToStaff } from '../withdrawal-presenter';
import {
  type AdminListQuery, adminListQuery, adminWithdrawalPage, approveBody, type CompleteBody, completeBody, type FailBody, failBody,
  type RejectBody, rejectBody, type RequestForClientBody, requestForClientBody, withdrawalId,
} from '../withdrawals.dto';
import { AdminWithdrawalReader } from './admin-withdrawal-reader';
import { CompleteWithdrawal } from './complete-withdrawal';
import { DecideWithdrawal } from './decide-withdrawal';
import { FailWithdrawal } from './fail-withdrawal';
import { withdrawalFile } from './withdrawal-file';

const DECIDERS: readonly StaffRole[] = ['admin', 'approver'];
const DECISION_PROBLEMS = ['signature_invalid', 'signature_expired', 'self_approval', 'two_factor_invalid', 'not_found', 'stale_revision', 'state_conflict'] as const;

/** Withdrawals of all clients, for staff: the queue, the decisions, and what people pay by hand. */
@ApiTags('Staff: withdrawals')
@Controller('v1/admin/withdrawals')
export class AdminWithdrawalsController {
  constructor(
    private readonly withdrawals: AdminWithdrawalReader,
    private readonly requestWithdrawal: RequestWithdrawal,
    private readonly decisions: DecideWithdrawal,
    private readonly completion: CompleteWithdrawal,
    private readonly failing: FailWithdrawal,
  ) {}

  @Get()
  @AlsoCsv()
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null,
    summary: 'List the withdrawals of all clients, newest first; with Accept: text/csv all of them, oldest first', answer: adminWithdrawalPage,
  })
  list(@Query({ schema: adminListQuery }) query: AdminListQuery, @Headers('accept') accept?: string) {
    return prefersCsv(accept) ? this.withdrawals.csv(query) : this.withdrawals.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null, summary: 'Get a withdrawal with its decisions and attempts to pay',
    answer: withdrawalFile, problems: ['not_found'],
  })
  get(@Param({ schema: withdrawalId }) { id }: { id: string }) {
    return this.withdrawals.get(id);
  }

  @Post()
  @Policy({
    access: 'staff', roles: ['admin'], stepUp: true, idempotent: true, limit: 'decision', audit: 'withdrawal.requested',
    summary: 'Ask for a withdrawal for a client; somebody else has to approve it', status: 201, answer: adminWithdrawalObject,
    problems: ['not_found', 'destination_cooling_off', 'insufficient_funds', 'risk_blocked', 'paused'],
  })
  request(@Body({ schema: requestForClientBody }) { client, livemode, ...body }: RequestForClientBody) {
    return this.requestWithdrawal.request({ clientId: client, livemode }, body, presentWithdrawalToStaff);
  }

  @Post(':id/approve')
  @Policy({
    access: 'staff', roles: DECIDERS, stepUp: 'own', limit: 'decision', audit: 'withdrawal.approved',
    summary: 'Approve a withdrawal, signed over exactly what was shown', answer: adminWithdrawalObject, problems: [...DECISION_PROBLEMS, 'paused'],
  })
  approve(@Param({ schema: withdrawalId }) { id }: { id: string }, @Body({ schema: approveBody }) body: DecisionBody,
    @Headers('x-timestamp') timestamp?: string, @Headers('x-admin-signature') signature?: string) {
    return this.decisions.approve(id, { timestamp, signature }, body);
  }

  @Post(':id/reject')
  @Policy({
    access: 'staff', roles: DECIDERS, stepUp: 'own', limit: 'decision', audit: 'withdrawal.rejected',
    summary: 'Reject a withdrawal, signed; the amount is available again', answer: adminWithdrawalObject, problems: DECISION_PROBLEMS,
  })
  reject(@Param({ schema: withdrawalId }) { id }: { id: string }, @Body({ schema: rejectBody }) body: RejectBody,
    @Headers('x-timestamp') timestamp?: string, @Headers('x-admin-signature') signature?: string) {
    return this.decisions.reject(id, { timestamp, signature }, body);
  }

  @Post(':id/begin')
  @Policy({
    access: 'staff', roles: DECIDERS, stepUp: true, limit: 'decision', audit: 'withdrawal.processing',
    summary: 'Take an approved withdrawal to pay it by hand, so that nobody else does', answer: adminWithdrawalObject,
    problems: ['not_found', 'state_conflict', 'paused'],
  })
  begin(@Param({ schema: withdrawalId }) { id }: { id: string }, @Body({ schema: noBody }) _body: unknown) {
    return this.completion.begin(id);
  }

  @Post(':id/complete')
  @Policy({
    access: 'staff', roles: DECIDERS, stepUp: 'own', limit: 'decision', audit: 'withdrawal.completed',
    summary: 'Tell the chain transaction that paid a withdrawal, or sign, as one of two people, that the bank has paid',
    answer: adminWithdrawalObject, problems: [...DECISION_PROBLEMS, 'transaction_already_used'],
  })
  complete(@Param({ schema: withdrawalId }) { id }: { id: string }, @Body({ schema: completeBody }) body: CompleteBody,
    @Headers('x-timestamp') timestamp?: string, @Headers('x-admin-signature') signature?: string, @Headers('x-totp-code') code?: string) {
    return this.completion.complete(id, { timestamp, signature }, body, code);
  }

  @Post(':id/fail')
  @Policy({
    access: 'staff', roles: DECIDERS, stepUp: true, limit: 'decision', audit: 'withdrawal.failed',
    summary: 'Give an approved withdrawal up that cannot be paid; the amount is available again', answer: adminWithdrawalObject,
    problems: ['signature_invalid', 'signature_expired', 'self_approval', 'two_factor_invalid', 'not_found', 'stale_revision', 'state_conflict'],
  })
  fail(@Param({ schema: withdrawalId }) { id }: { id: string }, @Body({ schema: failBody }) body: FailBody,
    @Headers('x-timestamp') timestamp?: string, @Headers('x-admin-signature') signature?: string) {
    return this.failing.fail(id, { timestamp, signature }, body);
  }
}
