import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { PageQuery } from '../../platform/http/pagination';
import { MANAGERS, Policy, READERS } from '../../platform/http/policy';
import { apiKeyObject, issuedApiKeyObject } from './api-key-presenter';
import { ApiKeyReader } from './api-key-reader';
import {
  apiKeyId, apiKeyPage, createApiKeyBody, type CreateApiKeyBody, listApiKeysQuery, rotateApiKeyBody, type RotateApiKeyBody,
} from './api-keys.dto';
import { CreateApiKey } from './create-api-key';
import { RevokeApiKey } from './revoke-api-key';
import { RotateApiKey } from './rotate-api-key';

/** A client's own API keys. A test key sees and makes test keys, a live key live ones. */
@ApiTags('API keys')
@Controller('v1/api-keys')
export class ApiKeysController {
  constructor(
    private readonly createApiKey: CreateApiKey,
    private readonly rotateApiKey: RotateApiKey,
    private readonly revokeApiKey: RevokeApiKey,
    private readonly apiKeys: ApiKeyReader,
  ) {}

  @Post()
  @Policy({
    access: 'api_key', scope: 'keys:write', roles: MANAGERS, stepUp: true, limit: 'key_generation', audit: 'api_key.created',
    summary: 'Create an API key; it is shown once', status: 201, answer: issuedApiKeyObject, secretAnswer: true,
    problems: ['forbidden', 'state_conflict'],
  })
  create(@Body({ schema: createApiKeyBody }) body: CreateApiKeyBody) {
    return this.createApiKey.create(body);
  }

  @Get()
  @Policy({
    access: 'api_key', scope: 'keys:read', roles: READERS, limit: 'key', audit: null, summary: 'List API keys, newest first',
    answer: apiKeyPage,
  })
  list(@Query({ schema: listApiKeysQuery }) query: PageQuery) {
    return this.apiKeys.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'api_key', scope: 'keys:read', roles: READERS, limit: 'key', audit: null, summary: 'Get an API key', answer: apiKeyObject,
    problems: ['not_found'],
  })
  get(@Param({ schema: apiKeyId }) { id }: { id: string }) {
    return this.apiKeys.get(id);
  }

  @Delete(':id')
  @Policy({
    access: 'api_key', scope: 'keys:write', roles: MANAGERS, stepUp: true, limit: 'client_edit', audit: 'api_key.revoked',
    summary: 'Revoke an API key at once', status: 204, answer: null, problems: ['not_found'],
  })
  revoke(@Param({ schema: apiKeyId }) { id }: { id: string }) {
    return this.revokeApiKey.revoke(id);
  }

  @Post(':id/rotate')
  @Policy({
    access: 'api_key', scope: 'keys:write', roles: MANAGERS, stepUp: true, limit: 'key_generation', audit: 'api_key.rotated',
    summary: 'Replace an API key; the old one works on for the overlap', status: 201, answer: issuedApiKeyObject, secretAnswer: true,
    problems: ['not_found', 'forbidden', 'state_conflict'],
  })
  rotate(@Param({ schema: apiKeyId }) { id }: { id: string }, @Body({ schema: rotateApiKeyBody }) body: RotateApiKeyBody) {
    return this.rotateApiKey.rotate(id, body.overlap_seconds);
  }
}
