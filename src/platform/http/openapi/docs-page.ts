import { createRequire } from 'node:module';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SETTINGS, type Settings } from '../../config/settings';
import { allowanceHeaders, rateLimited, RateLimiter } from '../../security/limits/rate-limiter';
import { buildOpenApi } from './openapi';

const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

/** The page may load from us and run our files, nothing else; Swagger UI draws its icons from data: and sets styles of its own. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "connect-src 'self'",
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>CPGateway API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<main id="docs"></main>
<noscript>This page needs JavaScript. The document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/** Reads may be tried from the page; calls that change something need a signature, which the page cannot make. */
const START = `SwaggerUIBundle({
  url: '/openapi.json', dom_id: '#docs', deepLinking: true, docExpansion: 'list', validatorUrl: null, supportedSubmitMethods: ['get'],
});
`;

/**
 * Serves the contract at /openapi.json and a page to read it at /docs; every file of it comes from this server. Both are for
 * anybody, and counted by address like every call without a key. Called after the routes are known and before listening. The
 * contract is made when somebody first asks for it, so that no start waits for it.
 */
export async function publishOpenApi(app: NestFastifyApplication): Promise<void> {
  let document: string | undefined;
  const contract = () => (document ??= JSON.stringify(buildOpenApi(app, app.get<Settings>(SETTINGS).publicUrl)));
  const limiter = app.get(RateLimiter);
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  await fastify.register(async (pages) => {
    await pages.register(fastifyStatic, { root: swaggerUiFolder(), serve: false });
    pages.addHook('preHandler', (request, reply) => countByAddress(limiter, request, reply));
    pages.get('/openapi.json', (_request, reply) => reply.type('application/json; charset=utf-8').send(contract()));
    for (const address of ['/docs', '/docs/']) pages.get(address, (_request, reply) => sendPage(reply));
    pages.get('/docs/start.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(START));
    for (const asset of ASSETS) pages.get(`/docs/${asset}`, (_request, reply) => reply.sendFile(asset));
  });
}

async function countByAddress(limiter: RateLimiter, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const allowance = await limiter.count('anonymous', request.context);
  if (!allowance) return;
  void reply.headers(allowanceHeaders(allowance));
  if (allowance.exceeded) throw rateLimited(allowance);
}

function sendPage(reply: FastifyReply): FastifyReply {
  return reply
    .type('text/html; charset=utf-8')
    .headers({ 'content-security-policy': CONTENT_SECURITY_POLICY, 'x-content-type-options': 'nosniff' })
    .send(PAGE);
}

/** The page's package comes with @nestjs/swagger, so it is looked for from there. */
function swaggerUiFolder(): string {
  const fromSwagger = createRequire(require.resolve('@nestjs/swagger'));
  return (fromSwagger('swagger-ui-dist/absolute-path.js') as () => string)();
}
