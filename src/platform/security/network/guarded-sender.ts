import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { createHostResolver } from './host-resolver';
import {
  allowedAddressesOf, assertUrlShape, hostOf, isAllowedAddress, UrlNotAllowedError, type OutboundPolicy,
} from './outbound-url';
import { deadlineError, toSendError } from './send-error';

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
const CONNECTIONS_PER_ORIGIN = 64;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 4_000;

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
    this.policy = { ...policy, lookup: policy.lookup ?? createHostResolver({ useHostsFile: policy.allowPrivateNetworks }) };
    this.agent = new Agent({
      connections: CONNECTIONS_PER_ORIGIN,
      pipelining: 1,
      // The receiver may not ask for more, or it could hold connections open for minutes.
      keepAliveTimeout: IDLE_TIMEOUT_MS,
      keepAliveMaxTimeout: IDLE_TIMEOUT_MS,
      // The deadline of each request replaces these; they count from the last byte, which a dripping answer resets.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: guardedConnector(this.policy),
    });
  }

  /** Sends one POST. Throws SendError; any answer with a status, also a 500, is returned. */
  async post(request: GuardedRequest): Promise<GuardedResponse> {
    const startedAt = performance.now();
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    // undici heeds the signal only once a connection stands, so the deadline is raced as well. A request that is
    // given up while it waits for a connection is dropped by the signal and never written.
    const deadline = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const error = deadlineError(request.timeoutMs);
        abort.abort(error);
        reject(error);
      }, request.timeoutMs);
    });
    try {
      const answer = await Promise.race([this.exchange(request, abort.signal), deadline]);
      return { ...answer, durationMs: Math.round(performance.now() - startedAt) };
    } catch (error) {
      throw toSendError(error);
    } finally {
      clearTimeout(timer);
    }
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

function guardedConnector(policy: OutboundPolicy): buildConnector.connector {
  const connect = buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    autoSelectFamily: true,
    // Node.js gives the first of several addresses 250 ms, too little for a receiver on another continent.
    autoSelectFamilyAttemptTimeout: 1_000,
    lookup: guardedLookup(policy),
  });
  return (options, callback) => {
    // Node.js does not look up a host that is an IP address already.
    const host = hostOf(options.hostname);
    if (isIP(host) !== 0 && !isAllowedAddress(host, policy)) {
      queueMicrotask(() => callback(new UrlNotAllowedError('address'), null));
    } else {
      connect(options, callback);
    }
  };
}

function guardedLookup(policy: OutboundPolicy): LookupFunction {
  return (hostname, options, callback) => {
    void allowedAddressesOf(hostname, policy).then((addresses) => {
      const found = addresses.map((address) => ({ address, family: isIP(address) }));
      if (options.all) {
        callback(null, found);
      } else {
        callback(null, found[0].address, found[0].family);
      }
    }, (error: NodeJS.ErrnoException) => callback(error, ''));
  };
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
