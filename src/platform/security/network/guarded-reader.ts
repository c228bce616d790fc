import type { Agent } from 'undici';
import { guardedAgent, withDeadline, withResolver } from './guarded-connection';
import { assertUrlShape, type OutboundPolicy } from './outbound-url';
import { SendError } from './send-error';

/** What is to be read, and how much of it at most. */
export interface GuardedDownload {
  readonly url: string;
  readonly maxBytes: number;
  /** For the whole exchange: name, connection, answer and the end of its body. */
  readonly timeoutMs: number;
}

/** What came back. A 3xx is an answer like any other; it is not followed. */
export interface DownloadedBody {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * Reads from URLs that people enter, under the same guard as GuardedSender: the address is checked as it is connected to, redirects are
 * not followed, one deadline covers everything, and an answer that is larger than allowed is given up where it crosses the limit.
 */
export class GuardedReader {
  private readonly policy: OutboundPolicy;
  private readonly agent: Agent;

  constructor(policy: OutboundPolicy) {
    this.policy = withResolver(policy);
    this.agent = guardedAgent(this.policy);
  }

  /** Sends one GET. Throws SendError; any answer with a status, also a 404, is returned. */
  get(download: GuardedDownload): Promise<DownloadedBody> {
    return withDeadline(download.timeoutMs, (signal) => this.exchange(download, signal));
  }

  /** Ends what is under way and all connections at once. */
  async destroy(): Promise<void> {
    await this.agent.destroy();
  }

  private async exchange({ url: text, maxBytes }: GuardedDownload, signal: AbortSignal): Promise<DownloadedBody> {
    const url = assertUrlShape(text, this.policy);
    const answer = await this.agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      // What is packed could be unpacked to any size.
      headers: { accept: 'text/plain, text/csv, */*;q=0.1', 'accept-encoding': 'identity' },
      signal,
    });
    if (answer.headers['content-encoding'] !== undefined) {
      await answer.body.dump({ limit: 0 });
      throw new SendError('protocol', 'The answer is packed although that was not asked for.');
    }
    return { status: answer.statusCode, body: await readUpTo(maxBytes, answer.body as AsyncIterable<Buffer>) };
  }
}

/** Leaving the loop destroys the body, and the connection with it. */
async function readUpTo(maxBytes: number, body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new SendError('protocol', `The answer is larger than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
