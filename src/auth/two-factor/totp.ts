import { generateSecret, generateURI, verify } from 'otplib';

const STEP_SECONDS = 30;
const CODE = /^[0-9]{6}$/;

/** A new secret for an authenticator: 20 random bytes (RFC 4226, R6) in base 32. */
export function newTotpSecret(): string {
  return generateSecret();
}

/**
 * What an authenticator reads from the QR code: `otpauth://totp/<issuer>:<email>?secret=…&issuer=…`. SHA-1, six digits and 30 seconds are
 * the defaults of that form and the only ones that every authenticator follows.
 */
export function otpauthUri(secret: string, email: string, issuer: string): string {
  return generateURI({ issuer, label: email, secret });
}

/**
 * The time step (RFC 6238: whole half minutes since 1970) whose code this is, when it is the present one or a neighbour and later than
 * `afterStep`, the last one that was accepted; else undefined. Never throws: a code of any other form is simply none.
 *
 * Two requests with the same code both get its step here. Only the one that stores it with `where totp_last_step < step` has won.
 */
export async function acceptedStep(
  secret: string,
  code: string,
  afterStep: bigint | number,
  now = new Date(),
): Promise<number | undefined> {
  if (!CODE.test(code)) return undefined;
  try {
    const result = await verify({
      secret,
      token: code,
      epoch: Math.floor(now.getTime() / 1_000),
      epochTolerance: STEP_SECONDS,
      afterTimeStep: Number(afterStep),
    });
    return result.valid && 'timeStep' in result ? result.timeStep : undefined;
  } catch {
    // The library throws for a secret that is none and for a last step beyond the present ones; with either no code is acceptable.
    return undefined;
  }
}
