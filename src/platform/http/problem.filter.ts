import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject, Logger, NotFoundException, Optional } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IdempotentReplay } from '../idempotency/idempotent-replay';
import { RefusalCounter } from '../security/blocks/refusal-counter';
import { allowanceHeaders, rateLimited, RateLimiter } from '../security/limits/rate-limiter';
import { Problem, type ProblemCode, PROBLEMS } from './problem';
import { RouteTable } from './route-table';

/** Told of every refusal and failure; the audit room registers itself here. Never throws and never delays the answer for long; a failure not at all. */
export interface RefusalRecorder {
  record(problem: Problem, request: { ip: string; userAgent?: string; method: string; route: string; requestId: string }): Promise<void>;
}
export const REFUSAL_RECORDER = Symbol('REFUSAL_RECORDER');

/** What Nest and Fastify throw of their own, told in the words of the catalogue. */
const CODE_BY_STATUS: Readonly<Record<number, ProblemCode>> = Object.fromEntries(
  ([
    'malformed_request', 'unauthenticated', 'forbidden', 'not_found', 'method_not_allowed', 'payload_too_large',
    'unsupported_media_type', 'validation_failed', 'rate_limited',
  ] as const).map((code) => [PROBLEMS[code].status, code]),
);
const DETAIL: Partial<Record<ProblemCode, string>> = {
  malformed_request: 'The request could not be read.',
  not_found: 'There is nothing at this address.',
  payload_too_large: 'The body is larger than 256 KiB.',
  unsupported_media_type: 'Send the body as application/json in UTF-8, without a content encoding.',
};

/** Writes every failure as a problem, records refusals, and lets a stored answer out where an idempotent call is repeated. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  constructor(
    private readonly routes: RouteTable,
    private readonly limiter: RateLimiter,
    private readonly counter: RefusalCounter,
    @Optional() @Inject(REFUSAL_RECORDER) private readonly refusals?: RefusalRecorder,
  ) {}

  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    if (error instanceof IdempotentReplay) {
      // For a 204 Fastify leaves out body and type by itself.
      await reply.status(error.status).header('idempotency-replayed', 'true').type('application/json; charset=utf-8').send(error.body);
      return;
    }
    const request = http.getRequest<FastifyRequest>();
    const problem = error instanceof NotFoundException ? await this.nothingHere(request) : toProblem(error, this.logger);
    await this.write(problem, request, reply);
  }

  /** The router found nothing: the address is unknown, or it takes other methods. No guard has seen the call, so it is counted here. */
  private async nothingHere({ url, context }: FastifyRequest): Promise<Problem> {
    const allowance = await this.limiter.count('anonymous', context);
    if (allowance?.exceeded) return rateLimited(allowance);
    const headers = allowance ? allowanceHeaders(allowance) : {};
    const methods = this.routes.methodsAt(url)?.join(', ');
    if (!methods) return new Problem('not_found', 'There is nothing at this address.', { headers });
    return new Problem('method_not_allowed', `This address takes ${methods}.`, { headers: { ...headers, allow: methods } });
  }

  private async write(problem: Problem, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    await this.refusals?.record(problem, {
      ip: request.context.ip ?? 'unknown',
      userAgent: request.headers['user-agent'],
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      requestId: request.id,
    });
    await this.counter.count(problem, request.context);
    await reply
      .status(problem.status)
      .headers(problem.headers)
      .type('application/problem+json; charset=utf-8')
      .send(JSON.stringify(problem.toBody(request.id)));
  }
}

/** A problem stays one; a framework's refusal becomes its code; anything else is a bare 500 whose cause goes to the log only. */
export function toProblem(error: unknown, logger: Logger): Problem {
  if (error instanceof Problem) return error;
  const status = error instanceof HttpException ? error.getStatus() : (error as { statusCode?: unknown } | null)?.statusCode;
  const code = typeof status === 'number' && status >= 400 && status < 500 ? (CODE_BY_STATUS[status] ?? 'malformed_request') : undefined;
  if (code) return new Problem(code, DETAIL[code] ?? PROBLEMS[code].title + '.', { cause: error });
  logger.error({ err: error, msg: 'a request failed' });
  return new Problem('internal_error', 'Something went wrong on our side. Tell us the request_id. It is safe to send the same request again, a POST with the same Idempotency-Key.');
}
