import type { Tx } from '../../platform/database/unit-of-work';
import { ValidationProblem } from '../../platform/http/problem';
import { newOpaqueToken } from './opaque-token';

/** What a link that came by mail is good for, and for how many hours. */
export const LINK_HOURS = { registration: 24, email_change: 24, password_reset: 1, invitation: 7 * 24 } as const;
export type LinkPurpose = keyof typeof LINK_HOURS;

export interface NewLink {
  purpose: LinkPurpose;
  personId?: string;
  /** What the link does when it is used; kept as JSON. */
  data?: object;
}

const ISSUE = `
  insert into one_time_tokens (token_hash, purpose, person_id, data, expires_at) values ($1, $2, $3, $4, now() + make_interval(hours => $5))`;
const SPEND = `
  with used as (update one_time_tokens set used_at = now(), data = '{}' where token_hash = $1 and used_at is null and expires_at > now() returning 1)
  select 1 from used`;

/** Makes the token of a link; its text goes into a mail and nowhere else. */
export async function issueLink(tx: Tx, { purpose, personId, data = {} }: NewLink): Promise<string> {
  const { token, hash } = newOpaqueToken('cpgo');
  await tx.query(ISSUE, [hash, purpose, personId ?? null, JSON.stringify(data), LINK_HOURS[purpose]]);
  return token;
}

/** Uses a link up, and forgets what it held, inside the change that it allows. Of many at once one gets through; the others are refused like a used one. */
export async function spendLink(tx: Tx, tokenHash: string): Promise<void> {
  if ((await tx.query(SPEND, [tokenHash])).length === 0) throw deadLink();
}

/** Makes a person's open links of these kinds worthless. */
export async function endLinks(tx: Tx, personId: string, purposes: readonly LinkPurpose[]): Promise<void> {
  await tx.query('update one_time_tokens set used_at = now() where person_id = $1 and purpose = any ($2) and used_at is null', [personId, purposes]);
}

/**
 * 422 for a token that is unknown, used or expired: a field of the request is wrong. A 401 would make programs believe that
 * a session has ended.
 */
export function deadLink(): ValidationProblem {
  return new ValidationProblem([{
    field: 'token', code: 'not_valid', message: 'this link has been used, has expired or is not complete; ask for a new one',
  }]);
}
