import type { LoggerService } from '@nestjs/common';
import pino, { type Logger as Pino } from 'pino';
import type { Settings } from '../config/settings';
import { contextIfAny } from '../http/request-context';
import { maskSecrets } from '../security/crypto/masking';

/**
 * The process's log: JSON lines on standard output, readable lines on a terminal in development. Every object passes the mask
 * before it is written, and control characters are escaped by JSON itself, so that no input can forge a line.
 */
export function createLog(settings: Pick<Settings, 'logLevel' | 'nodeEnv'>): Pino {
  const readable = settings.nodeEnv === 'development' && process.stdout.isTTY;
  return pino({
    level: settings.logLevel,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: (error: Error) => maskSecrets(describeError(error)) },
    ...(readable ? { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', singleLine: true } } } : {}),
  });
}

function describeError(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const { code, detail, constraint } = error as { code?: unknown; detail?: unknown; constraint?: unknown };
  return { name, message, stack, code, detail, constraint, ...(cause instanceof Error ? { cause: describeError(cause) } : {}) };
}

/** Nest tells of every module and route as it starts; of interest to its developers, not to an operator. */
const FRAMEWORK: ReadonlySet<string> = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory', 'NestApplication']);

/** Gives Nest's own messages, and those of `new Logger(…)`, to the same log with the request's id beside them. */
export class NestLog implements LoggerService {
  constructor(private readonly pino: Pino) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write(FRAMEWORK.has(String(rest.at(-1))) ? 'debug' : 'info', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(level: 'info' | 'error' | 'warn' | 'debug' | 'trace' | 'fatal', message: unknown, rest: unknown[]): void {
    const context = rest.length > 0 && typeof rest.at(-1) === 'string' ? { from: rest.at(-1) } : {};
    const fields = { ...context, request_id: contextIfAny()?.requestId };
    if (message instanceof Error) this.pino[level]({ ...fields, err: message }, message.message);
    else if (typeof message === 'object' && message !== null) {
      const { msg, err, ...more } = message as { msg?: string; err?: Error };
      this.pino[level]({ ...fields, ...(maskSecrets(more) as object), ...(err ? { err } : {}) }, msg);
    } else this.pino[level](fields, String(maskSecrets(String(message))));
  }
}
