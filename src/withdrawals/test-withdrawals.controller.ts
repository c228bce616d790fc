import { Body, Controller, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../platform/http/policy';
import { SimulateWithdrawal } from './simulate-withdrawal';
import { withdrawalObject } from './withdrawal-presenter';
import { simulateWithdrawalBody, type SimulateWithdrawalBody, withdrawalId } from './withdrawals.dto';

/** Decides on test withdrawals in the place of staff. Not there at all where simulation is switched off. */
@ApiTags('Test mode')
@Controller('v1/test/withdrawals')
export class TestWithdrawalsController {
  constructor(private readonly simulateWithdrawal: SimulateWithdrawal) {}

  @Post(':id/decide')
  @Policy({
    access: 'api_key', scope: 'withdrawals:write', mode: 'test', limit: 'key', audit: 'withdrawal.simulated',
    summary: 'Decide on a test withdrawal as staff would, and how its payout ends', answer: withdrawalObject,
    problems: ['not_found', 'state_conflict', 'paused'],
  })
  decide(@Param({ schema: withdrawalId }) { id }: { id: string }, @Body({ schema: simulateWithdrawalBody }) body: SimulateWithdrawalBody) {
    return this.simulateWithdrawal.decide(id, body);
  }
}
