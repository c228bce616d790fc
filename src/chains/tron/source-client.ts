import { z } from 'zod';
import { SourceError } from './tron-source';

const TIMEOUT_MS = 8_000;
/** A page of 200 transfers has about 100 kB. */
const MAX_ANSWER_BYTES = 5 * 1024 * 1024;

/** Where a source is, and how it is asked. */
export interface SourceOptions {
  /** An http or https address; a path in it is kept, a query is not. */
  baseUrl: string;
  /** Sent as `TRON-PRO-API-KEY`, which TronGrid and TronScan both read. */
  apiKey?: string;
  /** For one request with its answer; 8 seconds unless given. */
  timeoutMs?: number;
}

type Query = Readonly<Record<string, string | number | undefined>>;

/** Asks one source over HTTP and reads its answers by a schema. Its errors name the host and the fault, never the key or the path. */
export class SourceClient {
  readonly name: string;
  private readonly base: string;

  constructor(private readonly options: SourceOptions) {
    const { host, origin, pathname } = new URL(options.baseUrl);
    this.name = host;
    this.base = origin + pathname.replace(/\/+$/, '');
  }

  /** @throws SourceError */
  get<T>(path: string, query: Query, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
    return this.ask(`${path}?${search.toString()}`, { method: 'GET' }, schema, signal);
  }

  /** @throws SourceError */
  post<T>(path: string, body: object, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
    return this.ask(path, { method: 'POST', body: JSON.stringify(body) }, schema, signal);
  }

  /** The error for an answer that arrived and makes no sense. */
  malformed(detail: string): SourceError {
    return new SourceError(this.name, 'malformed', detail);
  }

  private async ask<T>(path: string, init: RequestInit, schema: z.ZodType<T>, given?: AbortSignal): Promise<T> {
    const text = await this.textOf(path, init, given);
    const answer = jsonOf(text);
    if (answer === undefined) throw this.malformed('the answer is not JSON');
    // Both services also answer errors with status 200. Their words are not repeated: they may quote the key.
    if (isError(answer)) throw new SourceError(this.name, 'throttled', 'answered an error instead of data; usually its rate limit');
    const read = schema.safeParse(answer);
    if (read.success) return read.data;
    const where = read.error.issues[0]?.path.map(String).join('.') || 'the whole';
    throw this.malformed(`the answer is not what its documentation promises, at ${where.slice(0, 100)}`);
  }

  private async textOf(path: string, init: RequestInit, given?: AbortSignal): Promise<string> {
    const { apiKey, timeoutMs = TIMEOUT_MS } = this.options;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const headers = new Headers({ accept: 'application/json' });
      if (init.body) headers.set('content-type', 'application/json');
      if (apiKey) headers.set('TRON-PRO-API-KEY', apiKey);
      const signal = given ? AbortSignal.any([given, timeout]) : timeout;
      // Where a redirect leads has no business with the key.
      const response = await fetch(this.base + path, { ...init, headers, redirect: 'manual', signal });
      if (response.ok) return await this.bodyOf(response);
      await response.body?.cancel();
      throw this.refusalOf(response.status);
    } catch (error) {
      if (error instanceof SourceError) throw error;
      const detail = timeout.aborted ? `no answer within ${timeoutMs} ms` : faultOf(error);
      throw new SourceError(this.name, 'unreachable', detail);
    }
  }

  /** The body. Leaving the loop ends the connection when more was to come. */
  private async bodyOf(response: Response): Promise<string> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) throw this.malformed('the answer is too long');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  private refusalOf(status: number): SourceError {
    if (status === 429 || status === 403) return new SourceError(this.name, 'throttled', `refused with status ${status}`);
    if (status === 401) return new SourceError(this.name, 'unreachable', 'refused with status 401; check TRON_API_KEY');
    return new SourceError(this.name, status >= 500 ? 'unreachable' : 'malformed', `answered with status ${status}`);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isError(answer: unknown): boolean {
  const { Error: node, error } = (answer ?? {}) as { Error?: unknown; error?: unknown };
  return typeof node === 'string' || typeof error === 'string';
}

/** fetch says only that it failed; which fault it was is in its cause. Messages are left out: they may quote the address or the key. */
function faultOf(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: string }; name?: string };
  if (cause?.code) return `the connection failed with ${cause.code}`;
  return name === 'AbortError' ? 'the request was given up' : 'the connection failed';
}
