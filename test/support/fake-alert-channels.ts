import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

/** What the next request meets instead of the provider's own answer. */
export type Trouble = 'hang' | 'drop' | 'slow_down' | number;

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body: string;
}

/** A request as it arrived. */
export interface Arrived {
  path: string;
  headers: Record<string, string>;
  /** As it was sent, for those who verify a signature. */
  raw: string;
  body: Record<string, unknown>;
  atMs: number;
  answered: number | 'hang' | 'drop';
}

/** Longer than the gateway would wait by itself. */
export const RETRY_AFTER_SECONDS = 4;

/** A provider on this computer: answers as the real one does, and misbehaves when told to. */
abstract class FakeChannel {
  readonly arrived: Arrived[] = [];
  /** One for each of the next requests; later ones are answered as usual. */
  readonly troubles: Trouble[] = [];
  private readonly server: Server = createServer((request, response) => void this.take(request, response));

  async start(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Those that were taken, in order. */
  get taken(): Arrived[] {
    return this.arrived.filter(({ answered }) => typeof answered === 'number' && answered < 300);
  }

  reset(): void {
    this.arrived.length = 0;
    this.troubles.length = 0;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** What the provider says to a request when nothing is the matter. */
  protected abstract judge(path: string, body: Record<string, unknown> | undefined): Answer;
  /** How it asks for a pause. */
  protected abstract slowDown(): Answer;

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks).toString('utf8');
    const body = parsed(raw);
    const trouble = this.troubles.shift();
    const answer = this.answerTo(trouble, request.url ?? '', body);
    this.arrived.push({
      path: request.url ?? '', headers: request.headers as Record<string, string>, raw, body: body ?? {}, atMs: performance.now(),
      answered: answer?.status ?? (trouble as 'hang' | 'drop'),
    });
    if (trouble === 'drop') request.socket.destroy();
    if (answer) response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  private answerTo(trouble: Trouble | undefined, path: string, body: Record<string, unknown> | undefined): Answer | undefined {
    if (trouble === 'hang' || trouble === 'drop') return undefined;
    if (trouble === 'slow_down') return this.slowDown();
    return typeof trouble === 'number' ? { status: trouble, body: 'upstream trouble' } : this.judge(path, body);
  }
}

function parsed(raw: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(raw) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Incoming webhooks as https://api.slack.com/messaging/webhooks#handling_errors has them. */
export class FakeSlack extends FakeChannel {
  readonly path = '/services/T00000000/B00000000/slack-secret-of-the-hook';

  protected judge(path: string, body: Record<string, unknown> | undefined): Answer {
    if (path !== this.path) return { status: 404, body: 'no_service' };
    if (!body) return { status: 400, body: 'invalid_payload' };
    const { text } = body;
    if (typeof text !== 'string' || text === '') return { status: 400, body: 'no_text' };
    return text.length > 40_000 ? { status: 400, body: 'msg_too_long' } : { status: 200, body: 'ok' };
  }

  protected slowDown(): Answer {
    return { status: 429, headers: { 'retry-after': String(RETRY_AFTER_SECONDS) }, body: 'rate_limited' };
  }
}

const pagerDutyEvent = z.discriminatedUnion('event_action', [
  z.strictObject({
    routing_key: z.string(), event_action: z.literal('trigger'), dedup_key: z.string().max(255), client: z.string(), client_url: z.url(),
    payload: z.strictObject({
      summary: z.string().min(1).max(1024), source: z.string().min(1), severity: z.enum(['critical', 'error', 'warning', 'info']),
      timestamp: z.iso.datetime(), component: z.string(), group: z.string(), class: z.string(), custom_details: z.record(z.string(), z.unknown()),
    }),
  }),
  z.strictObject({ routing_key: z.string(), event_action: z.enum(['acknowledge', 'resolve']), dedup_key: z.string().max(255) }),
]);

/** Events API v2 (https://developer.pagerduty.com/docs/send-alert-event). Incidents are by their key. */
export class FakePagerDuty extends FakeChannel {
  readonly key = 'R0123456789ABCDEFGHIJKLMNOPQRSTU';
  readonly incidents = new Map<string, 'triggered' | 'acknowledged' | 'resolved'>();

  protected judge(path: string, body: Record<string, unknown> | undefined): Answer {
    const event = pagerDutyEvent.safeParse(body);
    if (path !== '/v2/enqueue') return { status: 404, body: '' };
    if (!event.success) return this.invalid(z.prettifyError(event.error));
    const { routing_key: key, event_action: action, dedup_key: dedup } = event.data;
    if (key !== this.key) return this.invalid("'routing_key' is invalid");
    const states = { trigger: 'triggered', acknowledge: 'acknowledged', resolve: 'resolved' } as const;
    this.incidents.set(dedup, states[action]);
    return { status: 202, body: JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: dedup }) };
  }

  protected slowDown(): Answer {
    return { status: 429, body: JSON.stringify({ status: 'throttle exceeded', message: 'Requests for this service are arriving too quickly.' }) };
  }

  private invalid(why: string): Answer {
    return { status: 400, body: JSON.stringify({ status: 'invalid event', message: 'Event object is invalid', errors: [why] }) };
  }
}

/** The Bot API's sendMessage (https://core.telegram.org/bots/api#making-requests). */
export class FakeTelegram extends FakeChannel {
  readonly token = '123456789:telegram-secret-of-the-bot';
  readonly chatId = '-1001234567890';

  protected judge(path: string, body: Record<string, unknown> | undefined): Answer {
    if (path !== `/bot${this.token}/sendMessage`) return this.error(401, 'Unauthorized');
    const { chat_id: chat, text } = body ?? {};
    if (typeof text !== 'string' || text === '') return this.error(400, 'Bad Request: message text is empty');
    if (text.length > 4096) return this.error(400, 'Bad Request: message is too long');
    if (chat !== Number(this.chatId)) return this.error(400, 'Bad Request: chat not found');
    const result = { message_id: this.arrived.length + 1, date: Math.floor(Date.now() / 1000), chat: { id: chat, type: 'supergroup' }, text };
    return { status: 200, body: JSON.stringify({ ok: true, result }) };
  }

  protected slowDown(): Answer {
    return this.error(429, `Too Many Requests: retry after ${RETRY_AFTER_SECONDS}`, { parameters: { retry_after: RETRY_AFTER_SECONDS } });
  }

  private error(code: number, description: string, more: object = {}): Answer {
    return { status: code, body: JSON.stringify({ ok: false, error_code: code, description, ...more }) };
  }
}

/** The operator's own receiver. */
export class FakeAlertReceiver extends FakeChannel {
  readonly path = '/hooks/alerts?tenant=receiver-secret';

  protected judge(path: string): Answer {
    return path === this.path ? { status: 204, body: '' } : { status: 404, body: '' };
  }

  protected slowDown(): Answer {
    return { status: 429, headers: { 'retry-after': String(RETRY_AFTER_SECONDS) }, body: '' };
  }
}
