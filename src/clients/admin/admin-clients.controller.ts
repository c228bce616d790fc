import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { PageQuery } from '../../platform/http/pagination';
import { Policy } from '../../platform/http/policy';
import type { StaffRole } from '../../platform/http/roles';
import { clientChangePage, listChangesQuery } from '../history/client-changes.dto';
import { AdminClientReader } from './admin-client-reader';
import { AdminClientSettings } from './admin-client-settings';
import { adminClientSettingsObject, changeClientSettingsBody, type ChangeClientSettingsBody } from './admin-client-settings.dto';
import {
  adminClientObject, adminClientPage, changeClientBody, type ChangeClientBody, clientId, createClientBody, type CreateClientBody,
  listClientsQuery, type ListClientsQuery,
} from './admin-clients.dto';
import { ChangeClient } from './change-client';
import { CreateClient } from './create-client';

const MAY_READ: readonly StaffRole[] = ['admin', 'approver', 'analyst', 'auditor'];

/** The merchants of this gateway, for the operator's staff. */
@ApiTags('Staff: clients')
@Controller('v1/admin/clients')
export class AdminClientsController {
  constructor(
    private readonly clients: AdminClientReader,
    private readonly creating: CreateClient,
    private readonly changing: ChangeClient,
    private readonly settings: AdminClientSettings,
  ) {}

  @Get()
  @Policy({
    access: 'staff', roles: MAY_READ, limit: 'person', audit: null, summary: 'List clients, newest first', answer: adminClientPage,
  })
  list(@Query({ schema: listClientsQuery }) query: ListClientsQuery) {
    return this.clients.list(query);
  }

  @Post()
  @Policy({
    access: 'staff', roles: ['admin'], stepUp: true, limit: 'client_edit', idempotent: true, audit: 'client.created', summary: 'Create a client; it has no keys yet',
    status: 201, answer: adminClientObject,
  })
  create(@Body({ schema: createClientBody }) body: CreateClientBody) {
    return this.creating.create(body);
  }

  @Get(':id')
  @Policy({
    access: 'staff', roles: MAY_READ, limit: 'person', audit: null, summary: 'Get a client', answer: adminClientObject,
    problems: ['not_found'],
  })
  get(@Param({ schema: clientId }) { id }: { id: string }) {
    return this.clients.get(id);
  }

  @Patch(':id')
  @Policy({
    access: 'staff', roles: ['admin'], stepUp: true, limit: 'client_edit', audit: 'client.updated',
    summary: 'Change, suspend or close a client', answer: adminClientObject, problems: ['not_found', 'state_conflict'],
  })
  change(@Param({ schema: clientId }) { id }: { id: string }, @Body({ schema: changeClientBody }) body: ChangeClientBody) {
    return this.changing.change(id, body);
  }

  @Get(':id/history')
  @Policy({
    access: 'staff', roles: ['admin', 'analyst', 'auditor'], limit: 'person', audit: null,
    summary: 'List what was changed about a client, newest first', answer: clientChangePage, problems: ['not_found'],
  })
  history(@Param({ schema: clientId }) { id }: { id: string }, @Query({ schema: listChangesQuery }) query: PageQuery) {
    return this.clients.history(id, query);
  }

  @Get(':id/settings')
  @Policy({
    access: 'staff', roles: MAY_READ, limit: 'person', audit: null, summary: 'Get a client\'s settings in both modes, defaults included',
    answer: adminClientSettingsObject, problems: ['not_found'],
  })
  getSettings(@Param({ schema: clientId }) { id }: { id: string }) {
    return this.settings.get(id);
  }

  @Patch(':id/settings')
  @Policy({
    access: 'staff', roles: ['admin'], stepUp: true, limit: 'client_edit', audit: 'client.operator_settings_changed',
    summary: 'Change those of a client\'s settings that are the operator\'s to set', answer: adminClientSettingsObject,
    problems: ['not_found', 'state_conflict'],
  })
  changeSettings(
    @Param({ schema: clientId }) { id }: { id: string }, @Body({ schema: changeClientSettingsBody }) body: ChangeClientSettingsBody,
  ) {
    return this.settings.change(id, body);
  }
}
