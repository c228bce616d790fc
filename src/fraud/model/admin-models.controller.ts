import { Controller, Get, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { STAFF_ROLES } from '../../platform/http/roles';
import { ModelStore } from './model-store';
import { modelList, modelObject, modelVersion } from './models.dto';

/** Learned models with how well they did. Which one is in force is the definition named model, beside the rules. */
@ApiTags('Staff: risk')
@Controller('v1/admin/risk/models')
export class AdminModelsController {
  constructor(private readonly models: ModelStore) {}

  @Get()
  @Policy({ access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null, summary: 'List the stored models with their back-tests, newest first', answer: modelList })
  list() {
    return this.models.list();
  }

  @Get(':version')
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null, summary: 'Get a stored model with its back-test',
    answer: modelObject, problems: ['not_found'],
  })
  get(@Param({ schema: modelVersion }) { version }: { version: number }) {
    return this.models.get(version);
  }
}
