import { Body, Controller, Get, Headers, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { prefersCsv } from '../platform/http/csv';
import { AlsoCsv } from '../platform/http/csv-export';
import { Policy, READERS } from '../platform/http/policy';
import { currentAccess } from '../platform/http/request-context';
import { noBody } from '../platform/http/validation';
import { CancelWithdrawal } from './cancel-withdrawal';
import { RequestWithdrawal } from './request-withdrawal';
import { presentWithdrawal, withdrawalObject } from './withdrawal-presenter';
import { WithdrawalReader } from './withdrawal-reader';
import {
  listWithdrawalsQuery, type ListWithdrawalsQuery, requestWithdrawalBody, type RequestWithdrawalBody, withdrawalId, withdrawalPage,
} from './withdrawals.dto';

/** Withdrawals, for merchants. */
@ApiTags('Withdrawals')
@Controller('v1/withdrawals')
export class WithdrawalsController {
  constructor(
    private readonly requestWithdrawal: RequestWithdrawal,
    private readonly cancelWithdrawal: CancelWithdrawal,
    private readonly withdrawals: WithdrawalReader,
  ) {}

  @Post()
  @Policy({
    access: 'api_key', scope: 'withdrawals:write', limit: 'key', audit: 'withdrawal.requested',
    summary: 'Ask for a payout to a saved destination; the amount is held at once', status: 201, answer: withdrawalObject,
    problems: ['not_found', 'destination_cooling_off', 'insufficient_funds', 'risk_blocked', 'paused'],
  })
  request(@Body({ schema: requestWithdrawalBody }) body: RequestWithdrawalBody) {
    return this.requestWithdrawal.request(currentAccess(), body, presentWithdrawal);
  }

  @Get()
  @AlsoCsv()
  @Policy({
    access: 'api_key', scope: 'withdrawals:read', roles: READERS, limit: 'key', audit: null,
    summary: 'List withdrawals, newest first; with Accept: text/csv all of them, oldest first', answer: withdrawalPage,
  })
  list(@Query({ schema: listWithdrawalsQuery }) query: ListWithdrawalsQuery, @Headers('accept') accept?: string) {
    return prefersCsv(accept) ? this.withdrawals.csv(query) : this.withdrawals.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'api_key', scope: 'withdrawals:read', roles: READERS, limit: 'key', audit: null, summary: 'Get a withdrawal',
    answer: withdrawalObject, problems: ['not_found'],
  })
  get(@Param({ schema: withdrawalId }) { id }: { id: string }) {
    return this.withdrawals.get(id);
  }

  @Post(':id/cancel')
  @Policy({
    access: 'api_key', scope: 'withdrawals:write', limit: 'key', audit: 'withdrawal.canceled',
    summary: 'Take a withdrawal back that nobody has approved; the amount is available again', answer: withdrawalObject,
    problems: ['not_found', 'state_conflict'],
  })
  cancel(@Param({ schema: withdrawalId }) { id }: { id: string }, @Body({ schema: noBody }) _body: unknown) {
    return this.cancelWithdrawal.cancel(id);
  }
}
