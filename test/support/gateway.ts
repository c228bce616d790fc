import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pino from 'pino';
import { createApplication } from '../../src/application';
import { ClientRegistry, type NewClient } from '../../src/clients/client-registry';
import { loadSettings } from '../../src/platform/config/load-settings';
import type { Settings } from '../../src/platform/config/settings';
import { runInContext } from '../../src/platform/http/request-context';
import { hashCheaply } from './cheap-hashes';
import { TestDatabase } from './database';
import { Merchant } from './merchant';

export const TEST_SECRETS = {
  stripe: 'whsec_test_stripe_0123456789abcdef',
  generic: 'generic-test-secret-0123456789',
  jwt: 'a-secret-for-the-access-tokens-of-tests',
  masterKey: Buffer.alloc(32, 7).toString('base64'),
};

/** Settings as a suite would have them from its environment. */
export function testSettings(environment: Record<string, string> = {}): Settings {
  return loadSettings({
    NODE_ENV: 'test',
    PORT: '0',
    LOG_LEVEL: 'silent',
    DATA_DIR: mkdtempSync(path.join(tmpdir(), 'cpgateway-data-')),
    ENCRYPTION_MASTER_KEY: TEST_SECRETS.masterKey,
    JWT_SECRET_KEY: TEST_SECRETS.jwt,
    WEBHOOK_SECRET: TEST_SECRETS.generic,
    WEBHOOK_SECRET_STRIPE: TEST_SECRETS.stripe,
    WEBHOOKS_ALLOW_PRIVATE_NETWORKS: 'true',
    ...environment,
  });
}

/** The real application on a database of its own, listening on a free port. */
export class Gateway {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly database: TestDatabase,
    readonly url: string,
    readonly settings: Settings,
    private readonly ownsDatabase: boolean,
  ) {}

  /** `database` lets a second instance share the first one's. `log` receives the lines that the application writes. */
  static async start(options: { environment?: Record<string, string>; database?: TestDatabase; log?: string[] } = {}): Promise<Gateway> {
    const database = options.database ?? (await TestDatabase.create());
    const settings = testSettings(options.environment);
    const log = options.log
      ? pino({ level: 'trace' }, { write: (line: string) => void options.log!.push(line) })
      : pino({ level: 'silent' });
    const app = await createApplication(settings, { url: database.url, directUrl: database.url }, log);
    hashCheaply(app);
    await app.listen(0, '127.0.0.1');
    return new Gateway(app, database, await app.getUrl(), settings, !options.database);
  }

  /** A merchant with a key, made as the command line makes one. */
  async merchant(client: Partial<NewClient> = {}): Promise<Merchant> {
    const registry = this.app.get(ClientRegistry);
    const command = { name: 'Test merchant', live: false, feeBps: 0, rateMultiplier: 100, ...client };
    const operator = { requestId: 'test-setup', actor: { type: 'operator' as const }, startedAt: 0 };
    const { client: made, key, apiKey, signingSecret } = await runInContext(operator, () => registry.create(command));
    return new Merchant(this.url, { clientId: made.id, keyId: key.id, apiKey, signingSecret });
  }

  async stop(): Promise<void> {
    await this.app.close();
    if (this.ownsDatabase) await this.database.drop();
  }
}
