import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { callJson, member, PASSWORD, staff, totpCode } from './support/people';
import { expectProblem } from './support/problems';
import { solveCaptcha } from './support/solve-captcha';

interface Tokens {
  access_token: string;
  refresh_token: string;
}

describe('signing in', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  let address = 0;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { TRUSTED_PROXIES: '127.0.0.1/32' } });
    merchant = await gateway.merchant();
  });
  afterAll(() => gateway.stop());

  /** A caller with an address of its own, as a proxy would tell it. */
  const stranger = () => {
    address += 1;
    const headers = { 'x-forwarded-for': `198.51.100.${address}` };
    return {
      headers,
      post: <Body = Record<string, unknown>>(path: string, body: unknown, more: Record<string, string> = {}) =>
        callJson<Body>(`${gateway.url}/v1/auth/${path}`, 'POST', body, { ...headers, ...more }),
    };
  };
  const tokensOf = (body: unknown) => body as Tokens;

  it('gives tokens that open what the person may see', async () => {
    const { email } = await member(gateway, merchant, 'owner');
    const answer = await stranger().post<Tokens>('login', { email: email.toUpperCase(), password: PASSWORD });
    expect(answer.body).toMatchObject({ token_type: 'Bearer', expires_in: 900, access_token: expect.stringMatching(/^eyJ/), refresh_token: expect.stringMatching(/^cpgr_/) });
    const read = await callJson(`${gateway.url}/v1/auth/sessions`, 'GET', undefined, { authorization: `Bearer ${answer.body.access_token}` });
    expect(read.status).toBe(200);
    expect((read.body.data as unknown[]).length).toBe(2);
  });

  it('tells an unknown e-mail and a wrong password alike', async () => {
    const { email } = await member(gateway, merchant, 'viewer');
    const caller = stranger();
    const wrong = await caller.post('login', { email, password: 'not the password at all' });
    const unknown = await caller.post('login', { email: 'nobody@people.example', password: PASSWORD });
    expectProblem(wrong, 401, 'unauthenticated');
    expect({ ...wrong.body, request_id: '' }).toEqual({ ...unknown.body, request_id: '' });
  });

  it('asks for a CAPTCHA from the fourth wrong login on and makes the sixth wait', async () => {
    const { email } = await member(gateway, merchant, 'viewer');
    const caller = stranger();
    const wrong = { email, password: 'not the password at all' };
    for (let time = 1; time <= 3; time += 1) expectProblem(await caller.post('login', wrong), 401, 'unauthenticated');
    expectProblem(await caller.post('login', wrong), 403, 'captcha_required');
    for (let time = 4; time <= 5; time += 1) {
      expectProblem(await caller.post('login', { ...wrong, captcha: await solveCaptcha(gateway.url) }), 401, 'unauthenticated');
    }
    const refused = await caller.post('login', { ...wrong, captcha: await solveCaptcha(gateway.url) });
    expectProblem(refused, 429, 'rate_limited');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(240);
  });

  it('lets the owner of an account in with a CAPTCHA or a known device while strangers guess at it', async () => {
    const { email } = await member(gateway, merchant, 'owner');
    const home = stranger();
    const first = await home.post('login', { email, password: PASSWORD });
    const cookie = first.headers.get('set-cookie')!.split(';')[0];
    for (let guess = 0; guess < 3; guess += 1) await stranger().post('login', { email, password: 'guess guess guess' });
    expectProblem(await stranger().post('login', { email, password: PASSWORD }), 403, 'captcha_required');
    for (let guess = 0; guess < 4; guess += 1) {
      await stranger().post('login', { email, password: 'guess guess guess', captcha: await solveCaptcha(gateway.url) });
    }
    expect((await stranger().post('login', { email, password: PASSWORD }, { cookie })).status).toBe(200);
    for (let guess = 0; guess < 4; guess += 1) {
      await stranger().post('login', { email, password: 'guess guess guess', captcha: await solveCaptcha(gateway.url) });
    }
    expect((await stranger().post('login', { email, password: PASSWORD, captcha: await solveCaptcha(gateway.url) })).status).toBe(200);
  });

  it('shuts out an address after five failed logins of staff', async () => {
    const { email } = await staff(gateway, 'approver');
    const caller = stranger();
    for (let time = 1; time <= 5; time += 1) await caller.post('login', { email, password: 'not the password at all' });
    expectProblem(await caller.post('login', { email, password: PASSWORD }), 403, 'ip_blocked');
    expect((await stranger().post('login', { email, password: PASSWORD, captcha: await solveCaptcha(gateway.url) })).status).toBe(200);
  });

  it('asks for the second factor and takes each code once', async () => {
    const person = await staff(gateway, 'admin');
    const caller = stranger();
    const login = await caller.post<{ requires_2fa: boolean; ticket: string }>('login', { email: person.email, password: PASSWORD });
    expect(login.body).toEqual({ requires_2fa: true, ticket: expect.stringMatching(/^cpgt_/) });
    const code = await totpCode(person.totpSecret!);
    const tries = await Promise.all(Array.from({ length: 20 }, () => caller.post('login/2fa', { ticket: login.body.ticket, code })));
    expect(tries.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(tries.map(({ body }) => body.code))).not.toContain('internal_error');
    expect(await gateway.database.value('select count(*)::int from sessions where person_id = $1', [person.id])).toBe(2);
  });

  it('takes twenty tickets and one code as one success', async () => {
    const person = await staff(gateway, 'admin');
    const tickets: string[] = [];
    for (let made = 0; made < 20; made += 1) {
      const login = await stranger().post<{ ticket: string }>('login', { email: person.email, password: PASSWORD });
      tickets.push(login.body.ticket);
    }
    const code = await totpCode(person.totpSecret!);
    const tries = await Promise.all(tickets.map((ticket) => stranger().post('login/2fa', { ticket, code })));
    expect(tries.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('ends the whole family when a refresh token is used twice', async () => {
    const { email } = await member(gateway, merchant, 'developer');
    const caller = stranger();
    const first = tokensOf((await caller.post('login', { email, password: PASSWORD })).body);
    const second = tokensOf((await caller.post('refresh', { refresh_token: first.refresh_token })).body);
    expect(second.access_token).toMatch(/^eyJ/);
    const open = (token: string) => callJson(`${gateway.url}/v1/auth/sessions`, 'GET', undefined, { authorization: `Bearer ${token}` });
    expect((await open(second.access_token)).status).toBe(200);
    expectProblem(await caller.post('refresh', { refresh_token: first.refresh_token }), 401, 'unauthenticated');
    expectProblem(await caller.post('refresh', { refresh_token: second.refresh_token }), 401, 'unauthenticated');
    expectProblem(await open(second.access_token), 401, 'unauthenticated');
    expect(await gateway.database.value("select severity from security_events where kind = 'suspicious.refresh_token_reused'")).toBe('critical');
  });

  it('logs out', async () => {
    const person = await member(gateway, merchant, 'developer');
    expect((await person.post('/v1/auth/logout')).status).toBe(204);
    expectProblem(await person.get('/v1/auth/sessions'), 401, 'unauthenticated');
  });

  it('shows and ends sessions one by one, and only one\'s own', async () => {
    const person = await member(gateway, merchant, 'developer');
    await stranger().post('login', { email: person.email, password: PASSWORD });
    const { body: { data } } = await person.get<{ data: { id: string; current: boolean }[] }>('/v1/auth/sessions');
    expect(data.map(({ current }) => current)).toEqual([false, true]);
    const [other] = data;
    expect((await person.get(`/v1/auth/sessions/${other.id}`)).body).toMatchObject({ id: other.id, object: 'session', current: false });
    const somebody = await member(gateway, merchant, 'owner');
    expectProblem(await somebody.get(`/v1/auth/sessions/${other.id}`), 404, 'not_found');
    expectProblem(await somebody.call('DELETE', `/v1/auth/sessions/${other.id}`), 404, 'not_found');
    expect((await person.call('DELETE', `/v1/auth/sessions/${other.id}`)).status).toBe(204);
    expectProblem(await person.get(`/v1/auth/sessions/${other.id}`), 404, 'not_found');
    expect((await person.call('DELETE', '/v1/auth/sessions')).status).toBe(204);
    expectProblem(await person.get('/v1/auth/sessions'), 401, 'unauthenticated');
  });
});
