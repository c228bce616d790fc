import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy, READERS } from '../../platform/http/policy';
import { currentSession } from '../../platform/http/request-context';
import { ChangePerson } from './change-person';
import { InvitePerson } from './invite-person';
import {
  type ChangeRoleBody, changeRoleBody, type InvitePersonBody, invitePersonBody, type ListPeopleQuery, listPeopleQuery, personId, personPage,
} from './people.dto';
import { PeopleReader } from './people-reader';
import { personObject } from './person-presenter';

/** The people of the signed-in person's own client. */
@ApiTags('People')
@Controller('v1/people')
export class PeopleController {
  constructor(
    private readonly people: PeopleReader,
    private readonly inviting: InvitePerson,
    private readonly changing: ChangePerson,
  ) {}

  @Get()
  @Policy({
    access: 'person', roles: READERS, limit: 'person', audit: null,
    summary: 'List the people of your client, newest first', answer: personPage,
  })
  list(@Query({ schema: listPeopleQuery }) query: ListPeopleQuery) {
    return this.people.list(ownClient(), query);
  }

  @Get(':id')
  @Policy({
    access: 'person', roles: READERS, limit: 'person', audit: null, summary: 'Get one of the people of your client', answer: personObject,
    problems: ['not_found'],
  })
  get(@Param({ schema: personId }) { id }: { id: string }) {
    return this.people.get(id, ownClient());
  }

  @Post()
  @Policy({
    access: 'person', roles: ['owner'], stepUp: true, limit: 'invitation', idempotent: true, audit: 'person.invited',
    summary: 'Invite somebody, or send an invitation again', status: 201, answer: personObject, problems: ['state_conflict'],
  })
  invite(@Body({ schema: invitePersonBody }) { email, role }: InvitePersonBody) {
    return this.inviting.invite(ownClient(), email, role);
  }

  @Patch(':id')
  @Policy({
    access: 'person', roles: ['owner'], stepUp: true, limit: 'client_edit', audit: 'person.role_changed',
    summary: 'Change the role of one of your people', answer: personObject, problems: ['not_found', 'state_conflict'],
  })
  changeRole(@Param({ schema: personId }) { id }: { id: string }, @Body({ schema: changeRoleBody }) { role }: ChangeRoleBody) {
    return this.changing.changeRole(id, role, ownClient());
  }

  @Delete(':id')
  @Policy({
    access: 'person', roles: ['owner'], stepUp: true, limit: 'client_edit', audit: 'person.removed',
    summary: 'Remove one of your people at once', status: 204, answer: null, problems: ['not_found', 'state_conflict'],
  })
  remove(@Param({ schema: personId }) { id }: { id: string }) {
    return this.changing.remove(id, ownClient());
  }
}

/** The roles of these routes are a client's; whoever has one belongs to one. */
function ownClient(): string {
  const { clientId } = currentSession();
  if (!clientId) throw new Error('Somebody with a client\'s role belongs to no client.');
  return clientId;
}
