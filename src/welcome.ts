import { resolve } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { ClientRegistry } from './clients/client-registry';
import type { IssuedKey } from './clients/key-material';
import { runInContext } from './platform/http/request-context';
import { newId } from './platform/identifiers';

/** Any constant that nobody else uses: of two servers that start on one empty database, one makes the demo client. */
const DEMO_LOCK = 7_305_220_102;

/** A merchant in test mode for a developer's first calls; undefined when there is a client already. */
export async function makeDemoClient(app: NestFastifyApplication): Promise<IssuedKey | undefined> {
  return app.get(DataSource).transaction(async (manager) => {
    await manager.query('select pg_advisory_xact_lock($1)', [DEMO_LOCK]);
    const clients: unknown[] = await manager.query('select from clients limit 1');
    if (clients.length > 0) return undefined;
    const context = { requestId: newId('req'), actor: { type: 'system' as const, id: 'first start' }, startedAt: performance.now() };
    const merchant = { name: 'Demo merchant', live: false, feeBps: 250, rateMultiplier: 1 };
    return runInContext(context, () => app.get(ClientRegistry).create(merchant));
  });
}

const DEFAULT_DATA_DIR = resolve('./.data');

/** What a developer reads when the server is ready. The keys are in it at the first start only. */
export function welcome(url: string, demo: IssuedKey | undefined, dataDir = DEFAULT_DATA_DIR): string {
  // Commands find this server's data where it did itself.
  const before = dataDir === DEFAULT_DATA_DIR ? '' : `DATA_DIR=${dataDir} `;
  const keys = demo && [
    'A demo merchant in test mode was made. Its keys are shown only now:',
    `  client_id       ${demo.key.clientId}`,
    `  key_id          ${demo.key.id}`,
    `  api_key         ${demo.apiKey}`,
    `  signing_secret  ${demo.signingSecret}`,
    '',
  ];
  const lines = [
    '',
    `CPGateway is ready at ${url}`,
    `  documentation   ${url}/docs`,
    `  OpenAPI         ${url}/openapi.json`,
    `  health          ${url}/health/ready`,
    '',
    ...(keys ?? []),
    'Try next, in a second terminal:',
    `  ${before}npm run demo${url.endsWith(':3000') ? '' : ` -- --url ${url}`}`,
    `  curl -H 'X-API-Key: ${demo?.apiKey ?? '<api_key>'}' ${url}/v1/payments`,
    ...(demo ? [] : [`  ${before}npm run cpg -- client:create --name 'My shop'   makes a merchant with new keys`]),
    '',
  ];
  return `${lines.join('\n')}\n`;
}
