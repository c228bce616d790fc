import { Body, Controller, Get, Headers, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { prefersCsv } from '../platform/http/csv';
import { AlsoCsv } from '../platform/http/csv-export';
import { Policy, READERS } from '../platform/http/policy';
import { noBody } from '../platform/http/validation';
import { CancelPayment } from './cancel-payment';
import { CreatePayment } from './create-payment';
import { PaymentReader } from './payment-reader';
import { paymentObject } from './payment-presenter';
import {
  createPaymentBody, type CreatePaymentBody, listPaymentsQuery, type ListPaymentsQuery, paymentId, paymentPage, timeline, timelineQuery,
} from './payments.dto';
import type { PageQuery } from '../platform/http/pagination';

/** Payments, for merchants. */
@ApiTags('Payments')
@Controller('v1/payments')
export class PaymentsController {
  constructor(
    private readonly createPayment: CreatePayment,
    private readonly cancelPayment: CancelPayment,
    private readonly payments: PaymentReader,
  ) {}

  @Post()
  @Policy({
    access: 'api_key', scope: 'payments:write', limit: 'key', audit: 'payment.created', summary: 'Create a payment',
    status: 201, answer: paymentObject, problems: ['paused'],
  })
  create(@Body({ schema: createPaymentBody }) body: CreatePaymentBody) {
    return this.createPayment.create(body);
  }

  @Get()
  @AlsoCsv()
  @Policy({
    access: 'api_key', scope: 'payments:read', roles: READERS, limit: 'key', audit: null,
    summary: 'List payments, newest first; with Accept: text/csv all of them, oldest first', answer: paymentPage,
  })
  list(@Query({ schema: listPaymentsQuery }) query: ListPaymentsQuery, @Headers('accept') accept?: string) {
    return prefersCsv(accept) ? this.payments.csv(query) : this.payments.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'api_key', scope: 'payments:read', roles: READERS, limit: 'key', audit: null, summary: 'Get a payment', answer: paymentObject,
    problems: ['not_found'],
  })
  get(@Param({ schema: paymentId }) { id }: { id: string }) {
    return this.payments.get(id);
  }

  @Post(':id/cancel')
  @Policy({
    access: 'api_key', scope: 'payments:write', limit: 'key', audit: 'payment.canceled', summary: 'Cancel a payment that nobody has paid',
    answer: paymentObject, problems: ['not_found', 'state_conflict'],
  })
  cancel(@Param({ schema: paymentId }) { id }: { id: string }, @Body({ schema: noBody }) _body: unknown) {
    return this.cancelPayment.cancel(id);
  }

  @Get(':id/timeline')
  @Policy({
    access: 'api_key', scope: 'payments:read', roles: READERS, limit: 'key', audit: null,
    summary: 'List what happened to a payment, newest first', answer: timeline, problems: ['not_found'],
  })
  timeline(@Param({ schema: paymentId }) { id }: { id: string }, @Query({ schema: timelineQuery }) query: PageQuery) {
    return this.payments.timeline(id, query);
  }
}
