import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { MANAGERS, Policy, READERS } from '../../../platform/http/policy';
import { noBody } from '../../../platform/http/validation';
import { SendTestEvent } from '../events/send-test-event';
import { eventObject } from '../events/webhook-event';
import { ChangeEndpoint } from './change-endpoint';
import { CreateEndpoint } from './create-endpoint';
import { EndpointReader } from './endpoint-reader';
import { RotateEndpointSecret } from './rotate-endpoint-secret';
import { endpointObject, endpointWithSecret } from './webhook-endpoint';
import {
  changeEndpointBody, type ChangeEndpointBody, createEndpointBody, type CreateEndpointBody, endpointId, endpointPage, listEndpointsQuery,
  type ListEndpointsQuery, rotateSecretBody, type RotateSecretBody,
} from './webhook-endpoints.dto';

/** Where a client's events are sent. */
@ApiTags('Webhooks')
@Controller('v1/webhook-endpoints')
export class WebhookEndpointsController {
  constructor(
    private readonly creating: CreateEndpoint,
    private readonly endpoints: EndpointReader,
    private readonly changing: ChangeEndpoint,
    private readonly rotating: RotateEndpointSecret,
    private readonly testing: SendTestEvent,
  ) {}

  @Post()
  @Policy({
    access: 'api_key', scope: 'webhooks:write', roles: MANAGERS, limit: 'client_edit', audit: 'webhook_endpoint.created',
    summary: 'Add a webhook endpoint', status: 201, answer: endpointWithSecret, secretAnswer: true, problems: ['url_not_allowed'],
  })
  create(@Body({ schema: createEndpointBody }) body: CreateEndpointBody) {
    return this.creating.create(body);
  }

  @Get()
  @Policy({
    access: 'api_key', scope: 'webhooks:read', roles: READERS, limit: 'key', audit: null, summary: 'List webhook endpoints, newest first',
    answer: endpointPage,
  })
  list(@Query({ schema: listEndpointsQuery }) query: ListEndpointsQuery) {
    return this.endpoints.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'api_key', scope: 'webhooks:read', roles: READERS, limit: 'key', audit: null, summary: 'Get a webhook endpoint',
    answer: endpointObject, problems: ['not_found'],
  })
  get(@Param({ schema: endpointId }) { id }: { id: string }) {
    return this.endpoints.get(id);
  }

  @Patch(':id')
  @Policy({
    access: 'api_key', scope: 'webhooks:write', roles: MANAGERS, limit: 'client_edit', audit: 'webhook_endpoint.updated',
    summary: 'Change, disable or enable a webhook endpoint', answer: endpointObject, problems: ['not_found', 'url_not_allowed'],
  })
  change(@Param({ schema: endpointId }) { id }: { id: string }, @Body({ schema: changeEndpointBody }) body: ChangeEndpointBody) {
    return this.changing.change(id, body);
  }

  @Delete(':id')
  @Policy({
    access: 'api_key', scope: 'webhooks:write', roles: MANAGERS, limit: 'client_edit', audit: 'webhook_endpoint.deleted',
    summary: 'Delete a webhook endpoint', status: 204, answer: null, problems: ['not_found'],
  })
  delete(@Param({ schema: endpointId }) { id }: { id: string }) {
    return this.changing.delete(id);
  }

  @Post(':id/rotate-secret')
  @Policy({
    access: 'api_key', scope: 'webhooks:write', roles: MANAGERS, stepUp: true, limit: 'client_edit',
    audit: 'webhook_endpoint.secret_rotated', summary: 'Give a webhook endpoint a new secret', answer: endpointWithSecret,
    secretAnswer: true, problems: ['not_found'],
  })
  rotate(@Param({ schema: endpointId }) { id }: { id: string }, @Body({ schema: rotateSecretBody }) body: RotateSecretBody) {
    return this.rotating.rotate(id, body);
  }

  @Post(':id/test')
  @Policy({
    access: 'api_key', scope: 'webhooks:write', roles: MANAGERS, limit: 'client_edit', audit: 'webhook_endpoint.tested',
    summary: 'Send a test event to a webhook endpoint', answer: eventObject, problems: ['not_found', 'state_conflict'],
  })
  test(@Param({ schema: endpointId }) { id }: { id: string }, @Body({ schema: noBody }) _body: unknown) {
    return this.testing.send(id);
  }
}
