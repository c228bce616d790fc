import { Controller, Param, Post, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Policy } from '../../platform/http/policy';
import { webhookReceipt } from './inbound-webhooks.dto';
import { ReceiveWebhook } from './receive-webhook';

/** Where providers send their events. Nothing of a request is believed, and nothing parsed, before its signature is checked. */
@ApiTags('Provider webhooks')
@Controller('v1/webhooks')
export class InboundWebhooksController {
  constructor(private readonly receiveWebhook: ReceiveWebhook) {}

  @Post(':source')
  @Policy({
    access: 'provider', limit: 'webhook', audit: null, summary: 'Receive an event of a payment provider', answer: webhookReceipt,
    problems: ['not_found', 'ip_not_allowed', 'signature_invalid', 'signature_expired', 'malformed_request', 'event_conflict'],
  })
  receive(@Param('source') source: string, @Req() { headers, rawBody }: FastifyRequest) {
    return this.receiveWebhook.receive(source, headers, rawBody);
  }
}
