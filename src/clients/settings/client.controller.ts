import { Body, Controller, Get, Patch } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { ClientReader } from './client-reader';
import { ClientSettings } from './client-settings';
import type { SettingsBySection } from './client-settings-sections';
import { changeSettingsBody, clientObject, clientSettingsObject } from './settings.dto';

/** The client that a key belongs to, and its settings. */
@ApiTags('Client')
@Controller('v1/client')
export class ClientController {
  constructor(
    private readonly clients: ClientReader,
    private readonly settings: ClientSettings,
  ) {}

  @Get()
  @Policy({ access: 'api_key', scope: 'settings:read', limit: 'key', audit: null, summary: 'Get your client', answer: clientObject })
  get() {
    return this.clients.own();
  }

  @Get('settings')
  @Policy({
    access: 'api_key', scope: 'settings:read', limit: 'key', audit: null, summary: 'Get your settings, defaults included',
    answer: clientSettingsObject,
  })
  getSettings() {
    return this.settings.get();
  }

  @Patch('settings')
  @Policy({
    access: 'api_key', scope: 'settings:write', limit: 'client_edit', audit: 'client.settings_changed',
    summary: 'Change some of your settings', answer: clientSettingsObject,
  })
  changeSettings(@Body({ schema: changeSettingsBody }) body: SettingsBySection) {
    return this.settings.change(body);
  }
}
