import { randomInt } from 'node:crypto';
import { createChallenge, verifySolution } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import type { UnitOfWork } from '../../platform/database/unit-of-work';
import { hmacSha256 } from '../../platform/security/crypto/digests';
import { type AltchaPayload, altchaPayload, type CaptchaChallenge, type CaptchaCheck, MAX_SOLUTION_BYTES } from './captcha';

/** How much work a challenge is. */
export interface AltchaDifficulty {
  /** PBKDF2 rounds for each try. */
  cost: number;
  /** Tries at most; on average it takes half of them. */
  tries: number;
}

/**
 * On average 1000 tries of 5000 rounds: a bit over a second on one core of a server, and the widget shares them among the cores of a
 * phone. The tries are spread evenly from the first one on, so nobody gains by throwing away challenges that do not yield at once.
 */
export const EVERYDAY_WORK: AltchaDifficulty = { cost: 5_000, tries: 2_000 };

/** For NODE_ENV=test only: the same steps in some milliseconds. */
export const TEST_WORK: AltchaDifficulty = { cost: 1_000, tries: 100 };

const VALID_MS = 5 * 60_000;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Only one of all who come with a nonce gets a row back, on whichever instance they are. */
const USE = 'insert into captcha_uses (nonce, expires_at) values ($1, to_timestamp($2)) on conflict do nothing returning nonce';

interface Secrets {
  hmacSignatureSecret: string;
  hmacKeySignatureSecret: string;
}

/**
 * The built-in CAPTCHA: proof of work by ALTCHA's protocol, without asking any other company. The server signs the challenge and the
 * key that solves it, so that checking a solution is two digests and derives nothing, whatever the solution says.
 */
export class AltchaCaptcha implements CaptchaCheck {
  private readonly secrets: readonly Secrets[];

  /** `roots` are the secrets that the signing secrets are derived from, newest first: the first one signs, all of them verify. */
  constructor(
    private readonly unitOfWork: Pick<UnitOfWork, 'once'>,
    roots: readonly string[],
    private readonly difficulty: AltchaDifficulty,
  ) {
    if (roots.length === 0) throw new Error('A challenge cannot be signed without a secret.');
    this.secrets = roots.map(secretsFrom);
  }

  /** A new challenge, good for five minutes. Costs the server one try. */
  async challenge(): Promise<CaptchaChallenge> {
    const challenge = await createChallenge({
      ...this.secrets[0],
      algorithm: 'PBKDF2/SHA-256',
      cost: this.difficulty.cost,
      counter: randomInt(1, this.difficulty.tries + 1),
      deriveKey,
      expiresAt: new Date(Date.now() + VALID_MS),
    });
    return { provider: 'altcha', ...challenge } as CaptchaChallenge;
  }

  /** Whether this is the solution of a challenge of ours that has not expired, for the first time. Anything else is false. */
  async passes(solution: string): Promise<boolean> {
    const payload = readPayload(solution);
    if (!payload || !(await this.isSolved(payload))) return false;
    const { nonce, expiresAt } = payload.challenge.parameters;
    const used = await this.unitOfWork.once({ name: 'use_captcha', text: USE, values: [nonce, expiresAt] });
    return used.length === 1;
  }

  private async isSolved({ challenge, solution }: AltchaPayload): Promise<boolean> {
    for (const secrets of this.secrets) {
      const { verified } = await verifySolution({ challenge, solution, deriveKey: neverDerive, ...secrets });
      if (verified) return true;
    }
    return false;
  }
}

/** Every challenge of ours has its key signed, so the library never needs to derive it again. */
function neverDerive(): never {
  throw new Error('Checking a solution must not derive a key.');
}

function secretsFrom(root: string): Secrets {
  return {
    hmacSignatureSecret: hmacSha256(root, 'cpgateway captcha: challenge').toString('hex'),
    hmacKeySignatureSecret: hmacSha256(root, 'cpgateway captcha: key').toString('hex'),
  };
}

/** Reads base64 JSON as the widget posts it; undefined for anything that no challenge of ours can have led to. */
function readPayload(text: string): AltchaPayload | undefined {
  if (text.length > MAX_SOLUTION_BYTES || !BASE64.test(text)) return undefined;
  try {
    return altchaPayload.safeParse(JSON.parse(Buffer.from(text, 'base64').toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
