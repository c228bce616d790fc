import type { Agent, Dispatcher } from 'undici';
import { guardedAgent, withDeadline, withResolver } from './guarded-connection';
import { assertUrlShape, type OutboundPolicy } from './outbound-url';

/** One request to an address that somebody outside the application chose. */
export interface GuardedRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** For the whole exchange: name, connection, answer and the end of its body. */
  readonly timeoutMs: number;
}

/** What came back. A 3xx is an answer like any other; it is not followed. */
export interface GuardedResponse {
  readonly status: number;
  /** Names in lower case; a header that came several times has its values joined by a comma. */
  readonly headers: Record<string, string>;
  /** The first 4 KiB of the body as text that any database column takes. */
  readonly bodyExcerpt: string;
  readonly durationMs: number;
}

const EXCERPT_BYTES = 4096;
/**
 * Sends requests to URLs that merchants and operators enter, without letting them reach into our own network.
 * The address is checked inside the connection set-up, on the very address that the socket connects to, so that a DNS
 * answer that changes after the URL was saved gains nothing. Redirects are not followed, the answer is read to 4 KiB
 * and cut, and one deadline covers everything.
 */
export class GuardedSender {
  private readonly policy: OutboundPolicy;
  private readonly agent: Agent;

  constructor(policy: OutboundPolicy) {
    this.policy = withResolver(policy);
    this.agent = guardedAgent(this.policy);
  }

  /** Sends one POST. Throws SendError; any answer with a status, also a 500, is returned. */
  async post(request: GuardedRequest): Promise<GuardedResponse> {
    const startedAt = performance.now();
    const answer = await withDeadline(request.timeoutMs, (signal) => this.exchange(request, signal));
    return { ...answer, durationMs: Math.round(performance.now() - startedAt) };
  }

  /** Ends the requests under way and all connections at once. */
  async destroy(): Promise<void> {
    await this.agent.destroy();
  }

  /** Waits for the requests under way, each of which has a deadline, and closes all connections. */
  async close(): Promise<void> {
    await this.agent.close();
  }

  private async exchange(request: GuardedRequest, signal: AbortSignal): Promise<Omit<GuardedResponse, 'durationMs'>> {
    const url = assertUrlShape(request.url, this.policy);
    const { statusCode, headers, body } = await this.agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'POST',
      headers: { ...request.headers },
      body: request.body,
      signal,
    });
    return { status: statusCode, headers: flatten(headers), bodyExcerpt: await excerptOf(body) };
  }
}

function flatten(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const entries = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)]));
}

/** Leaving the loop destroys the body and, when more was to come, the connection with it. */
async function excerptOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= EXCERPT_BYTES) {
      break;
    }
  }
  // PostgreSQL refuses NUL in text.
  return Buffer.concat(chunks).subarray(0, EXCERPT_BYTES).toString('utf8').replaceAll('\0', '\uFFFD');
}
