import { createHash } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import { CleanAccounts } from '../src/auth/clean-accounts';
import { runInContext } from '../src/platform/http/request-context';
import { Gateway } from './support/gateway';
import { Mailbox, tokenIn } from './support/mailbox';
import type { Answer, Merchant } from './support/merchant';
import { BEHIND_PROXY, from, newIp } from './support/outsider';
import { callJson, member, PASSWORD, staff, TestPerson } from './support/people';
import { expectProblem } from './support/problems';
import { solveCaptcha } from './support/solve-captcha';

const OTHER_PASSWORD = 'grey-heron-fishes-9-ponds';
const WRONG = 'not the password at all';

describe('registration', () => {
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
  const register = async (email: string, more: Record<string, unknown> = {}) =>
    post('register', { email, password: PASSWORD, captcha: await solveCaptcha(gateway.url), ...more });
  const verify = (token: string) => post<{ status: string; email: string }>('email/verify', { token });
  const tokenFor = async (email: string) => tokenIn((await mailbox.next(email)).text);
  const open = async (email: string, more: Record<string, unknown> = {}): Promise<TestPerson> => {
    await register(email, more);
    await verify(await tokenFor(email));
    const { body } = await post('login', { email, password: PASSWORD });
    return new TestPerson(gateway.url, 'unknown', email, body as never, undefined);
  };
  const fieldsOf = ({ body }: Answer) => (body.errors as { field: string }[]).map(({ field }) => field);
  const count = (sql: string, values: unknown[]) => gateway.database.value<number>(`select count(*)::int from ${sql}`, values);

  it('opens an owner\'s account and a client in test mode once the address is confirmed, and not before', async () => {
    const answer = await register('Ada@new.example', { client_name: ' Ada\'s shop ' });
    expect([answer.status, answer.body]).toEqual([202, { status: 'accepted' }]);
    expect(await count('people where email = $1', ['ada@new.example'])).toBe(0);
    expectProblem(await post('login', { email: 'ada@new.example', password: PASSWORD }), 401, 'unauthenticated');

    const confirmed = await verify(await tokenFor('ada@new.example'));
    expect(confirmed.body).toEqual({ status: 'confirmed', email: 'ada@new.example' });
    const login = await post<{ access_token: string }>('login', { email: 'ada@new.example', password: PASSWORD });
    const ada = new TestPerson(gateway.url, '', '', login.body as never, undefined);
    const me = await ada.get<{ client: string }>('/v1/auth/me');
    expect(me.body).toEqual({
      id: expect.stringMatching(/^usr_/), object: 'profile', email: 'ada@new.example', role: 'owner', client: expect.stringMatching(/^cli_/),
      two_factor_enabled: false, referral_code: expect.stringMatching(/^[2-9a-z]{10}$/), referrals: 0, created_at: expect.any(String),
    });
    expect(await gateway.database.rows('select name, status, live_enabled from clients where id = $1', [me.body.client]))
      .toEqual([{ name: 'Ada\'s shop', status: 'active', live_enabled: false }]);
    expect(await count('api_keys where client_id = $1', [me.body.client])).toBe(0);
    const activity = await ada.get<{ data: { kind: string; ip: string }[] }>('/v1/auth/activity');
    expect(activity.body.data.map(({ kind }) => kind)).toEqual(['login.succeeded', 'person.registered']);
    expect((await ada.get<{ data: unknown[] }>('/v1/auth/activity?limit=1')).body).toMatchObject({ has_more: true, data: [{ object: 'activity' }] });
  });

  it('answers alike for an address that somebody has, and tells only its owner', async () => {
    const { email } = await member(gateway, merchant, 'owner');
    const known = await register(email);
    const unknown = await register('nobody.yet@new.example');
    expect([known.status, known.body]).toEqual([unknown.status, unknown.body]);
    const mail = await mailbox.next(email);
    expect(mail.text).toContain('has one already');
    expect(() => tokenIn(mail.text)).toThrow();
    await mailbox.next('nobody.yet@new.example');
  });

  it('needs a CAPTCHA, once for each', async () => {
    const captcha = await solveCaptcha(gateway.url);
    const body = { email: 'bot@new.example', password: PASSWORD };
    expectProblem(await post('register', body), 403, 'captcha_required');
    expectProblem(await post('register', { ...body, captcha: 'e30=' }), 403, 'captcha_required');
    expect((await post('register', { ...body, captcha })).status).toBe(202);
    expectProblem(await post('register', { ...body, captcha }), 403, 'captcha_required');
  });

  it('takes three an hour from one address', async () => {
    const headers = from(newIp());
    const knock = async (at: number) =>
      post('register', { email: `x${at}@new.example`, password: PASSWORD, captcha: await solveCaptcha(gateway.url) }, headers);
    // What never became a registration is none of the three.
    for (let mistake = 1; mistake <= 4; mistake += 1) {
      expectProblem(await post('register', { email: 'x@new.example', password: 'short' }, headers), 422, 'validation_failed');
      expectProblem(await post('register', { email: 'x@new.example', password: PASSWORD }, headers), 403, 'captcha_required');
    }
    for (let time = 1; time <= 3; time += 1) expect((await knock(time)).status).toBe(202);
    const refused = await knock(4);
    expectProblem(refused, 429, 'rate_limited');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60);
  });

  it('sends no more than three mails an hour to one address, wherever the requests come from', async () => {
    for (let time = 1; time <= 4; time += 1) expect((await register('flooded@new.example')).status).toBe(202);
    for (let time = 1; time <= 3; time += 1) await mailbox.next('flooded@new.example');
    await mailbox.none('flooded@new.example');
  });

  it.each(['status', 'client_id', 'role', 'livemode'])('refuses the field %s', async (field) => {
    const answer = await post('register', { email: 'mass@new.example', password: PASSWORD, captcha: 'x', [field]: 'admin' });
    expectProblem(answer, 422, 'validation_failed');
    expect(fieldsOf(answer)).toEqual([field]);
  });

  it.each([
    [{ password: 'short' }, 'password'], [{ password: 'x'.repeat(73) }, 'password'], [{ password: 'password1234' }, 'password'],
    [{ password: 'mallory@new.example', email: 'mallory@new.example' }, 'password'], [{ email: 'nobody' }, 'email'],
    [{ email: `${'x'.repeat(65)}@new.example` }, 'email'], [{ referral_code: 'nobodys-code' }, 'referral_code'],
    [{ client_name: '  ' }, 'client_name'],
  ])('refuses %j', async (wrong, field) => {
    const answer = await post('register', { email: 'fine@new.example', password: PASSWORD, captcha: 'x', ...wrong });
    expectProblem(answer, 422, 'validation_failed');
    expect(fieldsOf(answer)).toEqual([field]);
  });

  it('takes each link once, however many use it at once', async () => {
    await register('grace@new.example');
    const token = await tokenFor('grace@new.example');
    const tries = await Promise.all(Array.from({ length: 10 }, () => verify(token)));
    expect(tries.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 422)]);
    expect(await count('people where email = $1', ['grace@new.example'])).toBe(1);
    expectProblem(await verify(token), 422, 'validation_failed');
    expectProblem(await verify(`cpgo_${'x'.repeat(43)}`), 422, 'validation_failed');
  });

  it('lets each link set its own password, and ends the others with the first that is used', async () => {
    await register('edsger@new.example');
    const own = await tokenFor('edsger@new.example');
    await register('edsger@new.example', { password: OTHER_PASSWORD });
    const somebodyElses = await tokenFor('edsger@new.example');
    expect((await verify(own)).status).toBe(200);
    expectProblem(await verify(somebodyElses), 422, 'validation_failed');
    expect((await post('login', { email: 'edsger@new.example', password: PASSWORD })).status).toBe(200);
    expectProblem(await post('login', { email: 'edsger@new.example', password: OTHER_PASSWORD }), 401, 'unauthenticated');
  });

  it('makes one account of two links that are used at once', async () => {
    const tokens: string[] = [];
    for (let time = 1; time <= 2; time += 1) {
      await register('twins@new.example');
      tokens.push(await tokenFor('twins@new.example'));
    }
    const statuses = (await Promise.all(tokens.map(verify))).map(({ status }) => status).sort();
    expect(statuses[0]).toBe(200);
    expect([409, 422]).toContain(statuses[1]);
    expect(await count('people where email = $1', ['twins@new.example'])).toBe(1);
    expect(await count('clients where name = $1', ['twins'])).toBe(1);
  });

  it('counts who came by a referral code', async () => {
    const referrer = await open('referrer@new.example');
    const { body } = await referrer.get<{ referral_code: string; referrals: number }>('/v1/auth/me');
    await open('referred@new.example', { referral_code: body.referral_code.toUpperCase() });
    expect((await referrer.get('/v1/auth/me')).body).toMatchObject({ referrals: 1 });
  });

  it('refuses a link that has expired, and forgets it', async () => {
    await register('late@new.example');
    const token = await tokenFor('late@new.example');
    await gateway.database.rows("update one_time_tokens set expires_at = now() - interval '1 second' where data ->> 'email' = 'late@new.example'");
    expectProblem(await verify(token), 422, 'validation_failed');
    await runInContext({ requestId: 'test', startedAt: 0 }, () => gateway.app.get(CleanAccounts).run());
    expect(await count("one_time_tokens where data ->> 'email' = $1", ['late@new.example'])).toBe(0);
  });

  it('forgets sessions thirty days after their end, and keeps the others', async () => {
    const person = await member(gateway, merchant, 'viewer');
    await gateway.database.rows(
      `insert into sessions (id, person_id, expires_at, revoked_at)
       values ('ses_old', $1, now() - interval '1 day', now() - interval '31 days'), ('ses_recent', $1, now() - interval '1 day', null)`,
      [person.id]);
    await runInContext({ requestId: 'test', startedAt: 0 }, () => gateway.app.get(CleanAccounts).run());
    expect(await count('sessions where person_id = $1', [person.id])).toBe(2);
    expect(await count("sessions where id = 'ses_old'", [])).toBe(0);
  });

  describe('another e-mail address', () => {
    it('counts once it is confirmed, and the old one is told', async () => {
      const person = await member(gateway, merchant, 'developer');
      const asked = await person.post('/v1/auth/email/change', { email: 'moved@new.example', current_password: PASSWORD });
      expect([asked.status, asked.body]).toEqual([202, { status: 'accepted' }]);
      expect((await mailbox.next(person.email)).subject).toContain('about to change');
      expect((await person.get('/v1/auth/me')).body.email).toBe(person.email);
      const token = await tokenFor('moved@new.example');
      const tries = await Promise.all([verify(token), verify(token)]);
      expect(tries.map(({ status }) => status).sort()).toEqual([200, 422]);
      expect((await person.get('/v1/auth/me')).body.email).toBe('moved@new.example');
      expect((await mailbox.next(person.email)).subject).toContain('was changed');
      expect((await post('login', { email: 'moved@new.example', password: PASSWORD })).status).toBe(200);
      expectProblem(await post('login', { email: person.email, password: PASSWORD }), 401, 'unauthenticated');
    });

    it('needs the password, and a code where there is a second factor', async () => {
      const person = await member(gateway, merchant, 'owner', { twoFactor: true, fresh: false });
      const change = (more: object) => person.post('/v1/auth/email/change', { email: 'guarded@new.example', current_password: PASSWORD, ...more });
      expectProblem(await change({ current_password: WRONG }), 403, 'forbidden');
      expectProblem(await change({}), 403, 'two_factor_required');
      expectProblem(await change({ code: '000000' }), 403, 'two_factor_invalid');
      expect((await change({ code: await person.code() })).status).toBe(202);
      await mailbox.next('guarded@new.example');
    });

    it('goes to one when two want the same', async () => {
      const [first, second] = [await member(gateway, merchant, 'owner'), await member(gateway, merchant, 'viewer')];
      const ask = (person: TestPerson) =>
        person.post('/v1/auth/email/change', { email: 'wanted@new.example', current_password: PASSWORD });
      const tokens: string[] = [];
      for (const person of [first, second]) {
        await ask(person);
        tokens.push(await tokenFor('wanted@new.example'));
      }
      const answers = await Promise.all(tokens.map(verify));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
      const third = await ask(await member(gateway, merchant, 'viewer'));
      expect([third.status, third.body]).toEqual([202, { status: 'accepted' }]);
      expect((await mailbox.next('wanted@new.example')).text).toContain('has one already');
    });
  });

  describe('the page behind a link', () => {
    it.each(['confirm', 'reset', 'invitation'])('%s runs its own script and style and nothing else', async (action) => {
      const { status, headers, text } = await callJson(`${gateway.url}/account/${action}`, 'GET');
      expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect([headers.get('referrer-policy'), headers.get('cache-control')]).toEqual(['no-referrer', 'no-store']);
      const policy = headers.get('content-security-policy')!;
      for (const tag of ['script', 'style']) {
        const parts = [...text.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, 'g'))];
        expect(parts).toHaveLength(1);
        expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(parts[0][1]).digest('base64')}'`);
      }
      expect(policy).toMatch(/^default-src 'none';/);
      expect(text).not.toMatch(/https?:|src=|href=|\son\w+=/);
    });

    it('is not there for other words', async () => {
      for (const action of ['other', 'constructor', '__proto__']) {
        expectProblem(await callJson(`${gateway.url}/account/${action}`, 'GET'), 404, 'not_found');
      }
    });

    it('sends the token out of the fragment, and shows what the API says', async () => {
      await register('page@new.example');
      const { text: mail } = await mailbox.next('page@new.example');
      expect(mail).toContain(`${gateway.settings.publicUrl}/account/confirm#token=${tokenIn(mail)}`);
      const { text: html } = await callJson(`${gateway.url}/account/confirm`, 'GET');
      const confirmed = /data-done="([^"]+)"/.exec(html)![1];
      expect(await submit(html, tokenIn(mail))).toEqual({ text: confirmed, className: 'good' });
      expect(await submit(html, tokenIn(mail))).toEqual({ text: expect.stringContaining('this link has been used'), className: 'bad' });
      expect(await submit(html, undefined)).toEqual({ text: expect.stringContaining('not complete'), className: 'bad' });
    });

    /** Runs the page's script with as much of a browser as it uses, presses its button and answers what it shows. */
    async function submit(html: string, token: string | undefined) {
      const answer = { textContent: '', className: '' };
      let pressed: ((event: object) => Promise<void>) | undefined;
      const form = {
        hidden: true, dataset: { target: /data-target="([^"]+)"/.exec(html)![1], done: /data-done="([^"]+)"/.exec(html)![1] },
        addEventListener: (_event: string, listener: typeof pressed) => { pressed = listener; },
        querySelector: () => ({ disabled: false }), querySelectorAll: () => [],
      };
      runInNewContext(/<script>([^]*?)<\/script>/.exec(html)![1], {
        document: { querySelector: (what: string) => (what === 'form' ? form : answer) },
        location: { hash: token ? `#token=${token}` : '', pathname: '/account/confirm' },
        history: { replaceState: () => undefined },
        URLSearchParams,
        fetch: (target: string, init: RequestInit) =>
          fetch(new URL(target, `${gateway.url}/account/confirm`), { ...init, headers: { ...(init.headers as object), ...from(newIp()) } }),
      });
      if (!form.hidden) await pressed!({ preventDefault: () => undefined });
      return { text: answer.textContent, className: answer.className };
    }
  });

  it('shows staff without a second factor who they are, and not what they did', async () => {
    const person = await staff(gateway, 'analyst', { twoFactor: false });
    expect((await person.get('/v1/auth/me')).body).toMatchObject({ role: 'analyst', client: null });
    expectProblem(await person.get('/v1/auth/activity'), 403, 'two_factor_required');
  });
});
