import { Body, Controller, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../platform/http/policy';
import { paymentObject } from './payment-presenter';
import { paymentId, simulateBody, type SimulateBody } from './payments.dto';
import { SimulatePayment } from './simulate-payment';

/** A payer of straw, for test keys. Not there at all where simulation is switched off. */
@ApiTags('Test mode')
@Controller('v1/test/payments')
export class TestPaymentsController {
  constructor(private readonly simulatePayment: SimulatePayment) {}

  @Post(':id/pay')
  @Policy({
    access: 'api_key', scope: 'payments:write', mode: 'test', limit: 'key', audit: 'payment.simulated',
    summary: 'Pay a test payment as a payer and a provider would', answer: paymentObject, problems: ['not_found', 'state_conflict'],
  })
  pay(@Param({ schema: paymentId }) { id }: { id: string }, @Body({ schema: simulateBody }) body: SimulateBody) {
    return this.simulatePayment.pay(id, body);
  }
}
