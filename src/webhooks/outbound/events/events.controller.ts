import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { MANAGERS, Policy, READERS } from '../../../platform/http/policy';
import { deliveryPage } from '../deliveries/webhook-delivery';
import { EventReader } from './event-reader';
import { RedeliverEvent } from './redeliver-event';
import {
  eventId, eventObject, eventPage, listEventsQuery, type ListEventsQuery, redeliverBody, type RedeliverBody,
} from './webhook-event';

/** What has happened, whether or not an endpoint was there to be told. */
@ApiTags('Webhooks')
@Controller('v1/events')
export class EventsController {
  constructor(
    private readonly events: EventReader,
    private readonly redelivering: RedeliverEvent,
  ) {}

  @Get()
  @Policy({
    access: 'api_key', scope: 'webhooks:read', roles: READERS, limit: 'key', audit: null, summary: 'List events, newest first',
    answer: eventPage,
  })
  list(@Query({ schema: listEventsQuery }) query: ListEventsQuery) {
    return this.events.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'api_key', scope: 'webhooks:read', roles: READERS, limit: 'key', audit: null, summary: 'Get an event', answer: eventObject,
    problems: ['not_found'],
  })
  get(@Param({ schema: eventId }) { id }: { id: string }) {
    return this.events.get(id);
  }

  @Post(':id/redeliver')
  @Policy({
    access: 'api_key', scope: 'webhooks:write', roles: MANAGERS, limit: 'key', audit: 'event.redelivered',
    summary: 'Send an event once more', answer: deliveryPage, problems: ['not_found', 'state_conflict'],
  })
  redeliver(@Param({ schema: eventId }) { id }: { id: string }, @Body({ schema: redeliverBody }) body: RedeliverBody) {
    return this.redelivering.redeliver(id, body);
  }
}
