import { createHash, createHmac } from 'node:crypto';
import { DemoFailure, note } from './story';

/** An answer as it came over the wire. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** Sends a request to the gateway and reads its JSON. */
export async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init).catch((error: Error) => {
    const reason = (error.cause as Error | undefined)?.message ?? error.message;
    throw new DemoFailure(`${url} does not answer (${reason}). Start the server first: npm start`);
  });
  const text = await response.text();
  try {
    return { status: response.status, headers: response.headers, body: JSON.parse(text) as Record<string, unknown> };
  } catch {
    throw new DemoFailure(`${url} answered ${response.status} and no JSON: ${text.slice(0, 200)}`);
  }
}

/**
 * A merchant's calls, signed as the API asks: HMAC-SHA256 with the signing secret over timestamp, method, path, idempotency key
 * and the SHA-256 of the body. All that a merchant's own program needs.
 */
export class MerchantCalls {
  constructor(
    private readonly url: string,
    private readonly apiKey: string,
    private readonly signingSecret: string,
  ) {}

  /** Reads need the key only. */
  get(path: string, options: { quiet?: boolean } = {}): Promise<Answer> {
    if (!options.quiet) note(`GET ${path}`);
    return send(this.url + path, { headers: { 'x-api-key': this.apiKey } });
  }

  /** Whoever repeats a call with the same idempotency key gets the same answer, and nothing happens twice. */
  post(path: string, body: object, idempotencyKey: string): Promise<Answer> {
    const text = JSON.stringify(body);
    const timestamp = String(Math.floor(Date.now() / 1000));
    const digest = createHash('sha256').update(text).digest('hex');
    const lines = [timestamp, 'POST', path, idempotencyKey, digest].join('\n');
    note(`POST ${path} ${text}`);
    return send(this.url + path, {
      method: 'POST',
      body: text,
      headers: {
        'content-type': 'application/json',
        'x-api-key': this.apiKey,
        'idempotency-key': idempotencyKey,
        'x-timestamp': timestamp,
        'x-signature': `v1=${createHmac('sha256', this.signingSecret).update(lines).digest('hex')}`,
      },
    });
  }
}
