import { z } from 'zod';
import { SCOPES } from '../../platform/http/policy';
import { idSchema } from '../../platform/http/validation';
import type { ApiKey } from '../api-key.entity';
import type { IssuedKey } from '../key-material';

/** What may be shown of a key: everything but its hash and its signing secret. */
export type ShownKey = Omit<ApiKey, 'clientId' | 'keyHash' | 'signingSecret' | 'revision'>;

const time = z.iso.datetime();

export const apiKeyObject = z.object({
  id: idSchema('key'),
  object: z.literal('api_key'),
  livemode: z.boolean(),
  name: z.string(),
  prefix: z.string().meta({ description: 'The first letters of the key: enough to tell keys apart, not to use one.' }),
  scopes: z.array(z.enum(SCOPES)),
  allowed_ips: z.array(z.string()).meta({ description: 'Addresses and networks that may use the key; empty means any.' }),
  expires_at: time.nullable(),
  revoked_at: time.nullable(),
  last_used_at: time.nullable().meta({ description: 'Up to 15 seconds behind.' }),
  replaced_by: idSchema('key').nullable(),
  created_at: time,
});
export type ApiKeyObject = z.output<typeof apiKeyObject>;

/** A key in the answer that makes it, the only one that holds the key and its signing secret. */
export const issuedApiKeyObject = apiKeyObject.extend({
  api_key: z.string().meta({ description: 'Shown this once. Send it as X-API-Key.' }),
  signing_secret: z.string().meta({ description: 'Shown this once. Sign with it; never send it.' }),
});
export type IssuedApiKeyObject = z.output<typeof issuedApiKeyObject>;

/** A key as the API shows it. */
export function presentApiKey(key: ShownKey): ApiKeyObject {
  return {
    id: key.id,
    object: 'api_key',
    livemode: key.livemode,
    name: key.name,
    prefix: key.prefix,
    scopes: key.scopes,
    allowed_ips: key.allowedIps,
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
    replaced_by: key.replacedBy,
    created_at: key.createdAt.toISOString(),
  };
}

/** A new key with what is shown once. */
export function presentIssuedKey({ key, apiKey, signingSecret }: IssuedKey): IssuedApiKeyObject {
  return { ...presentApiKey(key), api_key: apiKey, signing_secret: signingSecret };
}
