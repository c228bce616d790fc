import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DemoFailure } from './story';

const WAIT_MS = 20_000;

/** An event as it arrived at the merchant. */
export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  event: { type: string; data: { id?: string } };
}

/** The merchant's own web server, where events arrive. */
export class Receiver {
  private readonly received: Received[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        this.received.push({ headers: request.headers, body, event: JSON.parse(body) as Received['event'] });
        response.end();
        this.server.emit('received');
      });
    });
  }

  /** Listens on a free port of this computer. */
  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.server.listen(0, '127.0.0.1');
    await once(receiver.server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/webhooks`;
  }

  /** The event of a type about an object; waits until it arrives. */
  async event(type: string, objectId: string): Promise<Received> {
    const inTime = AbortSignal.timeout(WAIT_MS);
    for (;;) {
      const found = this.received.find(({ event }) => event.type === type && event.data.id === objectId);
      if (found) return found;
      await once(this.server, 'received', { signal: inTime }).catch(() => {
        throw new DemoFailure(`No ${type} arrived at ${this.url} within ${WAIT_MS / 1000} s.`);
      });
    }
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** Checks a Standard Webhooks signature (https://github.com/standard-webhooks/standard-webhooks), as a merchant has to. */
export function isGenuine({ headers, body }: Received, secret: string): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  const expected = createHmac('sha256', key).update(signed).digest();
  const isFresh = Math.abs(Date.now() / 1000 - Number(headers['webhook-timestamp'])) < 300;
  const candidates = String(headers['webhook-signature']).split(' ').map((one) => Buffer.from(one.replace('v1,', ''), 'base64'));
  return isFresh && candidates.some((candidate) => candidate.length === expected.length && timingSafeEqual(candidate, expected));
}
