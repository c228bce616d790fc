import { NestFactory } from '@nestjs/core';
import type { Pool } from 'pg';
import { AuditModule } from '../../src/audit/audit.module';
import { ApiKey } from '../../src/clients/api-key.entity';
import { Client } from '../../src/clients/client.entity';
import { ClientRegistry } from '../../src/clients/client-registry';
import { ClientsModule } from '../../src/clients/clients.module';
import { ConfigModule } from '../../src/platform/config/config.module';
import { loadSettings } from '../../src/platform/config/load-settings';
import { DatabaseModule } from '../../src/platform/database/database.module';
import type { KeyAccess } from '../../src/platform/http/request-context';
import { PlatformModule } from '../../src/platform/platform.module';
import type { Credentials } from '../support/merchant';

/** Merchants of a high tier, made as the command line makes them. */
export async function makeMerchants(environment: Record<string, string>, url: string, count: number): Promise<Credentials[]> {
  class Wiring {}
  const context = await NestFactory.createApplicationContext(
    {
      module: Wiring,
      imports: [
        ConfigModule.forRoot(loadSettings(environment)), DatabaseModule.forRoot({ url, directUrl: url }, [Client, ApiKey]),
        PlatformModule, AuditModule, ClientsModule,
      ],
    },
    { logger: false },
  );
  try {
    const registry = context.get(ClientRegistry);
    const merchants: Credentials[] = [];
    for (let at = 1; at <= count; at += 1) {
      const made = await registry.create({ name: `Bench ${at}`, live: true, feeBps: 250, rateMultiplier: 10_000 });
      merchants.push({ clientId: made.client.id, keyId: made.key.id, apiKey: made.apiKey, signingSecret: made.signingSecret });
    }
    return merchants;
  } finally {
    await context.close();
  }
}

/** The access that the gateway would find for a merchant's key, for statements made by hand. */
export async function accessOf(pool: Pool, { clientId, keyId }: Credentials): Promise<KeyAccess> {
  const { rows } = await pool.query<{ key_revision: string; client_revision: string; livemode: boolean }>(
    'select k.revision as key_revision, c.revision as client_revision, k.livemode from api_keys k join clients c on c.id = k.client_id where k.client_id = $1 and k.id = $2',
    [clientId, keyId],
  );
  return {
    clientId, keyId, livemode: rows[0].livemode, keyRevision: rows[0].key_revision, clientRevision: rows[0].client_revision,
    scopes: [], rateMultiplier: 1, feeBps: 250, clientSettings: {}, signingSecret: '',
  };
}
