import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { ChangePerson } from './change-person';
import { InvitePerson } from './invite-person';
import {
  type AdminChangeRoleBody, adminChangeRoleBody, type AdminInvitePersonBody, adminInvitePersonBody, type AdminListPeopleQuery, adminListPeopleQuery,
  personId, personPage,
} from './people.dto';
import { PeopleReader } from './people-reader';
import { personObject } from './person-presenter';

/** The staff, and the people of any client. */
@ApiTags('Staff: people')
@Controller('v1/admin/people')
export class AdminPeopleController {
  constructor(
    private readonly people: PeopleReader,
    private readonly inviting: InvitePerson,
    private readonly changing: ChangePerson,
  ) {}

  @Get()
  @Policy({
    access: 'staff', roles: ['admin', 'auditor'], limit: 'person', audit: null,
    summary: 'List the staff, or the people of a client, newest first', answer: personPage,
  })
  list(@Query({ schema: adminListPeopleQuery }) { client, ...query }: AdminListPeopleQuery) {
    return this.people.list(client ?? null, query);
  }

  @Get(':id')
  @Policy({
    access: 'staff', roles: ['admin', 'auditor'], limit: 'person', audit: null,
    summary: 'Get a person', answer: personObject, problems: ['not_found'],
  })
  get(@Param({ schema: personId }) { id }: { id: string }) {
    return this.people.get(id);
  }

  @Post()
  @Policy({
    access: 'staff', roles: ['admin'], stepUp: true, limit: 'client_edit', idempotent: true, audit: 'person.invited',
    summary: 'Invite somebody into the staff or a client, or send an invitation again',
    status: 201, answer: personObject, problems: ['not_found', 'state_conflict'],
  })
  invite(@Body({ schema: adminInvitePersonBody }) { email, role, client }: AdminInvitePersonBody) {
    return this.inviting.invite(client ?? null, email, role);
  }

  @Patch(':id')
  @Policy({
    access: 'staff', roles: ['admin'], stepUp: true, limit: 'client_edit', audit: 'person.role_changed', summary: 'Change a person\'s role',
    answer: personObject, problems: ['not_found', 'state_conflict'],
  })
  changeRole(@Param({ schema: personId }) { id }: { id: string }, @Body({ schema: adminChangeRoleBody }) { role }: AdminChangeRoleBody) {
    return this.changing.changeRole(id, role);
  }

  @Delete(':id')
  @Policy({
    access: 'staff', roles: ['admin'], stepUp: true, limit: 'client_edit', audit: 'person.removed', summary: 'Remove a person at once',
    status: 204, answer: null, problems: ['not_found', 'state_conflict'],
  })
  remove(@Param({ schema: personId }) { id }: { id: string }) {
    return this.changing.remove(id);
  }

  @Delete(':id/sessions')
  @Policy({
    access: 'staff', roles: ['admin'], stepUp: true, limit: 'client_edit', audit: 'session.revoked', summary: 'End all sessions of a person',
    status: 204, answer: null, problems: ['not_found'],
  })
  endSessions(@Param({ schema: personId }) { id }: { id: string }) {
    return this.changing.endSessions(id);
  }
}
