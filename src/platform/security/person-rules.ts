import type { RoutePolicy } from '../http/policy';
import { Problem } from '../http/problem';
import { type SessionAccess } from '../http/request-context';
import { type Role, STAFF_ROLES } from '../http/roles';

/** Whether a role is of the operator's staff; the others are of a client's people. */
export function isStaff(role: Role): boolean {
  return (STAFF_ROLES as readonly Role[]).includes(role);
}

/** A second factor counts as fresh for so long after it was entered. */
const FRESH_MS = 5 * 60_000;
/** The time is the database's; ours may lag behind it so far. A time that lies further ahead tells of a clock that was set back. */
const CLOCKS_APART_MS = 60_000;

/** Whether the second factor was entered in this session in the last five minutes. */
export function hasFreshFactor(session: SessionAccess | undefined): boolean {
  if (!session?.secondFactorAt) return false;
  const ageMs = Date.now() - session.secondFactorAt.getTime();
  return ageMs < FRESH_MS && ageMs > -CLOCKS_APART_MS;
}

/** Refuses a person whom the policy does not let in: another role, or staff without a second factor. */
export function checkPerson({ access, roles, enrolment }: RoutePolicy, session: SessionAccess): void {
  // Staff move money: without a second factor they can only get one.
  if (isStaff(session.role) && !session.twoFactorEnabled && !enrolment) {
    throw new Problem('two_factor_required', 'Your role needs a second factor. Set one up first: POST /v1/auth/2fa/enroll.');
  }
  if (access === 'person' && !roles) return;
  if (access === 'api_key' && !roles) throw new Problem('forbidden', 'This takes an API key: money moves by key only.');
  if (!roles?.includes(session.role)) throw new Problem('forbidden', `This is not open to the role ${session.role}.`);
}
