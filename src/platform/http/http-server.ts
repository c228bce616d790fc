import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger as Pino } from 'pino';
import { SETTINGS, type Settings } from '../config/settings';
import { newId } from '../identifiers';
import { AddressGate } from '../security/blocks/address-gate';
import { isFromThisMachine } from '../security/blocks/networks';
import { maskSecrets } from '../security/crypto/masking';
import { apiVersionOf, refuseDisabledVersions } from './api-versions';
import { Metrics } from '../observability/metrics';
import { parseJsonBody } from './json-body';
import { Problem } from './problem';
import { RawRefusals } from './raw-refusals';
import { type RequestContext, runInContext } from './request-context';
import { RouteTable } from './route-table';
import { answerHeaders, securityHeaders } from './security-headers';

const MAX_BODY_BYTES = 256 * 1024;
/** What callers and their load balancers send: UUIDs, `Root=1-…`, trace parents, order numbers. */
const REQUEST_ID_FORM = /^[A-Za-z0-9._:;=+/@-]{1,128}$/;
/** A slow sender is cut off; the whole request has to arrive within this. */
const REQUEST_TIMEOUT_MS = 30_000;

declare module 'fastify' {
  interface FastifyRequest {
    context: RequestContext;
  }
}

/** The Fastify server beneath Nest: size and time bounds, request ids, and which peers may speak for others. */
export function httpAdapter(settings: Settings): FastifyAdapter {
  const refusals = new RawRefusals(securityHeaders(settings));
  return new FastifyAdapter({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
    trustProxy: settings.trustedProxies.length > 0 ? settings.trustedProxies : false,
    genReqId: requestIdOf,
    frameworkErrors: refusals.badAddress,
    clientErrorHandler: refusals.badBytes,
    // Refused by a hook of ours instead, in the form that all refusals have.
    http: { requireHostHeader: false },
    routerOptions: { maxParamLength: 300 },
    // RFC 9110, 9.1: whoever answers GET answers HEAD.
    exposeHeadRoutes: true,
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  });
}

/** Our routes have schemas of zod. Fastify's own compilers would be loaded at every start, and never asked. */
function noSchemas(): never {
  throw new Error('A route must not have a schema of Fastify: nothing here compiles one.');
}

/** Lets the browser applications of the given origins call the API and read its headers (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export function allowOrigins(app: NestFastifyApplication, origins: readonly string[]): void {
  if (origins.length === 0) return;
  app.enableCors({
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'Content-Type', 'Authorization', 'X-API-Key', 'X-Timestamp', 'X-Signature', 'X-Admin-Signature', 'X-TOTP-Code', 'X-Livemode',
      'Idempotency-Key', 'X-Request-Id',
    ],
    exposedHeaders: [
      'X-Request-Id', 'Idempotency-Replayed', 'Retry-After', 'X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset',
      'RateLimit', 'RateLimit-Policy', 'Deprecation', 'Sunset', 'Warning', 'WWW-Authenticate',
    ],
    maxAge: 600,
  });
}

/** What every request passes before Nest sees it: context, id and strict bodies. */
export function prepareHttp(app: NestFastifyApplication, log: Pino): void {
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  const routes = app.get(RouteTable);
  const gate = app.get(AddressGate);
  const metrics = app.get(Metrics);
  const settings = app.get<Settings>(SETTINGS);
  const headersFor = answerHeaders(settings);
  RawRefusals.ignoreExpectations(fastify.server);
  fastify.addHook('onRoute', ({ url, method }) => routes.add(url, method));
  fastify.decorateRequest('context', null as never);
  fastify.addHook('onRequest', (request, reply, done) => {
    const ip = callerAddress(request);
    const context: RequestContext = {
      requestId: request.id,
      ip,
      fromThisMachine: isFromThisMachine(ip, request.headers),
      userAgent: request.headers['user-agent'],
      apiVersion: versionOf(request),
      method: request.method,
      route: request.routeOptions.url,
      startedAt: performance.now(),
    };
    request.context = context;
    void reply.headers(headersFor(context.apiVersion)).header('x-request-id', request.id);
    runInContext(context, () => done(gate.refusalOf(context) ?? hostRefusal(request)));
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const seconds = (performance.now() - request.context.startedAt) / 1000;
    logAnswer(log, request, reply, seconds);
    countAnswer(metrics, request, reply, seconds);
    done();
  });
  refuseDisabledVersions(fastify, settings.disabledApiVersions);
  strictBodies(fastify);
}

function hostRefusal({ headers, raw }: FastifyRequest): Problem | undefined {
  if (headers.host !== undefined || raw.httpVersion === '1.0') return undefined;
  return new Problem('malformed_request', 'HTTP/1.1 requires a Host header.');
}

/** By the pattern that matched, because the router also takes percent-encoded spellings; where none did, or a preflight, by the path. */
function versionOf({ routeOptions: { url: pattern }, url }: FastifyRequest): string | undefined {
  return apiVersionOf(pattern === undefined || pattern === '*' ? url : pattern);
}

/** A well-formed id of the caller's is kept, unless it holds what no log may hold. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID_FORM.test(given) && maskSecrets(given) === given ? given : newId('req');
}

/** One line for each answer: who, which route, how it ended and how long it took. Never a body, a header or a raw path. */
function logAnswer(log: Pino, { context }: FastifyRequest, reply: FastifyReply, seconds: number): void {
  log.info(
    {
      request_id: context.requestId,
      method: context.method,
      route: context.route ?? 'unknown',
      status: reply.statusCode,
      duration_ms: Math.round(seconds * 10_000) / 10,
      client: context.access?.clientId,
      ip: context.ip,
    },
    'answered',
  );
}

function countAnswer(metrics: Metrics, { method, context }: FastifyRequest, reply: FastifyReply, seconds: number): void {
  const route = context.route ?? 'unknown';
  metrics.increment('cpgateway_http_requests_total', { method, route, status: String(reply.statusCode) });
  metrics.observe('cpgateway_http_request_duration_seconds', { method, route }, seconds);
}

/** Only JSON in UTF-8 without an encoding is read; the bytes are kept, because signatures are over bytes. */
function strictBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const raw = body as Buffer;
    request.rawBody = raw;
    try {
      if (!isPlainUtf8(request)) throw new Problem('unsupported_media_type', 'Send the body as application/json in UTF-8, without a content encoding.');
      // A webhook is parsed after its signature has been checked over the raw bytes, by the source it came from.
      done(null, request.url.startsWith('/v1/webhooks/') ? undefined : parseJsonBody(raw));
    } catch (error) {
      done(error as Error);
    }
  });
}

function isPlainUtf8({ headers }: FastifyRequest): boolean {
  const charset = /charset\s*=\s*"?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1];
  const encoding = headers['content-encoding'];
  return (!charset || /^utf-?8$/i.test(charset)) && (!encoding || encoding === 'identity');
}

/**
 * The caller's address. IPv4 in IPv6 clothing is IPv4, and a port that a proxy has added is dropped: limits and blocks must see one
 * caller as one. What a trusted proxy passes on that is no address is not believed: then the caller is the proxy itself.
 */
function callerAddress({ ip, socket }: FastifyRequest): string {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(ip)?.[1] ?? /^([\d.]+):\d+$/.exec(ip)?.[1] ?? ip;
  const address = isIP(bare) === 0 ? (socket.remoteAddress ?? 'unknown') : bare;
  return isIPv6(address) && address.toLowerCase().startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
