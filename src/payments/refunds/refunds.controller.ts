import { Body, Controller, Get, Headers, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { prefersCsv } from '../../platform/http/csv';
import { AlsoCsv } from '../../platform/http/csv-export';
import { Policy, READERS } from '../../platform/http/policy';
import { CreateRefund } from './create-refund';
import { refundObject } from './refund-presenter';
import { RefundReader } from './refund-reader';
import { createRefundBody, type CreateRefundBody, listRefundsQuery, type ListRefundsQuery, refundId, refundPage } from './refunds.dto';

/** Refunds, for merchants. */
@ApiTags('Refunds')
@Controller('v1/refunds')
export class RefundsController {
  constructor(
    private readonly createRefund: CreateRefund,
    private readonly refunds: RefundReader,
  ) {}

  @Post()
  @Policy({
    access: 'api_key', scope: 'refunds:write', limit: 'key', audit: 'refund.created',
    summary: 'Give a payment back, in whole or in part; the amount is held at once and the fee is kept', status: 201, answer: refundObject,
    problems: ['not_found', 'state_conflict', 'refund_exceeds_payment', 'insufficient_funds', 'risk_blocked', 'paused'],
  })
  create(@Body({ schema: createRefundBody }) body: CreateRefundBody) {
    return this.createRefund.create(body);
  }

  @Get()
  @AlsoCsv()
  @Policy({
    access: 'api_key', scope: 'refunds:read', roles: READERS, limit: 'key', audit: null,
    summary: 'List refunds, newest first; with Accept: text/csv all of them, oldest first', answer: refundPage,
  })
  list(@Query({ schema: listRefundsQuery }) query: ListRefundsQuery, @Headers('accept') accept?: string) {
    return prefersCsv(accept) ? this.refunds.csv(query) : this.refunds.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'api_key', scope: 'refunds:read', roles: READERS, limit: 'key', audit: null, summary: 'Get a refund', answer: refundObject,
    problems: ['not_found'],
  })
  get(@Param({ schema: refundId }) { id }: { id: string }) {
    return this.refunds.get(id);
  }
}
