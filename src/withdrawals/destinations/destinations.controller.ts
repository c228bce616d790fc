import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy, READERS } from '../../platform/http/policy';
import { CreateDestination } from './create-destination';
import { DeleteDestination } from './delete-destination';
import { destinationObject } from './destination';
import { DestinationReader } from './destination-reader';
import {
  createDestinationBody, type CreateDestinationBody, destinationId, destinationPage, listDestinationsQuery, type ListDestinationsQuery,
} from './destinations.dto';

/** Where withdrawals may go. Saved and deleted by key only. */
@ApiTags('Withdrawals')
@Controller('v1/destinations')
export class DestinationsController {
  constructor(
    private readonly createDestination: CreateDestination,
    private readonly deleteDestination: DeleteDestination,
    private readonly destinations: DestinationReader,
  ) {}

  @Post()
  @Policy({
    access: 'api_key', scope: 'withdrawals:write', limit: 'client_edit', audit: 'destination.created',
    summary: 'Save a destination for withdrawals; it can be used after the cool-off', status: 201, answer: destinationObject,
    problems: ['state_conflict'],
  })
  create(@Body({ schema: createDestinationBody }) body: CreateDestinationBody) {
    return this.createDestination.create(body);
  }

  @Get()
  @Policy({
    access: 'api_key', scope: 'withdrawals:read', roles: READERS, limit: 'key', audit: null, summary: 'List destinations, newest first',
    answer: destinationPage,
  })
  list(@Query({ schema: listDestinationsQuery }) query: ListDestinationsQuery) {
    return this.destinations.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'api_key', scope: 'withdrawals:read', roles: READERS, limit: 'key', audit: null, summary: 'Get a destination',
    answer: destinationObject, problems: ['not_found'],
  })
  get(@Param({ schema: destinationId }) { id }: { id: string }) {
    return this.destinations.get(id);
  }

  @Delete(':id')
  @Policy({
    access: 'api_key', scope: 'withdrawals:write', limit: 'client_edit', audit: 'destination.deleted',
    summary: 'Delete a destination that no open withdrawal is to go to', status: 204, answer: null,
    problems: ['not_found', 'state_conflict'],
  })
  delete(@Param({ schema: destinationId }) { id }: { id: string }) {
    return this.deleteDestination.delete(id);
  }
}
