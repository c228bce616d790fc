import { setTimeout as pause } from 'node:timers/promises';
import type { TestDatabase } from './database';
import type { Merchant } from './merchant';
import type { Receiver } from './receiver';

/** An endpoint as its creation answers it. */
export interface Endpoint extends Record<string, unknown> {
  id: string;
  url: string;
  secret: string;
}

export interface Attempt {
  attempt: number;
  response_status: number | null;
  error: string | null;
  duration_ms: number | null;
  response_excerpt: string | null;
}

export interface Delivery extends Record<string, unknown> {
  id: string;
  status: string;
  event: string;
  attempt_count: number;
  last_error: string | null;
  next_attempt_at: string | null;
  attempts: Attempt[];
}

export interface Page<T> extends Record<string, unknown> {
  data: T[];
  has_more: boolean;
}

/** Asks again until the answer holds. */
export async function eventually<T>(look: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    await pause(20);
  }
}

export const isDelivered = ({ status }: Delivery): boolean => status === 'delivered';

/** So many attempts were made, and the last one has failed. */
export function hasFailed(times: number): (delivery: Delivery) => boolean {
  return ({ attempts }) => attempts.at(-1)?.attempt === times && attempts.at(-1)?.error !== null;
}

/** A merchant with its receiver, who opens endpoints and watches what is sent to them. */
export class Subscriber {
  private static paths = 0;

  constructor(
    readonly merchant: Merchant,
    private readonly receiver: Receiver,
    private readonly database: TestDatabase,
  ) {}

  /** A path of the receiver that nobody else uses. */
  static newPath(): string {
    Subscriber.paths += 1;
    return `/${Subscriber.paths}`;
  }

  async subscribe(path: string, events: string[] = ['*']): Promise<Endpoint> {
    const { body, status } = await this.merchant.post<Endpoint>('/v1/webhook-endpoints', { url: this.receiver.url(path), events });
    expect(status).toBe(201);
    return body;
  }

  /** Makes a payment, and with it the event `payment.created`; answers its id. */
  async order(body: object = {}): Promise<string> {
    const order = { amount: '25.00', currency: 'USD', method: 'simulated', ...body };
    return (await this.merchant.post<{ id: string }>('/v1/payments', order)).body.id;
  }

  async deliveriesTo(endpoint: { id: string }): Promise<Delivery[]> {
    return (await this.merchant.get<Page<Delivery>>(`/v1/webhook-deliveries?endpoint=${endpoint.id}&limit=100`)).body.data;
  }

  /** The only delivery to an endpoint, with its attempts, once it looks as it should. */
  async delivery(endpoint: { id: string }, holds: (delivery: Delivery) => boolean): Promise<Delivery> {
    return eventually(async () => {
      const deliveries = await this.deliveriesTo(endpoint);
      expect(deliveries).toHaveLength(1);
      return (await this.merchant.get<Delivery>(`/v1/webhook-deliveries/${deliveries[0].id}`)).body;
    }, holds);
  }

  /** Lets the time pass until the next attempt. */
  async comesDue(endpoint: { id: string }): Promise<void> {
    const sql = `update webhook_deliveries set next_attempt_at = now() where endpoint_id = $1 and status = 'pending'`;
    await this.database.rows(sql, [endpoint.id]);
  }

  /** How many milliseconds lie between the end of the last attempt and the next one. */
  waitOf(endpoint: { id: string }): Promise<number> {
    return this.database.value(
      `select extract(epoch from d.next_attempt_at - a.started_at)::float * 1000 - a.duration_ms from webhook_deliveries d
         join webhook_attempts a on a.delivery_id = d.id and a.attempt = d.attempts where d.endpoint_id = $1`,
      [endpoint.id],
    );
  }
}
