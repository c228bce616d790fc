import { issueLink } from '../src/auth/tokens/one-time-tokens';
import { totpSecretPlace } from '../src/auth/two-factor/second-factor-codes';
import { newTotpSecret } from '../src/auth/two-factor/totp';
import { UnitOfWork } from '../src/platform/database/unit-of-work';
import { runInContext } from '../src/platform/http/request-context';
import { Envelope } from '../src/platform/security/crypto/envelope';
import { eventually } from './support/eventually';
import { Gateway } from './support/gateway';
import type { Answer, Merchant } from './support/merchant';
import { BEHIND_PROXY, from, newIp } from './support/outsider';
import { callJson, member, PASSWORD, staff, type TestPerson, totpCode } from './support/people';
import { expectProblem } from './support/problems';

type Tokens = Record<'access_token' | 'refresh_token', string>;

const NEW_PASSWORD = 'grey-heron-fishes-9-ponds';
const CHANGED: [string, string][] = [
  ['another password', "update people set password_hash = 'no hash at all', revision = revision + 1 where id = $1"],
  ['no account any more', "update people set status = 'removed', password_hash = null, revision = revision + 1 where id = $1"],
];

describe('signing in while something changes', () => {
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { TRUSTED_PROXIES: BEHIND_PROXY.TRUSTED_PROXIES } });
    merchant = await gateway.merchant();
  });
  afterAll(() => gateway.stop());

  const post = <Body = Record<string, unknown>>(path: string, body: unknown) =>
    callJson<Body>(`${gateway.url}/v1/auth/${path}`, 'POST', body, from(newIp()));
  const login = (email: string) => post<Tokens & { ticket: string }>('login', { email, password: PASSWORD });
  const refresh = (token: string) => post<Tokens>('refresh', { refresh_token: token });
  const whoever = (token: string) => callJson(`${gateway.url}/v1/auth/me`, 'GET', undefined, { authorization: `Bearer ${token}` });
  const count = (sql: string, id: string) => gateway.database.value<number>(`select count(*)::int from ${sql}`, [id]);
  const sessionsOf = ({ id }: TestPerson) => count('sessions where person_id = $1', id);
  const statusesOf = (answers: Answer<unknown>[]) => answers.map(({ status }) => status).sort();
  const sealed = (secret: string, { id }: TestPerson) => gateway.app.get(Envelope).seal(secret, totpSecretPlace(id));
  const backupCodesOf = async (person: TestPerson) =>
    (await person.post<{ backup_codes: string[] }>('/v1/auth/2fa/backup-codes')).body.backup_codes;

  /**
   * Makes a change and commits it only when all the calls, which begin after it was made, wait for it: they have read what was
   * before. A call that does not wait at all has its answer by then, which is for the test to judge.
   */
  const meanwhile = async <Body>([sql, ...values]: [string, ...unknown[]], begin: () => Promise<Answer<Body>>[]) => {
    const holder = await gateway.database.pool.connect();
    try {
      await holder.query('begin');
      await holder.query(sql, values);
      let answered = 0;
      const calls = begin().map((call) => call.finally(() => { answered += 1; }));
      const waiting = () => gateway.database.value<number>(
        "select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
      await eventually(async () => answered + (await waiting()) >= calls.length, 4_500);
      await holder.query('commit');
      return await Promise.all(calls);
    } finally {
      await holder.query('rollback');
      holder.release();
    }
  };

  describe('a refresh', () => {
    it('that meets the end of its session gives nothing', async () => {
      const person = await member(gateway, merchant, 'developer');
      const [answer] = await meanwhile(['update sessions set revoked_at = now() where person_id = $1', person.id], () => [
        refresh(person.tokens.refresh_token),
      ]);
      expectProblem(answer, 401, 'unauthenticated');
      expect(await count('refresh_tokens t join sessions s on s.id = t.session_id where s.person_id = $1', person.id)).toBe(1);
    });

    it('that meets another one of the same token ends the session for both', async () => {
      const person = await member(gateway, merchant, 'developer');
      const answers = await meanwhile(['select 1 from sessions where person_id = $1 for update', person.id], () => [
        refresh(person.tokens.refresh_token), refresh(person.tokens.refresh_token),
      ]);
      expect(statusesOf(answers)).toEqual([200, 401]);
      const { body } = answers.find(({ status }) => status === 200)!;
      expectProblem(await refresh(body.refresh_token), 401, 'unauthenticated');
      for (const token of [body.access_token, person.tokens.access_token]) expectProblem(await whoever(token), 401, 'unauthenticated');
    });

    it('is given ten times in ten minutes, and a used token behind that limit still ends the session', async () => {
      const person = await member(gateway, merchant, 'developer');
      let tokens: Tokens = person.tokens;
      for (let time = 1; time <= 10; time += 1) {
        const { status, body } = await refresh(tokens.refresh_token);
        expect(status).toBe(200);
        tokens = body;
      }
      const refused = await refresh(tokens.refresh_token);
      expectProblem(refused, 429, 'rate_limited');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await refresh((await member(gateway, merchant, 'developer')).tokens.refresh_token)).status).toBe(200);
      expect((await whoever(tokens.access_token)).status).toBe(200);
      expectProblem(await refresh(person.tokens.refresh_token), 401, 'unauthenticated');
      expectProblem(await whoever(tokens.access_token), 401, 'unauthenticated');
      expect(await count('sessions where person_id = $1 and revoked_at is not null', person.id)).toBe(1);
    });
  });

  describe('a login', () => {
    it.each(CHANGED)('opens nothing for whoever has %s by then', async (_what, change) => {
      const person = await member(gateway, merchant, 'owner');
      const [answer] = await meanwhile([change, person.id], () => [login(person.email)]);
      expectProblem(answer, 401, 'unauthenticated');
      expect(await sessionsOf(person)).toBe(1);
    });

    it.each(CHANGED)('opens nothing with a second factor either for whoever has %s by then', async (_what, change) => {
      const person = await staff(gateway, 'approver');
      const [code] = await backupCodesOf(person);
      const { ticket } = (await login(person.email)).body;
      const [answer] = await meanwhile([change, person.id], () => [post('login/2fa', { ticket, code })]);
      expectProblem(answer, 401, 'unauthenticated');
      expect(await sessionsOf(person)).toBe(1);
      expect(await count('backup_codes where person_id = $1 and used_at is null', person.id)).toBe(10);
    });

    it('does not go on with a ticket that an earlier password was given', async () => {
      const person = await staff(gateway, 'approver');
      const { ticket } = (await login(person.email)).body;
      const changed = await person.post('/v1/auth/password/change', { current_password: PASSWORD, new_password: NEW_PASSWORD });
      expect(changed.status).toBe(200);
      expectProblem(await post('login/2fa', { ticket, code: await person.code() }), 401, 'unauthenticated');
      const again = await post<{ ticket: string }>('login', { email: person.email, password: NEW_PASSWORD });
      expect((await post('login/2fa', { ticket: again.body.ticket, code: await person.code() })).status).toBe(200);
    });

    it('opens one session for one ticket and two codes, and leaves the other code as it is', async () => {
      const person = await staff(gateway, 'admin');
      const [backupCode] = await backupCodesOf(person);
      const { ticket } = (await login(person.email)).body;
      const code = await person.code();
      const tickets = "select 1 from one_time_tokens where person_id = $1 and purpose = 'second_factor' for update";
      const answers = await meanwhile([tickets, person.id], () => [
        post('login/2fa', { ticket, code }), post('login/2fa', { ticket, code: backupCode }),
      ]);
      expect(statusesOf(answers)).toEqual([200, 401]);
      expect(await sessionsOf(person)).toBe(2);
      const [{ app, paper }] = await gateway.database.rows<{ app: boolean; paper: boolean }>(
        `select totp_last_step > 0 as app, exists (select 1 from backup_codes where person_id = people.id and used_at is not null) as paper
           from people where id = $1`, [person.id]);
      expect([app, paper]).toEqual([answers[0].status === 200, answers[1].status === 200]);
    });
  });

  describe('a second factor', () => {
    it('that was replaced while its code was on the way is worth nothing', async () => {
      const person = await member(gateway, merchant, 'owner', { twoFactor: true, fresh: false });
      const code = await person.code();
      const replace = 'update people set totp_secret = $2, totp_last_step = 0, revision = revision + 1 where id = $1';
      const [answer] = await meanwhile([replace, person.id, sealed(newTotpSecret(), person)], () => [
        person.post('/v1/auth/2fa/step-up', { code }),
      ]);
      expectProblem(answer, 403, 'two_factor_invalid');
      expect(await count('sessions where person_id = $1 and second_factor_at is not null', person.id)).toBe(0);
    });

    it('is turned on once when two verify it at once, with one set of backup codes', async () => {
      const person = await member(gateway, merchant, 'owner');
      const offer = await person.post<{ secret: string }>('/v1/auth/2fa/enroll');
      const step = Math.floor(Date.now() / 30_000);
      const code = await totpCode(offer.body.secret, step);
      const answers = await meanwhile<{ backup_codes: string[] }>(['select 1 from people where id = $1 for update', person.id], () => [
        person.post('/v1/auth/2fa/verify', { code }), person.post('/v1/auth/2fa/verify', { code }),
      ]);
      expect(statusesOf(answers)).toEqual([200, 409]);
      expect(await count('backup_codes where person_id = $1', person.id)).toBe(10);
      expect(await count("audit_events where kind = 'two_factor.enabled' and object_id = $1", person.id)).toBe(1);
      const [backupCode] = answers.find(({ status }) => status === 200)!.body.backup_codes;
      const { ticket } = (await login(person.email)).body;
      expect((await post('login/2fa', { ticket, code: backupCode })).status).toBe(200);
    });

    it('that was turned on after a link for a new password was opened is asked for', async () => {
      const person = await member(gateway, merchant, 'owner');
      const token = await runInContext({ requestId: 'test-setup', startedAt: 0 }, () =>
        gateway.app.get(UnitOfWork).run((tx) => issueLink(tx, { purpose: 'password_reset', personId: person.id })));
      const confirm = (more: object = {}) => post('password/reset/confirm', { token, password: NEW_PASSWORD, ...more });
      const secret = newTotpSecret();
      const turnOn = 'update people set totp_secret = $2, totp_enabled_at = now(), revision = revision + 1 where id = $1';
      const [answer] = await meanwhile([turnOn, person.id, sealed(secret, person)], () => [confirm()]);
      expectProblem(answer, 409, 'state_conflict');
      expectProblem(await confirm(), 403, 'two_factor_required');
      expect((await login(person.email)).body).toHaveProperty('ticket');
      expect((await confirm({ code: await totpCode(secret) })).status).toBe(200);
    });

    it('that was entered on one instance is known on another at once', async () => {
      const second = await Gateway.start({ database: gateway.database });
      try {
        const person = await member(gateway, merchant, 'owner', { twoFactor: true, fresh: false });
        const elsewhere = person.with({ url: second.url });
        const makeKey = () => elsewhere.post('/v1/api-keys', { name: 'made by hand', scopes: ['payments:read'] });
        expectProblem(await makeKey(), 403, 'two_factor_required');
        expect((await person.post('/v1/auth/2fa/step-up', { code: await person.code() })).status).toBe(200);
        expect((await makeKey()).status).toBe(201);
      } finally {
        await second.stop();
      }
    });
  });
});
