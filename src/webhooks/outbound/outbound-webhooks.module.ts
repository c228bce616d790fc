import { Module } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../platform/config/settings';
import { GuardedSender } from '../../platform/security/network/guarded-sender';
import { DeliveriesController } from './deliveries/deliveries.controller';
import { DeliveryPump } from './deliveries/delivery-pump';
import { DeliveryReader } from './deliveries/delivery-reader';
import { DeliveryRecords } from './deliveries/delivery-records';
import { DeliverySender } from './deliveries/delivery-sender';
import { FailuresAtWill } from './deliveries/failures-at-will';
import { ChangeEndpoint } from './endpoints/change-endpoint';
import { CreateEndpoint } from './endpoints/create-endpoint';
import { DisableEndpoint } from './endpoints/disable-endpoint';
import { EndpointReader } from './endpoints/endpoint-reader';
import { EndpointSecrets } from './endpoints/endpoint-secrets';
import { endpointPolicy, EndpointUrlCheck } from './endpoints/endpoint-url-check';
import { RotateEndpointSecret } from './endpoints/rotate-endpoint-secret';
import { WebhookEndpointsController } from './endpoints/webhook-endpoints.controller';
import { EventReader } from './events/event-reader';
import { EventsController } from './events/events.controller';
import { RedeliverEvent } from './events/redeliver-event';
import { SendTestEvent } from './events/send-test-event';
import { AskForFailures } from './test-receiver/ask-for-failures';
import { TestEndpointsController } from './test-receiver/test-endpoints.controller';
import { WebhooksTestClock } from './webhooks-test-clock';

/** Events to merchants: where they go, what was told, and the pump that sends it. */
@Module({
  controllers: [WebhookEndpointsController, EventsController, DeliveriesController, TestEndpointsController],
  providers: [
    { provide: GuardedSender, inject: [SETTINGS], useFactory: (settings: Settings) => new GuardedSender(endpointPolicy(settings)) },
    EndpointReader, EndpointSecrets, EndpointUrlCheck, CreateEndpoint, ChangeEndpoint, DisableEndpoint, RotateEndpointSecret,
    EventReader, RedeliverEvent, SendTestEvent,
    DeliveryReader, DeliveryRecords, DeliverySender, DeliveryPump,
    FailuresAtWill, AskForFailures, WebhooksTestClock,
  ],
})
export class OutboundWebhooksModule {}
