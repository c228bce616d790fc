import { Body, Controller, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { refundObject } from './refund-presenter';
import { refundId, simulateRefundBody, type SimulateRefundBody } from './refunds.dto';
import { SimulateRefund } from './simulate-refund';

/** Decides on test refunds in the place of staff. Not there at all where simulation is switched off. */
@ApiTags('Test mode')
@Controller('v1/test/refunds')
export class TestRefundsController {
  constructor(private readonly simulateRefund: SimulateRefund) {}

  @Post(':id/decide')
  @Policy({
    access: 'api_key', scope: 'refunds:write', mode: 'test', limit: 'key', audit: 'refund.simulated',
    summary: 'Decide on a test refund as staff would, and how its payout ends', answer: refundObject,
    problems: ['not_found', 'state_conflict', 'paused'],
  })
  decide(@Param({ schema: refundId }) { id }: { id: string }, @Body({ schema: simulateRefundBody }) body: SimulateRefundBody) {
    return this.simulateRefund.decide(id, body);
  }
}
