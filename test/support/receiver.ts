import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** A request as it arrived. */
export interface Received {
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** An event as a merchant reads it. */
export interface ReceivedEvent {
  type: string;
  timestamp: string;
  data: Record<string, unknown>;
}

type Answer = (response: ServerResponse) => void;

/** A merchant's own server, which takes webhooks and verifies them with the public package. Each path is an endpoint. */
export class Receiver {
  readonly received: Received[] = [];
  private readonly answers = new Map<string, Answer[]>();
  private readonly always = new Map<string, Answer>();
  private readonly waiting = new Set<() => void>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {
    server.on('request', (request, response) => void this.take(request, response));
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Receiver(server, (server.address() as AddressInfo).port);
  }

  url(path: string, host = '127.0.0.1'): string {
    return `http://${host}:${this.port}${path}`;
  }

  /** The next requests at a path are answered like this, one each; after them come 204s again. */
  next(path: string, ...answers: Answer[]): void {
    this.answers.set(path, answers);
  }

  /** Every request at a path is answered like this. */
  from(path: string, answer: Answer): void {
    this.always.set(path, answer);
  }

  at(path: string): Received[] {
    return this.received.filter((request) => request.path === path);
  }

  /** Waits until so many requests have arrived at a path. */
  async arrived(path: string, count: number): Promise<Received[]> {
    while (this.at(path).length < count) await new Promise<void>((resolve) => this.waiting.add(resolve));
    return this.at(path);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? '';
    this.received.push({ path, headers: request.headers as Record<string, string>, body: Buffer.concat(chunks).toString('utf8') });
    (this.answers.get(path)?.shift() ?? this.always.get(path) ?? status(204))(response);
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}

/** Answers with a status, at once. */
export function status(code: number, headers: Record<string, string> = {}, body = ''): Answer {
  return (response) => void response.writeHead(code, headers).end(body);
}

/** Never answers. */
export function hang(): Answer {
  return () => undefined;
}

/** Answers 200 at once and then sends a byte now and then, without end. */
export function drip(): Answer {
  return (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('.'), 100);
    response.on('close', () => clearInterval(timer));
  };
}

/** Verifies a request as a merchant would; throws when it is not genuine. */
export function verified({ body, headers }: Received, secret: string): ReceivedEvent {
  return new Webhook(secret).verify(body, headers) as ReceivedEvent;
}
