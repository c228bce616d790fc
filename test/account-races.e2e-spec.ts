import { randomUUID } from 'node:crypto';
import { PasswordHasher } from '../src/auth/passwords/password-hasher';
import { Problem } from '../src/platform/http/problem';
import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import { Mailbox, tokenIn } from './support/mailbox';
import type { Answer, Merchant } from './support/merchant';
import { BEHIND_PROXY, from, knock, newIp } from './support/outsider';
import { callJson, member, PASSWORD, staff, type TestPerson, totpCode } from './support/people';
import { expectProblem } from './support/problems';

const NEW_PASSWORD = 'grey-heron-fishes-9-ponds';
const WRONG = 'not the password at all';
const newKey = { name: 'made by hand', scopes: ['payments:read'] };

describe('the guards of accounts', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  let mailbox: Mailbox;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { TRUSTED_PROXIES: BEHIND_PROXY.TRUSTED_PROXIES } });
    merchant = await gateway.merchant();
    mailbox = new Mailbox(gateway.settings.dataDir, gateway.database);
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => gateway.stop());

  const post = <Body = Record<string, unknown>>(path: string, body: unknown, headers = from(newIp())) =>
    callJson<Body>(`${gateway.url}/v1/auth/${path}`, 'POST', body, headers);
  const login = (email: string, password: string, headers?: Record<string, string>) => post('login', { email, password }, headers);
  /** The cookie of a device that has just logged in. */
  const deviceOf = async ({ email }: TestPerson) => (await login(email, PASSWORD)).headers.get('set-cookie')!.split(';')[0];
  /** Makes a CAPTCHA necessary at an account, from addresses of its own. */
  const guessAt = async (email: string) => {
    for (let guess = 1; guess <= 3; guess += 1) expectProblem(await login(email, WRONG), 401, 'unauthenticated');
    expectProblem(await login(email, WRONG), 403, 'captcha_required');
  };
  const linkFor = async (email: string) => {
    await post('password/reset', { email });
    return tokenIn((await mailbox.next(email)).text);
  };
  const reset = (token: string) => post('password/reset/confirm', { token, password: NEW_PASSWORD });

  describe('against guessing', () => {
    it('let five codes be tried when a second factor is turned on', async () => {
      const person = await member(gateway, merchant, 'owner');
      const { body } = await person.post<{ secret: string }>('/v1/auth/2fa/enroll');
      const verify = (code: string) => person.post('/v1/auth/2fa/verify', { code });
      for (let guess = 1; guess <= 5; guess += 1) expectProblem(await verify('000000'), 403, 'two_factor_invalid');
      const refused = await verify(await totpCode(body.secret));
      expectProblem(refused, 429, 'rate_limited');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(240);
      expect((await person.get('/v1/auth/2fa/status')).body).toMatchObject({ enabled: false });
    });

    it('let a known device mistake itself four times, whatever strangers do', async () => {
      const person = await member(gateway, merchant, 'owner');
      const headers = { ...from(newIp()), cookie: await deviceOf(person) };
      await guessAt(person.email);
      for (let time = 1; time <= 4; time += 1) expectProblem(await login(person.email, WRONG, headers), 401, 'unauthenticated');
      expect((await login(person.email, PASSWORD, headers)).status).toBe(200);
    });

    it('take a known device for a stranger once five logins from it were wrong', async () => {
      const person = await member(gateway, merchant, 'owner');
      const headers = { ...from(newIp()), cookie: await deviceOf(person) };
      await guessAt(person.email);
      for (let guess = 1; guess <= 5; guess += 1) expectProblem(await login(person.email, WRONG, headers), 401, 'unauthenticated');
      for (const password of [WRONG, PASSWORD]) expectProblem(await login(person.email, password, headers), 403, 'captcha_required');
    });

    it('ask a known device for a CAPTCHA from the sixth wrong login on, also when nobody else has guessed', async () => {
      const person = await member(gateway, merchant, 'owner');
      const headers = { ...from(newIp()), cookie: await deviceOf(person) };
      for (let guess = 1; guess <= 5; guess += 1) expectProblem(await login(person.email, WRONG, headers), 401, 'unauthenticated');
      expectProblem(await login(person.email, WRONG, headers), 403, 'captcha_required');
    });

    it('remember what an address did to others when it logs in at its own account', async () => {
      const { email } = await member(gateway, merchant, 'owner');
      const headers = from(newIp());
      const guess = (victim: string) => login(`${victim}@people.example`, WRONG, headers);
      for (const victim of ['first', 'second']) expectProblem(await guess(victim), 401, 'unauthenticated');
      expect((await login(email, PASSWORD, headers)).status).toBe(200);
      expectProblem(await guess('third'), 401, 'unauthenticated');
      expectProblem(await guess('fourth'), 403, 'captcha_required');
    });

    it('block a whole IPv6 /64 from which logins of staff were tried', async () => {
      const { email } = await staff(gateway, 'approver');
      const at = (address: string, password: string) => login(email, password, from(address));
      for (let guess = 1; guess <= 7; guess += 1) await at(`2001:db8:64:1:${guess}::${guess}`, WRONG);
      expectProblem(await at('2001:db8:64:1:ffff::1', PASSWORD), 403, 'ip_blocked');
      expectProblem(await at('2001:db8:64:2::1', PASSWORD), 403, 'captcha_required');
      const blocked = await gateway.database.rows("select network::text from ip_blocks where network <<= '2001:db8:64::/48'");
      expect(blocked).toEqual([{ network: '2001:db8:64:1::/64' }]);
    });
  });

  describe('when too many sign in at once', () => {
    const turnAway = async (call: () => Promise<Answer>) => {
      const busy = new Problem('rate_limited', 'Too many people are signing in at this moment.', { headers: { 'retry-after': '5' } });
      jest.spyOn(gateway.app.get(PasswordHasher), 'matches').mockRejectedValue(busy);
      for (let time = 1; time <= 6; time += 1) {
        const answer = await call();
        expectProblem(answer, 429, 'rate_limited');
        expect(answer.headers.get('retry-after')).toBe('5');
      }
      jest.restoreAllMocks();
    };

    it('take no login that was not looked at for a wrong one', async () => {
      const { email } = await member(gateway, merchant, 'owner');
      const headers = from(newIp());
      await turnAway(() => login(email, PASSWORD, headers));
      expectProblem(await login(email, WRONG), 401, 'unauthenticated');
      expectProblem(await login('somebody.else@people.example', WRONG, headers), 401, 'unauthenticated');
    });

    it('nor one from a known device', async () => {
      const person = await member(gateway, merchant, 'owner');
      const headers = { ...from(newIp()), cookie: await deviceOf(person) };
      await guessAt(person.email);
      await turnAway(() => login(person.email, PASSWORD, headers));
      expect((await login(person.email, PASSWORD, headers)).status).toBe(200);
    });

    it('nor the password of whoever has signed in', async () => {
      const person = await member(gateway, merchant, 'owner');
      const change = (current: string) =>
        person.post('/v1/auth/password/change', { current_password: current, new_password: NEW_PASSWORD });
      await turnAway(() => change(PASSWORD));
      expectProblem(await change(WRONG), 403, 'forbidden');
    });
  });

  describe('after a change', () => {
    it('know no device any more once the password was reset', async () => {
      const person = await member(gateway, merchant, 'owner');
      const cookie = await deviceOf(person);
      expect((await reset(await linkFor(person.email))).status).toBe(200);
      await guessAt(person.email);
      expectProblem(await login(person.email, NEW_PASSWORD, { ...from(newIp()), cookie }), 403, 'captcha_required');
    });

    it('take no link for a new password that went to an earlier address', async () => {
      const person = await member(gateway, merchant, 'owner');
      const link = await linkFor(person.email);
      await person.post('/v1/auth/email/change', { email: 'moved.away@people.example', current_password: PASSWORD });
      const token = tokenIn((await mailbox.next('moved.away@people.example')).text);
      expect((await post('email/verify', { token })).status).toBe(200);
      expectProblem(await reset(link), 422, 'validation_failed');
      expect((await login('moved.away@people.example', PASSWORD)).status).toBe(200);
    });
  });

  describe('around a request', () => {
    it.each([
      'constructor', '__proto__', 'toString', 'TRUE', 'True', '1', '0', 'true, true',
    ])('refuse %s as X-Livemode', async (livemode) => {
      const person = await member(gateway, await gateway.merchant({ live: true }), 'owner');
      expectProblem(await person.get('/v1/payments', { 'x-livemode': livemode }), 400, 'malformed_request');
    });

    const [v4, v6] = [newIp(), '2001:db8:17:1:'];
    it.each([
      ['an IPv4 address with and without a port',
        [v4, `${v4}:1025`, `${v4}:65535`, `::ffff:${v4}`, `[::ffff:${v4}]:443`, `198.51.100.9, ${v4}:80`]],
      ['the addresses of a household with and without a port', [`${v6}:1`, `[${v6}:2]`, `[${v6}:3]:443`, `${v6}a:b:c:d`]],
      ['what is no address',
        ['unknown', '_hidden', '999.1.1.1', '1.2.3.4.5:80', '1.2.3', '[nobody]:80', '1.2.3.4:port', '198.51.100.9, "none"']],
    ])('count %s as one caller behind a proxy', async (_what, addresses) => {
      const left: number[] = [];
      for (const address of addresses) {
        left.push(Number((await knock(`${gateway.url}/v1/payments`, from(address))).headers.get('x-ratelimit-remaining')));
      }
      expect(left).toEqual(addresses.map((_, at) => left[0] - at));
      expect(left[0]).toBeGreaterThan(50);
    });

    it('show the secret of a new key again to the key that asked for it, and to no other of the client', async () => {
      const client = await gateway.merchant();
      const other = await anotherKey(gateway, client);
      const idempotencyKey = randomUUID();
      const made = await client.post<{ api_key?: string }>('/v1/api-keys', newKey, { idempotencyKey });
      const again = await client.post('/v1/api-keys', newKey, { idempotencyKey });
      expect([made.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 201, 'true']);
      expect(again.text).toBe(made.text);
      expectProblem(await other.post('/v1/api-keys', newKey, { idempotencyKey }), 422, 'idempotency_mismatch');
    });

    it('show the secret of a new key again to the person who asked for it, and to no other', async () => {
      const client = await gateway.merchant();
      const headers = { 'idempotency-key': randomUUID() };
      const [first, other] = [await member(gateway, client, 'owner'), await member(gateway, client, 'owner')];
      const make = (person: TestPerson) => person.post<{ id: string }>('/v1/api-keys', newKey, headers);
      const made = await make(first);
      expect([made.status, (await make(first)).text]).toEqual([201, made.text]);
      const others = await make(other);
      expect([others.status, others.headers.get('idempotency-replayed')]).toEqual([201, null]);
      expect(others.body.id).not.toBe(made.body.id);
    });

    it('count the new keys of a client without those that were refused', async () => {
      const client = await gateway.merchant();
      const viewer = await member(gateway, client, 'viewer');
      const stale = await member(gateway, client, 'owner', { twoFactor: true, fresh: false });
      const reader = await anotherKey(gateway, client, { scopes: ['keys:read'] });
      for (let time = 1; time <= 6; time += 1) {
        expectProblem(await viewer.post('/v1/api-keys', newKey), 403, 'forbidden');
        expectProblem(await stale.post('/v1/api-keys', newKey), 403, 'two_factor_required');
        expectProblem(await reader.post('/v1/api-keys', newKey), 403, 'scope_missing');
      }
      const owner = await member(gateway, client, 'owner');
      for (let time = 1; time <= 5; time += 1) expect((await owner.post('/v1/api-keys', newKey)).status).toBe(201);
      expectProblem(await owner.post('/v1/api-keys', newKey), 429, 'rate_limited');
      expectProblem(await client.post('/v1/api-keys', newKey), 429, 'rate_limited');
    });
  });
});
