import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy, READERS } from '../../../platform/http/policy';
import { DeliveryReader } from './delivery-reader';
import { deliveryId, deliveryPage, deliveryWithAttempts, listDeliveriesQuery, type ListDeliveriesQuery } from './webhook-delivery';

/** What was sent to endpoints, and how they answered. */
@ApiTags('Webhooks')
@Controller('v1/webhook-deliveries')
export class DeliveriesController {
  constructor(private readonly deliveries: DeliveryReader) {}

  @Get()
  @Policy({
    access: 'api_key', scope: 'webhooks:read', roles: READERS, limit: 'key', audit: null, summary: 'List webhook deliveries, newest first',
    answer: deliveryPage,
  })
  list(@Query({ schema: listDeliveriesQuery }) query: ListDeliveriesQuery) {
    return this.deliveries.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'api_key', scope: 'webhooks:read', roles: READERS, limit: 'key', audit: null,
    summary: 'Get a webhook delivery with its attempts', answer: deliveryWithAttempts, problems: ['not_found'],
  })
  get(@Param({ schema: deliveryId }) { id }: { id: string }) {
    return this.deliveries.get(id);
  }
}
