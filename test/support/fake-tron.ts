import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChainHead } from '../../src/chains/tron/tron-source';
import { FakeTronChain, type FakeTransaction } from './fake-tron-chain';
import { answerOf, type ServerView, type TronDialect } from './fake-tron-dialects';

/** How a server fails instead of answering. A `delay` lasts until the server stops. */
export type TronFault = 'delay' | 'drop' | 'status500' | 'throttle' | 'garbage' | 'error200' | 'redirect' | 'huge';

/** What a server says about a transaction instead of the truth. */
interface Lie {
  /** Of its first transfer. */
  amountMinor?: bigint;
  succeeded?: boolean;
  /** It never heard of it. */
  unknown?: boolean;
}

const FAULTS: Readonly<Record<TronFault, (response: ServerResponse) => void>> = {
  delay: () => undefined,
  drop: (response) => response.destroy(),
  status500: (response) => response.writeHead(500).end('oh no'),
  throttle: (response) => response.writeHead(429).end('{"success":false,"error":"The key exceeds the frequency limit(15)"}'),
  garbage: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>We are moving house.</html>'),
  error200: (response) => response.writeHead(200).end('{"Error":"class java.lang.IllegalAccessException : lack of computing resources"}'),
  redirect: (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
  huge: (response) => response.writeHead(200).end(`{"data":"${'x'.repeat(6 * 1024 * 1024)}"}`),
};

/**
 * TronGrid, TronScan, or both at one address, on this computer: speaks their formats over a chain in memory. Several servers can
 * tell of the same chain, of which one lies, stands still or fails.
 */
export class FakeTron {
  /** How often each path was asked for, without its query. */
  readonly requests = new Map<string, number>();
  /** Every path with its query, in order. */
  readonly asked: string[] = [];
  /** The API keys that were sent. */
  readonly keys = new Set<string>();
  private readonly faults: { mode: TronFault; times: number }[] = [];
  private readonly lies = new Map<string, Lie>();
  private readonly words = new Map<string, unknown>();
  private readonly waiting: { path: string; resolve: () => void }[] = [];
  private frozen?: ChainHead;

  private constructor(
    readonly url: string,
    private readonly server: Server,
    readonly chain: FakeTronChain,
    private readonly dialects: readonly TronDialect[],
  ) {
    server.on('request', (request, response) => void this.take(request, response));
  }

  static async start({ chain = new FakeTronChain(), dialect = 'both' }: { chain?: FakeTronChain; dialect?: TronDialect | 'both' } = {}) {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return new FakeTron(url, server, chain, dialect === 'both' ? ['trongrid', 'tronscan'] : [dialect]);
  }

  /** Fails the next requests, all of them until `heal` unless a number is given. */
  fail({ mode, times = Infinity }: { mode: TronFault; times?: number }): void {
    this.faults.push({ mode, times });
  }

  heal(): void {
    this.faults.length = 0;
  }

  lie(hash: string, lie: Lie): void {
    this.lies.set(hash, lie);
  }

  /** Answers a path with these words from now on, whatever is asked there. */
  say(path: string, body: unknown): void {
    this.words.set(path, body);
  }

  /** Knows no blocks after the newest one of now, whose time is told as given (now). */
  freeze(at = new Date()): void {
    this.frozen = { number: this.chain.head().number, at };
  }

  thaw(): void {
    this.frozen = undefined;
  }

  /** Waits until the next answer to that path is on its way. */
  onceAsked(path: string): Promise<void> {
    return new Promise((resolve) => this.waiting.push({ path, resolve }));
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url!, this.url);
    this.asked.push(request.url!);
    this.requests.set(url.pathname, (this.requests.get(url.pathname) ?? 0) + 1);
    const key = request.headers['tron-pro-api-key'];
    if (typeof key === 'string') this.keys.add(key);

    const fault = this.nextFault();
    if (fault) return void FAULTS[fault](response);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}') as Record<string, unknown>;
    const answers = this.words.has(url.pathname)
      ? [{ status: 200, body: this.words.get(url.pathname) }]
      : this.dialects.map((dialect) => answerOf(dialect, this.view(), { url, body }));
    const answer = answers.find((one) => one !== undefined) ?? { status: 404, body: { message: 'no such route' } };
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    for (const { path, resolve } of this.waiting) if (path === url.pathname) resolve();
  }

  private nextFault(): TronFault | undefined {
    const fault = this.faults[0];
    if (!fault) return undefined;
    fault.times -= 1;
    if (fault.times <= 0) this.faults.shift();
    return fault.mode;
  }

  /** The chain as this server knows it, with its lies. */
  private view(): ServerView {
    const head = () => this.frozen ?? this.chain.head();
    const newest = head().number;
    const seen = (transaction: FakeTransaction | undefined): FakeTransaction[] => {
      if (!transaction || transaction.block > newest) return [];
      const lie = this.lies.get(transaction.hash);
      if (!lie) return [transaction];
      if (lie.unknown) return [];
      const { succeeded, amountMinor } = lie;
      const result = succeeded === undefined ? transaction.result : succeeded ? 'SUCCESS' : 'REVERT';
      const events = transaction.events.map((event, at) => (at === 0 && amountMinor !== undefined ? { ...event, amountMinor } : event));
      return [{ ...transaction, result, events }];
    };
    return {
      head,
      get: (hash) => seen(this.chain.get(hash))[0],
      transactions: () => (this.lies.size === 0 && !this.frozen ? this.chain.transactions() : this.chain.transactions().flatMap(seen)),
    };
  }
}
