import { Body, Controller, Get, Headers, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { prefersCsv } from '../../platform/http/csv';
import { AlsoCsv } from '../../platform/http/csv-export';
import { Policy } from '../../platform/http/policy';
import { STAFF_ROLES } from '../../platform/http/roles';
import { AssignDeposit } from './assign-deposit';
import { RefundDeposit } from './refund-deposit';
import {
  assignBody, type AssignBody, depositId, listUnmatchedQuery, type ListUnmatchedQuery, refundDepositBody, type RefundDepositBody,
  unmatchedPage,
} from './unmatched.dto';
import { unmatchedObject } from './unmatched-presenter';
import { UnmatchedReader } from './unmatched-reader';

/** The inbox of money that no payment took. */
@ApiTags('Staff: unmatched deposits')
@Controller('v1/admin/unmatched-deposits')
export class AdminUnmatchedController {
  constructor(
    private readonly deposits: UnmatchedReader,
    private readonly assigning: AssignDeposit,
    private readonly refunding: RefundDeposit,
  ) {}

  @Get()
  @AlsoCsv()
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null,
    summary: 'List money that no payment took, newest first; with Accept: text/csv all of it, oldest first', answer: unmatchedPage,
  })
  list(@Query({ schema: listUnmatchedQuery }) query: ListUnmatchedQuery, @Headers('accept') accept?: string) {
    return prefersCsv(accept) ? this.deposits.csv(query) : this.deposits.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null, summary: 'Get an unmatched deposit', answer: unmatchedObject,
    problems: ['not_found'],
  })
  get(@Param({ schema: depositId }) { id }: { id: string }) {
    return this.deposits.get(id);
  }

  @Post(':id/assign')
  @Policy({
    access: 'staff', roles: ['admin'], stepUp: true, limit: 'status_update', idempotent: true, audit: 'unmatched_deposit.assigned',
    summary: 'Credit an unmatched deposit to a payment', answer: unmatchedObject,
    problems: ['not_found', 'state_conflict', 'stale_revision'],
  })
  assign(@Param({ schema: depositId }) { id }: { id: string }, @Body({ schema: assignBody }) body: AssignBody) {
    return this.assigning.assign(id, body);
  }

  @Post(':id/refund')
  @Policy({
    access: 'staff', roles: ['admin'], stepUp: true, limit: 'status_update', idempotent: true, audit: 'unmatched_deposit.refunding',
    summary: 'Give an unmatched deposit back', answer: unmatchedObject,
    problems: ['not_found', 'state_conflict', 'stale_revision', 'paused'],
  })
  refund(@Param({ schema: depositId }) { id }: { id: string }, @Body({ schema: refundDepositBody }) body: RefundDepositBody) {
    return this.refunding.refund(id, body);
  }
}
