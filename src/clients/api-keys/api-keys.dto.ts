import { z } from 'zod';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { SCOPES } from '../../platform/http/policy';
import { idSchema, visibleText } from '../../platform/http/validation';
import { isNetwork } from '../../platform/security/network/address-rules';
import { apiKeyObject } from './api-key-presenter';

const network = z.string().max(64).refine(isNetwork, 'must be an IP address or a network such as 203.0.113.0/24');

export const createApiKeyBody = z.strictObject({
  name: visibleText(1, 100),
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length)
    .refine((scopes) => new Set(scopes).size === scopes.length, 'names a scope twice')
    .meta({ description: 'What the key may do; at most what its maker may do.' }),
  allowed_ips: z.array(network).max(50).default([]).meta({
    description: 'Addresses and networks that may use the key; empty means any. A key that is bound to networks hands out keys for these '
      + 'alone: empty then means the same networks, and others are refused.',
  }),
  expires_at: z.iso.datetime({ offset: true, error: 'must be an RFC 3339 time, for example 2026-01-31T09:30:00.000Z' }).nullish(),
});
export type CreateApiKeyBody = z.output<typeof createApiKeyBody>;

const WEEK_SECONDS = 604_800;

/** The body may be left out. */
export const rotateApiKeyBody = z
  .strictObject({
    overlap_seconds: z.int().min(0).max(WEEK_SECONDS).default(86_400)
      .meta({ description: 'How long the old key still works, so that both can be in use while you change over.' }),
  })
  .prefault({});
export type RotateApiKeyBody = z.output<typeof rotateApiKeyBody>;

export const apiKeyId = z.strictObject({ id: idSchema('key') });
export const listApiKeysQuery = listQuery('key', {});
export const apiKeyPage = pageOf(apiKeyObject);
