import { hashTogether } from './support/cheap-hashes';
import { Gateway } from './support/gateway';
import { Mailbox, tokenIn } from './support/mailbox';
import type { Merchant } from './support/merchant';
import { BEHIND_PROXY, from, newIp } from './support/outsider';
import { callJson, member, openSession, PASSWORD, staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';

const NEW_PASSWORD = 'grey-heron-fishes-9-ponds';
const WRONG = 'not the password at all';

describe('passwords', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  let mailbox: Mailbox;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { TRUSTED_PROXIES: BEHIND_PROXY.TRUSTED_PROXIES } });
    merchant = await gateway.merchant();
    mailbox = new Mailbox(gateway.settings.dataDir, gateway.database);
  });
  afterAll(() => gateway.stop());

  const post = <Body = Record<string, unknown>>(path: string, body: unknown, headers = from(newIp())) =>
    callJson<Body>(`${gateway.url}/v1/auth/${path}`, 'POST', body, headers);
  const ask = (email: string, headers?: Record<string, string>) => post('password/reset', { email }, headers);
  const confirm = (token: string, more: object = {}) => post('password/reset/confirm', { token, password: NEW_PASSWORD, ...more });
  const login = async (email: string, password: string) => (await post('login', { email, password })).status;
  const linkFor = async (email: string) => {
    await ask(email);
    return tokenIn((await mailbox.next(email)).text);
  };
  const another = (person: TestPerson) =>
    openSession(gateway, { id: person.id, clientId: merchant.credentials.clientId }, false).then((tokens) => person.with({ tokens }));
  const kindsOf = (id: string) =>
    gateway.database.value<string[]>('select array_agg(kind::text order by id) from audit_events where object_id = $1', [id]);

  describe('a reset', () => {
    it('sets the password, ends all sessions and tells the person', async () => {
      const person = await member(gateway, merchant, 'owner');
      const token = await linkFor(person.email);
      const answer = await confirm(token);
      expect([answer.status, answer.body]).toEqual([200, { status: 'changed' }]);
      expect((await mailbox.next(person.email)).subject).toBe('Your password was changed');
      expectProblem(await person.get('/v1/auth/me'), 401, 'unauthenticated');
      expectProblem(await post('refresh', { refresh_token: person.tokens.refresh_token }), 401, 'unauthenticated');
      expect([await login(person.email, PASSWORD), await login(person.email, NEW_PASSWORD)]).toEqual([401, 200]);
      expect(await kindsOf(person.id)).toEqual(['password.reset']);
      expectProblem(await confirm(token), 422, 'validation_failed');
    });

    it('answers alike whoever has the address, and sends nothing to who has none', async () => {
      const { email } = await member(gateway, merchant, 'viewer');
      const [known, unknown] = [await ask(email.toUpperCase()), await ask('nobody@people.example')];
      expect([known.status, known.body]).toEqual([202, { status: 'accepted' }]);
      expect([unknown.status, unknown.body]).toEqual([known.status, known.body]);
      await mailbox.next(email);
      await mailbox.none('nobody@people.example');
    });

    it('sends three links an hour to an account and goes on answering alike', async () => {
      const { email } = await member(gateway, merchant, 'viewer');
      for (let time = 1; time <= 5; time += 1) expect((await ask(email)).body).toEqual({ status: 'accepted' });
      for (let time = 1; time <= 3; time += 1) await mailbox.next(email);
      await mailbox.none(email);
    });

    it('is asked for ten times an hour from one address', async () => {
      const headers = from(newIp());
      for (let time = 1; time <= 10; time += 1) expect((await ask(`somebody${time}@people.example`, headers)).status).toBe(202);
      expectProblem(await ask('somebody@people.example', headers), 429, 'rate_limited');
    });

    it('takes a link once, however many use it at once', async () => {
      const person = await member(gateway, merchant, 'owner');
      const token = await linkFor(person.email);
      hashTogether(gateway.app, 8);
      const statuses = (await Promise.all(Array.from({ length: 8 }, () => confirm(token)))).map(({ status }) => status).sort();
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(statuses.filter((status) => ![200, 422].includes(status))).toEqual([]);
      expect(await kindsOf(person.id)).toEqual(['password.reset']);
    });

    it('makes the other links worthless', async () => {
      const person = await member(gateway, merchant, 'owner');
      const [first, second] = [await linkFor(person.email), await linkFor(person.email)];
      expect((await confirm(second)).status).toBe(200);
      expectProblem(await confirm(first), 422, 'validation_failed');
    });

    it('asks for the second factor too, and a wrong code leaves the link good', async () => {
      const person = await staff(gateway, 'approver');
      const token = await linkFor(person.email);
      expectProblem(await confirm(token), 403, 'two_factor_required');
      expectProblem(await confirm(token, { code: '000000' }), 403, 'two_factor_invalid');
      expectProblem(await confirm(token, { code: 'k7mp-2xqd-9hwt-c4vz' }), 403, 'two_factor_invalid');
      expect(await login(person.email, PASSWORD)).toBe(200);
      const code = await person.code();
      hashTogether(gateway.app, 3);
      const statuses = (await Promise.all(Array.from({ length: 3 }, () => confirm(token, { code })))).map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expectProblem(await person.get('/v1/auth/me'), 401, 'unauthenticated');
    });

    it('limits guessing at the code by person', async () => {
      const person = await staff(gateway, 'analyst');
      const token = await linkFor(person.email);
      for (let time = 1; time <= 5; time += 1) expectProblem(await confirm(token, { code: '000000' }), 403, 'two_factor_invalid');
      expectProblem(await confirm(token, { code: await person.code() }), 429, 'rate_limited');
    });

    it('refuses weak passwords, links of another kind and fields that are none', async () => {
      const person = await member(gateway, merchant, 'owner');
      const token = await linkFor(person.email);
      const weak = await confirm(token, { password: 'password1234' });
      expectProblem(weak, 422, 'validation_failed');
      expect(weak.body.errors).toMatchObject([{ field: 'password', code: 'too_weak' }]);
      expectProblem(await confirm(token, { password: 'x'.repeat(73) }), 422, 'validation_failed');
      expectProblem(await confirm(token, { role: 'admin' }), 422, 'validation_failed');
      expectProblem(await post('email/verify', { token }), 422, 'validation_failed');
      expectProblem(await post('login/2fa', { ticket: token, code: '000000' }), 401, 'unauthenticated');
      expectProblem(await post('refresh', { refresh_token: token }), 401, 'unauthenticated');
      expect((await confirm(token)).status).toBe(200);
    });

    it('refuses a link that has expired', async () => {
      const person = await member(gateway, merchant, 'owner');
      const token = await linkFor(person.email);
      await gateway.database.rows("update one_time_tokens set expires_at = now() - interval '1 second' where person_id = $1", [person.id]);
      expectProblem(await confirm(token), 422, 'validation_failed');
    });
  });

  describe('a change', () => {
    const change = (person: TestPerson, more: object = {}, headers: Record<string, string> = {}) =>
      person.post('/v1/auth/password/change', { current_password: PASSWORD, new_password: NEW_PASSWORD, ...more }, headers);

    it('ends the other sessions and keeps this one', async () => {
      const person = await member(gateway, merchant, 'developer');
      const other = await another(person);
      const link = await linkFor(person.email);
      expect((await other.get('/v1/auth/me')).status).toBe(200);
      expect((await change(person)).body).toEqual({ status: 'changed' });
      expect((await person.get('/v1/auth/me')).status).toBe(200);
      expectProblem(await other.get('/v1/auth/me'), 401, 'unauthenticated');
      expectProblem(await confirm(link), 422, 'validation_failed');
      expect((await mailbox.next(person.email)).subject).toBe('Your password was changed');
      expect(await login(person.email, NEW_PASSWORD)).toBe(200);
      expect(await kindsOf(person.id)).toEqual(['password.changed']);
    });

    it('needs the current password: a wrong one is no dead session, and five of them wait', async () => {
      const person = await member(gateway, merchant, 'developer');
      for (let time = 1; time <= 5; time += 1) expectProblem(await change(person, { current_password: WRONG }), 403, 'forbidden');
      expectProblem(await change(person), 429, 'rate_limited');
      expect((await person.get('/v1/auth/me')).status).toBe(200);
    });

    it('needs the second factor where there is one, unless it was entered just now', async () => {
      const person = await member(gateway, merchant, 'owner', { twoFactor: true, fresh: false });
      expectProblem(await change(person), 403, 'two_factor_required');
      expectProblem(await change(person, { code: '000000' }), 403, 'two_factor_invalid');
      expect(await login(person.email, PASSWORD)).toBe(200);
      expect((await change(person, { code: await person.code() })).status).toBe(200);
      expect((await change(await member(gateway, merchant, 'owner', { twoFactor: true }))).status).toBe(200);
    });

    it('happens once when the same password allows two at once', async () => {
      const person = await member(gateway, merchant, 'owner');
      hashTogether(gateway.app, 2);
      const answers = await Promise.all([change(person), change(person, { new_password: 'brown-otter-swims-7-miles' })]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
      expect(await kindsOf(person.id)).toEqual(['password.changed']);
    });

    it('refuses a weak password', async () => {
      const weak = await change(await member(gateway, merchant, 'owner'), { new_password: 'password1234' });
      expectProblem(weak, 422, 'validation_failed');
      expect(weak.body.errors).toMatchObject([{ field: 'new_password' }]);
    });
  });
});
