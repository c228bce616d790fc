import { createHmac } from 'node:crypto';
import type { TokensAnswer } from '../src/auth/sessions/open-session';
import { SCOPES } from '../src/platform/http/policy';
import { type DeclaredRoute, PolicyRegistry } from '../src/platform/http/policy-registry';
import { CLIENT_ROLES, type Role, STAFF_ROLES } from '../src/platform/http/roles';
import { newId, type IdPrefix } from '../src/platform/identifiers';
import { Gateway, TEST_SECRETS } from './support/gateway';
import { anotherKey } from './support/keys';
import type { Answer, Merchant } from './support/merchant';
import { callJson, member, openSession, PASSWORD, staff, type TestPerson } from './support/people';

/** What a path's parameter stands for, by the word before it; a new area adds its own. */
const PREFIXES: Readonly<Record<string, IdPrefix>> = {
  payments: 'pay', 'api-keys': 'key', 'webhook-endpoints': 'we', events: 'evt', 'webhook-deliveries': 'del', sessions: 'ses', people: 'usr',
  clients: 'cli', blocks: 'blk', users: 'usr', destinations: 'dst', refunds: 'ref', 'unmatched-deposits': 'dep', withdrawals: 'wd',
  anomalies: 'ano', lists: 'rle', alerts: 'alr', reviews: 'pay',
};
const WORDS: Readonly<Record<string, string>> = { source: 'stripe', action: 'confirm', day: '2026-01-31', name: 'failed_logins', version: '1' };

/** The refusals that tell who may call; any other answer means that the caller was let in. */
const DOORS = new Set([
  'unauthenticated', 'token_expired', 'signature_invalid', 'client_inactive', 'ip_not_allowed', 'scope_missing', 'forbidden', 'two_factor_required',
]);
const IN = 'let in';

type Expected = (route: DeclaredRoute) => string;
interface Caller {
  name: string;
  call(route: DeclaredRoute, path: string): Promise<Answer>;
  expected: Expected;
  /** Where it makes a difference; elsewhere another caller stands for it. Default: everywhere. */
  at?: (route: DeclaredRoute) => boolean;
}

/** The refusal that the handler itself gives once the guards have let the caller in. */
function ownDoor({ policy }: DeclaredRoute): string | undefined {
  // Nobody here has a provider's signature or sends a code.
  if (policy.access === 'provider') return 'signature_invalid';
  return policy.stepUp === 'own' ? 'two_factor_required' : undefined;
}

const isOpen = ({ policy }: DeclaredRoute) => policy.access === 'public' || policy.access === 'provider';
const changes = ({ method }: DeclaredRoute) => method !== 'GET';

describe('every route for every caller', () => {
  let gateway: Gateway;
  let client: Merchant;
  let routes: DeclaredRoute[];
  const callers: Caller[] = [];

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    client = await gateway.merchant({ live: true });
    routes = gateway.app.get(PolicyRegistry).routes;
    callers.push(...(await keyCallers()), ...(await personCallers()), ...(await brokenCallers()));
  }, 60_000);
  afterAll(() => gateway.stop());

  const pathOf = ({ path }: DeclaredRoute) =>
    path.replace(/([\w-]+)\/:(\w+)/g, (_, before: string, name: string) => {
      const filled = WORDS[name] ?? (PREFIXES[before] && newId(PREFIXES[before]));
      if (!filled) throw new Error(`What stands for :${name} in ${path}? Add it to the tables above.`);
      return `${before}/${filled}`;
    });
  const bodyOf = (route: DeclaredRoute) => (route.method === 'GET' || route.method === 'DELETE' ? undefined : {});
  const plain = (headers: Record<string, string>) => (route: DeclaredRoute, path: string) =>
    callJson(gateway.url + path, route.method, bodyOf(route), headers);
  const signed = (key: Merchant) => (route: DeclaredRoute, path: string) =>
    route.method === 'POST' ? key.post(path, bodyOf(route)) : key.call(route.method, path, bodyOf(route));

  /** A key opens routes for keys and nothing else. */
  const keyCaller = (name: string, key: Merchant, onItsRoutes: Expected): Caller => ({
    name,
    call: signed(key),
    expected: (route) => (isOpen(route) ? IN : route.policy.access === 'api_key' ? onItsRoutes(route) : 'unauthenticated'),
  });

  const keyCallers = async (): Promise<Caller[]> => {
    const test = await anotherKey(gateway, client, { livemode: false });
    const revoked = await anotherKey(gateway, client, { livemode: false });
    await gateway.database.rows('update api_keys set revoked_at = now(), revision = revision + 1 where id = $1', [revoked.credentials.keyId]);
    const expired = await anotherKey(gateway, client, { livemode: false, expiresAt: new Date(Date.now() - 1000) });
    const elsewhere = await anotherKey(gateway, client, { livemode: false, allowedIps: ['203.0.113.0/24'] });
    const suspended = await gateway.merchant();
    await gateway.database.rows("update clients set status = 'suspended', revision = revision + 1 where id = $1", [suspended.credentials.clientId]);
    const lacking = await Promise.all(SCOPES.map(async (scope) => {
      const key = await anotherKey(gateway, client, { livemode: false, scopes: SCOPES.filter((other) => other !== scope) });
      const caller = keyCaller(`a key without ${scope}`, key, ({ policy }) => (policy.scope === scope ? 'scope_missing' : IN));
      // Where keys open nothing, the one with all scopes stands for them.
      return { ...caller, at: ({ policy }: DeclaredRoute) => policy.access === 'api_key' };
    }));
    const unsigned = { 'x-api-key': test.credentials.apiKey };
    return [
      { name: 'nobody', call: plain({}), expected: (route) => (isOpen(route) ? IN : 'unauthenticated') },
      keyCaller('a test key', test, () => IN),
      keyCaller('a live key', client, ({ policy }) => (policy.mode === 'test' ? 'not_found' : IN)),
      keyCaller('a revoked key', revoked, () => 'unauthenticated'),
      keyCaller('an expired key', expired, () => 'unauthenticated'),
      keyCaller('a key from elsewhere', elsewhere, () => 'ip_not_allowed'),
      keyCaller("a suspended client's key", suspended, () => 'client_inactive'),
      { ...keyCaller('a key without a signature', test, (route) => (changes(route) ? 'signature_invalid' : IN)), call: plain(unsigned) },
      ...lacking,
    ];
  };

  /** A session of its own, and after each call that has changed something another one: some routes end it. */
  const bearer = (person: TestPerson, clientId: string | null, fresh: boolean) => {
    let tokens: TokensAnswer | undefined;
    return async (route: DeclaredRoute, path: string) => {
      tokens ??= await openSession(gateway, { id: person.id, clientId }, fresh);
      const answer = await person.with({ tokens }).call(route.method, path, bodyOf(route));
      if (changes(route) && answer.status < 400) tokens = undefined;
      return answer;
    };
  };
  const byRole = (role: Role, stale: boolean): Expected => (route) => {
    const { access, roles, stepUp } = route.policy;
    if (isOpen(route)) return IN;
    if (roles ? !roles.includes(role) : access !== 'person') return 'forbidden';
    return stepUp === true && stale ? 'two_factor_required' : IN;
  };

  const personCallers = async (): Promise<Caller[]> => {
    const { clientId } = client.credentials;
    const people: Caller[] = [];
    for (const role of CLIENT_ROLES) {
      const person = await member(gateway, client, role);
      people.push({ name: `a client's ${role}`, call: bearer(person, clientId, false), expected: byRole(role, false) });
      const careful = await member(gateway, client, role, { twoFactor: true });
      people.push({ name: `a client's ${role} whose code is old`, call: bearer(careful, clientId, false), expected: byRole(role, true) });
    }
    const suspended = await gateway.merchant();
    const locked = await member(gateway, suspended, 'owner');
    await gateway.database.rows("update clients set status = 'suspended', revision = revision + 1 where id = $1", [suspended.credentials.clientId]);
    people.push({
      name: "a suspended client's owner",
      call: bearer(locked, suspended.credentials.clientId, false),
      expected: (route) => (isOpen(route) || (route.policy.access === 'person' && !route.policy.roles) ? IN : 'client_inactive'),
    });
    for (const role of STAFF_ROLES) {
      const person = await staff(gateway, role);
      people.push({ name: `staff: ${role}`, call: bearer(person, null, true), expected: byRole(role, false) });
      // Somebody else, because one person's sessions can end each other.
      const stale = await staff(gateway, role);
      people.push({ name: `staff: ${role} whose code is old`, call: bearer(stale, null, false), expected: byRole(role, true) });
      const without = await staff(gateway, role, { twoFactor: false });
      people.push({
        name: `staff: ${role} without a second factor`,
        call: bearer(without, null, false),
        expected: (route) => {
          return isOpen(route) || route.policy.enrolment ? byRole(role, false)(route) : 'two_factor_required';
        },
      });
    }
    return people;
  };

  /** Tokens that must open nothing. */
  const brokenCallers = async (): Promise<Caller[]> => {
    const owner = await member(gateway, client, 'owner');
    const admin = await staff(gateway, 'admin');
    const { body: login } = await callJson<{ ticket: string }>(`${gateway.url}/v1/auth/login`, 'POST', { email: admin.email, password: PASSWORD });
    const revoked = await staff(gateway, 'admin');
    await revoked.post('/v1/auth/logout');
    const claims = JSON.parse(Buffer.from(admin.tokens.access_token.split('.')[1], 'base64url').toString()) as Record<string, unknown>;
    const now = Math.floor(Date.now() / 1000);
    const tokens: [string, string, string][] = [
      ['the ticket of a login', login.ticket, 'unauthenticated'],
      ['a refresh token', owner.tokens.refresh_token, 'unauthenticated'],
      ['a token of an ended session', revoked.tokens.access_token, 'unauthenticated'],
      ['a token that has expired', jwt({ ...claims, iat: now - 1000, exp: now - 100 }), 'token_expired'],
      ['a token for another audience', jwt({ ...claims, aud: 'another-api' }), 'unauthenticated'],
      ['a token of another issuer', jwt({ ...claims, iss: 'https://elsewhere.example' }), 'unauthenticated'],
      ['a token of another type', jwt(claims, { typ: 'JWT' }), 'unauthenticated'],
      ['a token that nobody signed', jwt(claims, { alg: 'none' }), 'unauthenticated'],
      ['a token signed with another secret', jwt(claims, {}, 'another-secret-of-at-least-32-characters'), 'unauthenticated'],
      ["a session with another person's id", jwt({ ...claims, sub: owner.id }), 'unauthenticated'],
      ['words that are no token', 'not.a.token', 'unauthenticated'],
    ];
    const both = { authorization: `Bearer ${admin.tokens.access_token}`, 'x-api-key': client.credentials.apiKey };
    return [
      ...tokens.map(([name, token, code]): Caller => ({
        name,
        call: plain({ authorization: `Bearer ${token}` }),
        expected: (route) => (isOpen(route) ? IN : code),
      })),
      { name: 'a key and a token at once', call: plain(both), expected: (route) => (isOpen(route) ? IN : 'unauthenticated') },
    ];
  };

  /** Written here a second time on purpose, so that a mistake in ours must show (RFC 7515, 3.3). */
  const jwt = (claims: object, header: object = {}, secret = TEST_SECRETS.jwt) => {
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const text = `${encode({ alg: 'HS256', typ: 'at+jwt', ...header })}.${encode(claims)}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };

  it('knows a token of its own making, so that the broken ones are refused for what is broken', async () => {
    const admin = await staff(gateway, 'admin');
    const claims = JSON.parse(Buffer.from(admin.tokens.access_token.split('.')[1], 'base64url').toString()) as object;
    const { status } = await callJson(`${gateway.url}/v1/auth/sessions`, 'GET', undefined, { authorization: `Bearer ${jwt(claims)}` });
    expect(status).toBe(200);
  });

  it('answers as its policy says', async () => {
    expect(routes.length).toBeGreaterThan(40);
    expect(callers.length).toBeGreaterThan(40);
    const wrong: string[] = [];
    let open = 0;
    for (const route of routes) {
      const here = callers.filter(({ at }) => at?.(route) ?? true);
      const answers = await Promise.all(here.map(async (caller) => ({ caller, answer: await caller.call(route, pathOf(route)) })));
      for (const { caller, answer } of answers) {
        const code = String(answer.body?.code ?? answer.status);
        const expected = caller.expected(route);
        const isIn = answer.status !== 500 && (!DOORS.has(code) || ownDoor(route) === code);
        if (isIn) open += 1;
        if (expected === IN ? !isIn : code !== expected) wrong.push(`${caller.name} at ${route.method} ${route.path}: ${code} instead of ${expected}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(open).toBeGreaterThan(routes.length);
  }, 180_000);
});
