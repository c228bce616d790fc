import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { callJson, member, openSession, PASSWORD, staff, type TestPerson, totpCode } from './support/people';
import { expectProblem } from './support/problems';

interface Enrolment {
  secret: string;
  otpauth_uri: string;
  qr_png: string;
  qr_svg: string;
}

describe('the second factor', () => {
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start();
    merchant = await gateway.merchant();
  });
  afterAll(() => gateway.stop());

  const enrol = async (person: TestPerson) => {
    const { body } = await person.post<Enrolment>('/v1/auth/2fa/enroll');
    const step = Math.floor(Date.now() / 30_000);
    const verified = await person.post<{ backup_codes: string[] }>('/v1/auth/2fa/verify', { code: await totpCode(body.secret, step) });
    return { offer: body, verified, nextCode: () => totpCode(body.secret, step + 1) };
  };
  const login = (email: string) => callJson<{ ticket: string }>(`${gateway.url}/v1/auth/login`, 'POST', { email, password: PASSWORD });
  const second = (ticket: string, code: string) => callJson(`${gateway.url}/v1/auth/login/2fa`, 'POST', { ticket, code });

  it('is offered as text, address and pictures, and counts only once a code has verified it', async () => {
    const person = await member(gateway, merchant, 'owner');
    const { body } = await person.post<Enrolment>('/v1/auth/2fa/enroll');
    expect(body.secret).toMatch(/^[A-Z2-7]{32,}$/);
    expect(body.otpauth_uri).toMatch(/^otpauth:\/\/totp\/.*issuer=CPGateway/);
    expect(body.qr_png).toMatch(/^data:image\/png;base64,iVBOR/);
    expect(body.qr_svg).toMatch(/^<svg/);
    expectProblem(await person.post('/v1/auth/2fa/verify', { code: '000000' }), 403, 'two_factor_invalid');
    expect((await person.get('/v1/auth/2fa/status')).body).toEqual({ object: 'two_factor', enabled: false, enabled_at: null, backup_codes_left: 0 });
    expect((await login(person.email)).body).toHaveProperty('access_token');
    const verified = await person.post<{ backup_codes: string[] }>('/v1/auth/2fa/verify', { code: await totpCode(body.secret) });
    expect(new Set(verified.body.backup_codes).size).toBe(10);
    expect((await person.get('/v1/auth/2fa/status')).body).toMatchObject({ enabled: true, backup_codes_left: 10 });
    expect((await login(person.email)).body).toMatchObject({ requires_2fa: true });
    expectProblem(await person.post('/v1/auth/2fa/enroll'), 409, 'state_conflict');
  });

  it('stores nothing of the secret or the backup codes in clear', async () => {
    const person = await member(gateway, merchant, 'owner');
    const { offer, verified } = await enrol(person);
    const stored = await gateway.database.rows(
      'select p::text, b::text from people p join backup_codes b on b.person_id = p.id where p.id = $1', [person.id]);
    expect(stored).toHaveLength(10);
    for (const text of [offer.secret, ...verified.body.backup_codes]) expect(JSON.stringify(stored)).not.toContain(text);
  });

  it('ends the sessions that were opened without it', async () => {
    const person = await member(gateway, merchant, 'owner');
    const earlier = person.with({ tokens: await openSession(gateway, { id: person.id, clientId: merchant.credentials.clientId }, false) });
    expect((await earlier.get('/v1/auth/sessions')).status).toBe(200);
    await enrol(person);
    expectProblem(await earlier.get('/v1/auth/sessions'), 401, 'unauthenticated');
    expect((await person.get('/v1/auth/sessions')).status).toBe(200);
  });

  it('takes a backup code once, also when two try at the same time', async () => {
    const person = await member(gateway, merchant, 'owner');
    const { verified } = await enrol(person);
    const [first, other] = verified.body.backup_codes;
    const tickets = await Promise.all([login(person.email), login(person.email)]);
    const both = await Promise.all(tickets.map(({ body }) => second(body.ticket, first.toUpperCase())));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 403]);
    expectProblem(await second((await login(person.email)).body.ticket, first), 403, 'two_factor_invalid');
    expect((await second((await login(person.email)).body.ticket, other)).status).toBe(200);
    expect((await person.get('/v1/auth/2fa/status')).body).toMatchObject({ backup_codes_left: 8 });
  });

  it('makes guessing wait by account, not by address', async () => {
    const person = await staff(gateway, 'admin');
    const { ticket } = (await login(person.email)).body;
    for (let guess = 1; guess <= 5; guess += 1) expectProblem(await second(ticket, '000000'), 403, 'two_factor_invalid');
    const refused = await second((await login(person.email)).body.ticket, await person.code());
    expectProblem(refused, 429, 'rate_limited');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(240);
    expect(await gateway.database.value("select count(*)::int from security_events where kind = 'suspicious.failed_second_factors' and source = $1", [person.id])).toBe(1);
  });

  it('does not take malformed codes, and never answers 500 to them', async () => {
    const person = await staff(gateway, 'admin');
    const { ticket } = (await login(person.email)).body;
    for (const code of ['12345', 'abcdef', '１２３４５６', '000000000000']) expectProblem(await second(ticket, code), 403, 'two_factor_invalid');
  });

  it('is needed by staff, who can only set it up until they have it', async () => {
    const person = await staff(gateway, 'admin', { twoFactor: false });
    expectProblem(await person.get('/v1/auth/sessions'), 403, 'two_factor_required');
    expect((await person.get('/v1/auth/2fa/status')).status).toBe(200);
    await enrol(person);
    expect((await person.get('/v1/auth/sessions')).status).toBe(200);
    expectProblem(await person.post('/v1/auth/2fa/disable', { password: PASSWORD, code: '123456' }), 403, 'forbidden');
  });

  it('is turned off with the password and a code', async () => {
    const person = await member(gateway, merchant, 'developer');
    const { nextCode } = await enrol(person);
    expectProblem(await person.post('/v1/auth/2fa/disable', { password: 'wrong', code: await nextCode() }), 403, 'forbidden');
    expectProblem(await person.post('/v1/auth/2fa/disable', { password: PASSWORD, code: '000000' }), 403, 'two_factor_invalid');
    expectProblem(await person.post('/v1/auth/2fa/disable', { password: PASSWORD }), 422, 'validation_failed');
    expect((await person.post('/v1/auth/2fa/disable', { password: PASSWORD, code: await nextCode() })).status).toBe(204);
    expect((await login(person.email)).body).toHaveProperty('access_token');
  });

  it('gives new backup codes for a fresh factor only, and ends the old ones', async () => {
    const person = await member(gateway, merchant, 'developer', { twoFactor: true, fresh: false });
    expectProblem(await person.post('/v1/auth/2fa/backup-codes'), 403, 'two_factor_required');
    const made = await person.post<{ backup_codes: string[] }>('/v1/auth/2fa/backup-codes', { code: await person.code() });
    expect(made.body.backup_codes).toHaveLength(10);
    expectProblem(await person.post('/v1/auth/2fa/backup-codes'), 403, 'two_factor_required');
    const fresh = await person.post<{ fresh_until: string }>('/v1/auth/2fa/step-up', { code: await person.code() });
    expect(Date.parse(fresh.body.fresh_until)).toBeGreaterThan(Date.now());
    expect((await person.post('/v1/auth/2fa/backup-codes')).status).toBe(200);
    expectProblem(await second((await login(person.email)).body.ticket, made.body.backup_codes[0]), 403, 'two_factor_invalid');
  });

  it('leaves a ticket that opens nothing else', async () => {
    const person = await staff(gateway, 'admin');
    const { ticket } = (await login(person.email)).body;
    const bearer = { authorization: `Bearer ${ticket}` };
    expectProblem(await callJson(`${gateway.url}/v1/auth/sessions`, 'GET', undefined, bearer), 401, 'unauthenticated');
    expectProblem(await callJson(`${gateway.url}/v1/auth/refresh`, 'POST', { refresh_token: ticket }), 401, 'unauthenticated');
  });
});
