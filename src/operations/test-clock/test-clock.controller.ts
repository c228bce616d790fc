import { Body, Controller, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { AdvanceTestClock } from './advance-test-clock';
import { advanceClockBody, type AdvanceClockBody, testClockObject } from './test-clock.dto';

/** The time of a client's test book. Not there at all where simulation is switched off. */
@ApiTags('Test mode')
@Controller('v1/test/clock')
export class TestClockController {
  constructor(private readonly advancing: AdvanceTestClock) {}

  @Post()
  @Policy({
    access: 'api_key', scope: 'payments:write', mode: 'test', limit: 'key', audit: 'test_clock.advanced',
    summary: 'Let time pass for your test data', answer: testClockObject,
  })
  advance(@Body({ schema: advanceClockBody }) body: AdvanceClockBody) {
    return this.advancing.advance(body);
  }
}
