import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RemoteProvider } from '../../src/auth/captcha/remote-captcha';

type Answer = (response: ServerResponse) => void;
type Reply = Record<string, unknown>;

/** A site as its owner has registered it with a provider. */
export const CAPTCHA_SITE = { siteKey: 'site-key-of-the-shop', secret: 'secret-of-the-shop', hostname: 'shop.example' };

/** What a person who solves the widget gets; `solvedAt` and the others are what the provider will say about it. */
interface Token {
  provider: RemoteProvider;
  siteKey: string;
  hostname: string;
  solvedAt: Date;
  /** reCAPTCHA v3 only. */
  score?: number;
  used: boolean;
}

/** How each of them differs from the others in what it answers. */
interface Habits {
  path: string;
  validMs: number;
  /** What it says to a token that was used, or is too old. */
  spent: string;
  /** What it adds to a success, and to a refusal. */
  extras: (token: Token) => Reply;
  refusalExtras?: Reply;
}

const HABITS: Readonly<Record<RemoteProvider, Habits>> = {
  turnstile: {
    path: '/turnstile/v0/siteverify',
    validMs: 300_000,
    spent: 'timeout-or-duplicate',
    extras: () => ({ 'error-codes': [], action: '', cdata: '', metadata: { interactive: false } }),
    refusalExtras: { messages: [] },
  },
  hcaptcha: { path: '/siteverify', validMs: 120_000, spent: 'invalid-or-already-seen-response', extras: () => ({ credit: false }) },
  recaptcha: {
    path: '/recaptcha/api/siteverify',
    validMs: 120_000,
    spent: 'timeout-or-duplicate',
    extras: ({ score }) => (score === undefined ? {} : { score, action: 'submit' }),
  },
};

/**
 * Turnstile, hCaptcha and reCAPTCHA on this computer: verifies tokens as the real ones do, each once, and answers with their
 * error codes. `misbehave` makes the next answer something else.
 */
export class CaptchaProviders {
  /** The forms that arrived, in order. */
  readonly received: Record<string, string>[] = [];
  private readonly tokens = new Map<string, Token>();
  private readonly misbehaviour: Answer[] = [];

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => void this.take(request, response));
  }

  static async start(): Promise<CaptchaProviders> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CaptchaProviders(server);
  }

  /** Where a provider verifies. */
  url(provider: RemoteProvider): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${HABITS[provider].path}`;
  }

  /** A token as the widget hands it to a page of the site whose visitor has solved it. */
  solve(provider: RemoteProvider, about: Partial<Omit<Token, 'provider' | 'used'>> = {}): string {
    const token = `${provider}.${randomUUID()}`;
    this.tokens.set(token, { ...CAPTCHA_SITE, solvedAt: new Date(), ...about, provider, used: false });
    return token;
  }

  /** The next request is answered like this, whatever it asks. */
  misbehave(answer: Answer): void {
    this.misbehaviour.push(answer);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
    this.received.push(form);
    const misbehaviour = this.misbehaviour.shift();
    if (misbehaviour) return misbehaviour(response);

    const provider = (Object.keys(HABITS) as RemoteProvider[]).find((name) => HABITS[name].path === request.url);
    if (!provider) return void response.writeHead(404).end();
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
    this.reply(response, provider, isForm ? this.verify(provider, form) : 'bad-request');
  }

  /** The token that is good, or the code of what is wrong. */
  private verify(provider: RemoteProvider, { secret, response, sitekey }: Record<string, string>): Token | string {
    if (!secret) return 'missing-input-secret';
    if (secret !== CAPTCHA_SITE.secret) return 'invalid-input-secret';
    if (!response) return 'missing-input-response';
    const token = this.tokens.get(response);
    // Only hCaptcha is told which site is meant; to the others the secret says it.
    const site = token?.siteKey ?? CAPTCHA_SITE.siteKey;
    if (provider === 'hcaptcha' && sitekey !== undefined && sitekey !== site) return 'sitekey-secret-mismatch';
    if (token?.provider !== provider || token.siteKey !== CAPTCHA_SITE.siteKey) return 'invalid-input-response';
    if (token.used || Date.now() - token.solvedAt.getTime() > HABITS[provider].validMs) return HABITS[provider].spent;
    token.used = true;
    return token;
  }

  private reply(response: ServerResponse, provider: RemoteProvider, outcome: Token | string): void {
    const { extras, refusalExtras } = HABITS[provider];
    const body: Reply = typeof outcome === 'string'
      ? { success: false, 'error-codes': [outcome], ...refusalExtras }
      : { success: true, challenge_ts: outcome.solvedAt.toISOString(), hostname: outcome.hostname, ...extras(outcome) };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }
}

/** A whole answer, of any status and content. */
export function answered(status: number, body: string | Reply, headers: Record<string, string> = {}): Answer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return (response) => void response.writeHead(status, headers).end(text);
}

/** An answer that never comes. */
export function hanging(): Answer {
  return () => undefined;
}

/** A body that begins in time and never ends. */
export function dripping(): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  };
}

/** A connection that is cut instead of an answer. */
export function cut(): Answer {
  return (response) => void response.destroy();
}
