import { type Challenge, solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2';

/** Fetches a challenge from a gateway and solves it with the means of a browser; answers what ALTCHA's widget would put into the form. */
export async function solveCaptcha(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/auth/captcha`);
  if (!response.ok) throw new Error(`GET /v1/auth/captcha answered ${response.status}: ${await response.text()}`);
  return solveAltcha((await response.json()) as Challenge);
}

/** Solves a challenge that was fetched already. */
export async function solveAltcha({ parameters, signature }: Challenge): Promise<string> {
  const challenge = { parameters, signature };
  const solution = await solveChallenge({ challenge, deriveKey });
  if (!solution) throw new Error('The challenge was not solved in time.');
  return Buffer.from(JSON.stringify({ challenge, solution })).toString('base64');
}
