import { createHash, createHmac, randomUUID } from 'node:crypto';
import { parsed, send, type Sent } from './send';

/** What a merchant was given when its client was made. */
export interface Credentials {
  clientId: string;
  keyId: string;
  apiKey: string;
  signingSecret: string;
}

/** An answer as it came over the wire. */
export interface Answer<Body = Record<string, unknown>> extends Sent {
  body: Body;
}

export interface CallOptions {
  idempotencyKey?: string;
  headers?: Record<string, string>;
  /** Sent as it is instead of the body's JSON. */
  raw?: string;
  timestamp?: number;
  /** Changes the signed headers after signing, as an attacker on the way would. */
  tamper?: (headers: Record<string, string>) => void;
}

/** The signature that the contract asks of merchants, written here a second time on purpose: a mistake in ours must show. */
export function signatureOf(secret: string, lines: { timestamp: string; method: string; path: string; idempotencyKey: string; body: string }): string {
  const digest = createHash('sha256').update(lines.body).digest('hex');
  const text = [lines.timestamp, lines.method, lines.path, lines.idempotencyKey, digest].join('\n');
  return `v1=${createHmac('sha256', secret).update(text).digest('hex')}`;
}

/** A merchant's own server: calls the gateway over HTTP with real signatures. */
export class Merchant {
  constructor(
    private readonly url: string,
    readonly credentials: Credentials,
  ) {}

  /** The same merchant at another instance, or with another key. */
  with(change: { url?: string; credentials?: Partial<Credentials> }): Merchant {
    return new Merchant(change.url ?? this.url, { ...this.credentials, ...change.credentials });
  }

  get<Body = Record<string, unknown>>(path: string, options: CallOptions = {}): Promise<Answer<Body>> {
    return this.call('GET', path, undefined, options);
  }

  post<Body = Record<string, unknown>>(path: string, body?: unknown, options: CallOptions = {}): Promise<Answer<Body>> {
    return this.call('POST', path, body, { idempotencyKey: randomUUID(), ...options });
  }

  async call<Body = Record<string, unknown>>(method: string, path: string, body: unknown, options: CallOptions = {}): Promise<Answer<Body>> {
    const text = options.raw ?? (body === undefined ? '' : JSON.stringify(body));
    const idempotencyKey = options.idempotencyKey ?? '';
    const headers: Record<string, string> = { 'x-api-key': this.credentials.apiKey };
    if (text) headers['content-type'] = 'application/json';
    if (idempotencyKey) headers['idempotency-key'] = idempotencyKey;
    if (method !== 'GET') {
      const timestamp = String(options.timestamp ?? Math.floor(Date.now() / 1000));
      headers['x-timestamp'] = timestamp;
      headers['x-signature'] = signatureOf(this.credentials.signingSecret, { timestamp, method, path, idempotencyKey, body: text });
    }
    Object.assign(headers, options.headers);
    options.tamper?.(headers);
    const answer = await send(this.url + path, { method, headers, body: text || undefined });
    return { ...answer, body: parsed(answer.text) as Body };
  }
}
