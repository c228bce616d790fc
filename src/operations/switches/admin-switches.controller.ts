import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { ChangeSwitch } from './change-switch';
import { SwitchReader } from './switch-reader';
import {
  changeSwitchBody, type ChangeSwitchBody, listSwitchesQuery, type ListSwitchesQuery, switchObject, switchPage,
} from './switches.dto';

/** What is paused: all payments, all withdrawals, or one client. */
@ApiTags('Staff: switches')
@Controller('v1/admin/switches')
export class AdminSwitchesController {
  constructor(
    private readonly switches: SwitchReader,
    private readonly changing: ChangeSwitch,
  ) {}

  @Get()
  @Policy({
    access: 'staff', roles: ['admin', 'approver', 'analyst', 'auditor'], limit: 'person', audit: null,
    summary: 'List switches: the two areas, then the clients that were ever paused', answer: switchPage,
  })
  list(@Query({ schema: listSwitchesQuery }) query: ListSwitchesQuery) {
    return this.switches.list(query);
  }

  @Post()
  @Policy({
    access: 'staff', roles: ['admin'], stepUp: true, limit: 'person', audit: 'switch.changed',
    summary: 'Pause or resume payments, withdrawals or one client', answer: switchObject, problems: ['not_found'],
  })
  change(@Body({ schema: changeSwitchBody }) body: ChangeSwitchBody) {
    return this.changing.change(body);
  }
}
