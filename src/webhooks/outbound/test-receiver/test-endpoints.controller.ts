import { Body, Controller, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../../platform/http/policy';
import { endpointId } from '../endpoints/webhook-endpoints.dto';
import { AskForFailures } from './ask-for-failures';
import { failBody, type FailBody, testReceiverObject } from './test-receiver.dto';

/** A receiver of straw in front of a test endpoint. Not there at all where simulation is switched off. */
@ApiTags('Test mode')
@Controller('v1/test/webhook-endpoints')
export class TestEndpointsController {
  constructor(private readonly failures: AskForFailures) {}

  @Post(':id/fail')
  @Policy({
    access: 'api_key', scope: 'webhooks:write', mode: 'test', limit: 'key', audit: 'webhook_endpoint.failures_asked',
    summary: 'Make the next deliveries to a test endpoint fail', answer: testReceiverObject, problems: ['not_found'],
  })
  fail(@Param({ schema: endpointId }) { id }: { id: string }, @Body({ schema: failBody }) body: FailBody) {
    return this.failures.ask(id, body);
  }
}
