import { Module } from '@nestjs/common';
import { ApplyInboxEvent } from './apply-inbox-event';
import { InboundSources } from './inbound-sources';
import { InboundWebhooksController } from './inbound-webhooks.controller';
import { ReceiveWebhook } from './receive-webhook';
import { ReplayInbox } from './replay-inbox';

/** Providers' events: verified, stored before they are applied, applied exactly once, and replayed when asked. */
@Module({
  controllers: [InboundWebhooksController],
  providers: [InboundSources, ReceiveWebhook, ApplyInboxEvent, ReplayInbox],
  exports: [InboundSources, ReplayInbox],
})
export class InboundWebhooksModule {}
