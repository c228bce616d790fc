import { Body, Controller, Get, Patch, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { PageQuery } from '../../platform/http/pagination';
import { MANAGERS, Policy, READERS } from '../../platform/http/policy';
import { ClientChanges } from '../history/client-changes';
import { clientChangePage, listChangesQuery } from '../history/client-changes.dto';
import { ClientReader } from './client-reader';
import { ClientSettings } from './client-settings';
import type { SettingsBySection } from './client-settings-sections';
import { RenameClient } from './rename-client';
import {
  changeSettingsBody, clientObject, clientSettingsObject, type RenameClientBody, renameClientBody,
} from './settings.dto';

/** The client that the caller belongs to, its settings and what was changed about it. */
@ApiTags('Client')
@Controller('v1/client')
export class ClientController {
  constructor(
    private readonly clients: ClientReader,
    private readonly settings: ClientSettings,
    private readonly renaming: RenameClient,
    private readonly changes: ClientChanges,
  ) {}

  @Get()
  @Policy({
    access: 'api_key', scope: 'settings:read', roles: READERS, limit: 'key', audit: null, summary: 'Get your client', answer: clientObject,
  })
  get() {
    return this.clients.own();
  }

  @Patch()
  @Policy({
    access: 'api_key', scope: 'settings:write', roles: MANAGERS, limit: 'client_edit', audit: 'client.renamed',
    summary: 'Rename your client', answer: clientObject,
  })
  rename(@Body({ schema: renameClientBody }) { name }: RenameClientBody) {
    return this.renaming.rename(name);
  }

  @Get('history')
  @Policy({
    access: 'api_key', scope: 'settings:read', roles: READERS, limit: 'key', audit: null,
    summary: 'List what was changed about your client, its settings, keys and endpoints, newest first', answer: clientChangePage,
  })
  history(@Query({ schema: listChangesQuery }) query: PageQuery) {
    return this.changes.own(query);
  }

  @Get('settings')
  @Policy({
    access: 'api_key', scope: 'settings:read', roles: READERS, limit: 'key', audit: null, summary: 'Get your settings, defaults included',
    answer: clientSettingsObject,
  })
  getSettings() {
    return this.settings.get();
  }

  @Patch('settings')
  @Policy({
    access: 'api_key', scope: 'settings:write', roles: MANAGERS, limit: 'client_edit', audit: 'client.settings_changed',
    summary: 'Change some of your settings', answer: clientSettingsObject,
  })
  changeSettings(@Body({ schema: changeSettingsBody }) body: SettingsBySection) {
    return this.settings.change(body);
  }
}
