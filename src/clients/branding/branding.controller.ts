import { Body, Controller, Get, Patch } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { MANAGERS, Policy, READERS } from '../../platform/http/policy';
import { brandingObject, type ChangeBrandingBody, changeBrandingBody } from './branding.dto';
import { ClientBranding } from './client-branding';

/** What a client's payers see of it. */
@ApiTags('Client')
@Controller('v1/client/branding')
export class BrandingController {
  constructor(private readonly branding: ClientBranding) {}

  @Get()
  @Policy({
    access: 'api_key', scope: 'settings:read', roles: READERS, limit: 'key', audit: null, summary: 'Get your branding',
    answer: brandingObject,
  })
  get() {
    return this.branding.get();
  }

  @Patch()
  @Policy({
    access: 'api_key', scope: 'settings:write', roles: MANAGERS, limit: 'client_edit', audit: 'client.branding_changed',
    summary: 'Change some of your branding', answer: brandingObject, problems: ['url_not_allowed'],
  })
  change(@Body({ schema: changeBrandingBody }) body: ChangeBrandingBody) {
    return this.branding.change(body);
  }
}
