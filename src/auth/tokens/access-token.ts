import { createSecretKey, type KeyObject, randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { errors, jwtVerify, type JWTPayload, SignJWT } from 'jose';
import { SETTINGS, type Settings } from '../../platform/config/settings';

const ALGORITHM = 'HS256';
/** RFC 9068, 2.1: says in the signed header that this is an access token and no other kind of JWT. */
const TYPE = 'at+jwt';
const AUDIENCE = 'cpgateway-api';
const LIFETIME_SECONDS = 15 * 60;
/** Longer texts are not ours; this bounds what a stranger can have hashed. */
const MAX_LENGTH = 2_000;

/** Whom an access token speaks for. */
export interface AccessTokenSubject {
  personId: string;
  sessionId: string;
}

/** What a valid access token says. */
export interface AccessTokenClaims extends AccessTokenSubject {
  expiresAt: Date;
}

/**
 * Issues and reads the access tokens of people: JWTs of RFC 9068 with one algorithm, HS256, for 15 minutes. The newest key of
 * JWT_SECRET_KEY signs, all of them verify. A token tells who somebody is; what they may do is read from their session and role.
 */
@Injectable()
export class AccessTokens {
  private readonly keys: readonly KeyObject[];
  private readonly issuer: string;

  constructor(@Inject(SETTINGS) settings: Settings) {
    // As key objects, because the library then converts each of them once instead of at every request.
    this.keys = settings.jwtSecretKeys.map((key) => createSecretKey(key, 'utf8'));
    this.issuer = settings.tokenIssuer;
  }

  /** A new token for a session; `expiresIn` is in seconds. */
  async issue({ personId, sessionId }: AccessTokenSubject): Promise<{ token: string; expiresIn: number }> {
    const issuedAt = Math.floor(Date.now() / 1_000);
    const token = await new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
      .setIssuer(this.issuer)
      .setAudience(AUDIENCE)
      .setSubject(personId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + LIFETIME_SECONDS)
      .setJti(randomUUID())
      .sign(this.keys[0]!);
    return { token, expiresIn: LIFETIME_SECONDS };
  }

  /**
   * Whom a token speaks for; `'expired'` for one of ours whose time is over; undefined for everything else. Never throws because of the
   * token.
   */
  async verify(token: string): Promise<AccessTokenClaims | 'expired' | undefined> {
    if (token.length > MAX_LENGTH) return undefined;
    for (const key of this.keys) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [ALGORITHM],
          typ: TYPE,
          issuer: this.issuer,
          audience: AUDIENCE,
          requiredClaims: ['exp', 'iat', 'jti', 'sub', 'sid'],
        });
        return claimsOf(payload);
      } catch (error) {
        if (error instanceof errors.JWSSignatureVerificationFailed) continue;
        // The library compares the time last: what has expired was signed by us, for this audience.
        return error instanceof errors.JWTExpired ? 'expired' : undefined;
      }
    }
    return undefined;
  }
}

function claimsOf({ sub, sid, exp }: JWTPayload): AccessTokenClaims | undefined {
  if (typeof sub !== 'string' || typeof sid !== 'string' || typeof exp !== 'number') return undefined;
  return { personId: sub, sessionId: sid, expiresAt: new Date(exp * 1_000) };
}
