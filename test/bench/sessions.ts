import { createHmac } from 'node:crypto';
import type { Pool } from 'pg';
import { newId } from '../../src/platform/identifiers';

/** Signed-in people of a client, as many as it takes to stay below the limit for one; answers their access tokens. */
export async function makeSessions(pool: Pool, clientId: string, environment: Record<string, string>, count: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let made = 0; made < count; made += 1) {
    const [personId, sessionId] = [newId('usr'), newId('ses')];
    await pool.query(
      `insert into people (id, client_id, email, role, status, password_hash, referral_code) values ($1, $2, $3, 'viewer', 'active', 'none', $3)`,
      [personId, clientId, `${personId}@bench.example`],
    );
    await pool.query(`insert into sessions (id, person_id, expires_at) values ($1, $2, now() + interval '1 day')`, [sessionId, personId]);
    tokens.push(accessToken({ personId, sessionId }, environment));
  }
  return tokens;
}

function accessToken({ personId, sessionId }: { personId: string; sessionId: string }, environment: Record<string, string>): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: environment.PUBLIC_URL, aud: 'cpgateway-api', sub: personId, sid: sessionId, iat: now, exp: now + 900, jti: newId('req') };
  const text = [{ alg: 'HS256', typ: 'at+jwt' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${createHmac('sha256', environment.JWT_SECRET_KEY).update(text).digest('base64url')}`;
}
