import { Logger } from '@nestjs/common';
import { z } from 'zod';
import type { CaptchaProvider } from '../../platform/config/settings';
import { type CaptchaChallenge, type CaptchaCheck, CaptchaUnavailable, MAX_SOLUTION_BYTES } from './captcha';

export type RemoteProvider = Exclude<CaptchaProvider, 'altcha'>;

/** In what the providers differ; the rest of their protocol is the same. */
interface Protocol {
  url: string;
  /** Sends the site key too, so that a token of another site of the same owner is refused. */
  sendsSiteKey?: boolean;
  /** The score of a person, from 0 to 1, where a version of the provider answers one. */
  minScore?: number;
}

const PROTOCOLS: Readonly<Record<RemoteProvider, Protocol>> = {
  // https://developers.cloudflare.com/turnstile/get-started/server-side-validation/
  turnstile: { url: 'https://challenges.cloudflare.com/turnstile/v0/siteverify' },
  // https://docs.hcaptcha.com/#verify-the-user-response-server-side. Its score, where there is one, runs the other way round.
  hcaptcha: { url: 'https://api.hcaptcha.com/siteverify', sendsSiteKey: true },
  // https://developers.google.com/recaptcha/docs/verify and /v3
  recaptcha: { url: 'https://www.google.com/recaptcha/api/siteverify', minScore: 0.5 },
};

/** What says that the fault is ours or theirs, so that sending another solution would not help. */
const NOT_THE_SOLUTION: ReadonlySet<string> = new Set(['missing-input-secret', 'invalid-input-secret', 'internal-error']);

const TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_AGE_MS = 5 * 60_000;

const verdictSchema = z.object({
  success: z.boolean(),
  'error-codes': z.array(z.string()).nullish(),
  challenge_ts: z.string().nullish().transform((text) => (text ? Date.parse(text) : undefined)).pipe(z.number().optional()),
  hostname: z.string().nullish(),
  score: z.number().nullish(),
});
type Verdict = z.output<typeof verdictSchema>;

export interface RemoteCaptchaOptions {
  provider: RemoteProvider;
  siteKey: string;
  secret: string;
  /** The hosts whose pages show the widget, in lower case. A token that was solved on another host is refused. */
  hostnames: readonly string[];
  /** Where solutions are verified, unless it is the provider's own address. */
  verifyUrl?: string;
  /** For the whole exchange. */
  timeoutMs?: number;
}

/** A CAPTCHA by Cloudflare Turnstile, hCaptcha or Google reCAPTCHA (v2, or v3 with its score). */
export class RemoteCaptcha implements CaptchaCheck {
  private readonly logger = new Logger(RemoteCaptcha.name);
  private readonly protocol: Protocol;

  constructor(private readonly options: RemoteCaptchaOptions) {
    this.protocol = PROTOCOLS[options.provider];
  }

  challenge(): Promise<CaptchaChallenge> {
    return Promise.resolve({ provider: this.options.provider, site_key: this.options.siteKey });
  }

  /**
   * Asks the provider, which accepts a token once. A token from another host, one solved more than five minutes ago, and the score
   * of a program are refused as well.
   * @throws CaptchaUnavailable when there is no answer within five seconds, or none that makes sense
   */
  async passes(solution: string, ip: string | undefined): Promise<boolean> {
    if (solution === '' || Buffer.byteLength(solution) > MAX_SOLUTION_BYTES) return false;
    const verdict = await this.ask(this.form(solution, ip));
    if (!verdict.success) return this.refused(verdict['error-codes'] ?? []);
    return this.isOurHost(verdict) && isFresh(verdict) && isPerson(verdict, this.protocol.minScore);
  }

  private form(solution: string, ip: string | undefined): URLSearchParams {
    const form = new URLSearchParams({ secret: this.options.secret, response: solution });
    if (ip !== undefined) form.set('remoteip', ip);
    if (this.protocol.sendsSiteKey) form.set('sitekey', this.options.siteKey);
    return form;
  }

  private async ask(form: URLSearchParams): Promise<Verdict> {
    const { provider, verifyUrl = this.protocol.url, timeoutMs = TIMEOUT_MS } = this.options;
    try {
      // Where a redirect leads has no business with the secret.
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await fetch(verifyUrl, { method: 'POST', body: form, redirect: 'error', signal });
      const verdict = verdictSchema.parse(JSON.parse(await textOf(response)));
      // Some refusals come with a status of 400. Success comes with 200 only.
      if (verdict.success && !response.ok) throw new Error(`success with status ${response.status}`);
      return verdict;
    } catch (error) {
      throw new CaptchaUnavailable(`${provider} did not verify a solution: ${reasonOf(error)}.`, error);
    }
  }

  private refused(codes: readonly string[]): false {
    const { provider } = this.options;
    const fault = codes.find((code) => NOT_THE_SOLUTION.has(code));
    if (fault !== undefined) {
      throw new CaptchaUnavailable(`${provider} answered ${fault}.${fault.endsWith('secret') ? ' Check CAPTCHA_SECRET.' : ''}`);
    }
    // Anybody can send the token of another site; when everybody seems to, the settings are wrong.
    if (codes.includes('sitekey-secret-mismatch')) {
      this.logger.warn(`${provider} was sent the token of another site. If nobody passes, check CAPTCHA_SITE_KEY and CAPTCHA_SECRET.`);
    }
    return false;
  }

  private isOurHost({ hostname }: Verdict): boolean {
    if (hostname === undefined || hostname === null || this.options.hostnames.includes(hostname.toLowerCase())) return true;
    const where = JSON.stringify(hostname.slice(0, 253));
    this.logger.warn(`A CAPTCHA was solved on the host ${where}, which is neither that of PUBLIC_URL nor in FRONTEND_ORIGIN.`);
    return false;
  }
}

function isFresh({ challenge_ts: solvedAt }: Verdict): boolean {
  return solvedAt === undefined || Date.now() - solvedAt <= MAX_AGE_MS;
}

function isPerson({ score }: Verdict, minScore: number | undefined): boolean {
  return minScore === undefined || score === undefined || score === null || score >= minScore;
}

/** fetch says only that it failed; why is in its cause. The text of an answer is never repeated. */
function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError || error instanceof z.ZodError) return 'the answer was not what its documentation promises';
  const { message, cause } = error as { message: string; cause?: { message?: string; code?: string } };
  return cause?.code ?? cause?.message ?? message;
}

/** The answer's text. Leaving the loop ends the connection when more was to come. */
async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer was too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
