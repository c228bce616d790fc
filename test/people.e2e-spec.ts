import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { CleanAccounts } from '../src/auth/clean-accounts';
import { PeopleRegistry } from '../src/auth/people/people-registry';
import { runInContext } from '../src/platform/http/request-context';
import { hashTogether } from './support/cheap-hashes';
import { Gateway } from './support/gateway';
import { Mailbox, tokenIn } from './support/mailbox';
import type { Merchant } from './support/merchant';
import { BEHIND_PROXY, from, newIp } from './support/outsider';
import { callJson, member, PASSWORD, staff, type TestPerson, totpCode } from './support/people';
import { expectProblem } from './support/problems';

type PersonBody = {
  id: string;
  email: string;
  role: string;
  status: string;
  client: string | null;
};
interface Page {
  data: PersonBody[];
  has_more: boolean;
}

describe('people', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  let mailbox: Mailbox;
  let invited = 0;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { TRUSTED_PROXIES: BEHIND_PROXY.TRUSTED_PROXIES } });
    mailbox = new Mailbox(gateway.settings.dataDir, gateway.database);
  });
  beforeEach(async () => {
    merchant = await gateway.merchant({ name: 'Corner shop' });
  });
  afterAll(() => gateway.stop());

  const post = <Body = Record<string, unknown>>(path: string, body: unknown) =>
    callJson<Body>(`${gateway.url}/v1/auth/${path}`, 'POST', body, from(newIp()));
  const newEmail = () => `invited${(invited += 1)}@people.example`;
  const tokenFor = async (email: string) => tokenIn((await mailbox.next(email)).text);
  const accept = (token: string) => post('password/reset/confirm', { token, password: PASSWORD });
  const invite = (by: TestPerson, email: string, role = 'viewer') => by.post<PersonBody>('/v1/people', { email, role });
  const change = (by: TestPerson, { id }: { id: string }, role: string) => by.call<PersonBody>('PATCH', `/v1/people/${id}`, { role });
  const remove = (by: TestPerson, { id }: { id: string }) => by.call('DELETE', `/v1/people/${id}`);
  const operator = <T>(work: () => Promise<T>) => runInContext({ requestId: 'test', actor: { type: 'operator', id: 'tests' }, startedAt: 0 }, work);
  const rolesOf = (clientId: string) =>
    gateway.database.value<number>("select count(*)::int from people where client_id = $1 and role = 'owner' and status = 'active'", [clientId]);

  describe('of a client', () => {
    it('are invited by mail and become active with a password of their own', async () => {
      const owner = await member(gateway, merchant, 'owner');
      const email = newEmail();
      const { status, body } = await invite(owner, email, 'developer');
      const { clientId: client } = merchant.credentials;
      expect([status, body]).toMatchObject([201, { object: 'person', email, role: 'developer', status: 'invited', client }]);
      const { text } = await mailbox.next(email);
      expect(text).toContain('join "Corner shop" as developer');
      expectProblem(await post('email/verify', { token: tokenIn(text) }), 422, 'validation_failed');
      hashTogether(gateway.app, 2);
      const tries = await Promise.all([accept(tokenIn(text)), accept(tokenIn(text))]);
      expect(tries.map((answer) => answer.status).sort()).toEqual([200, 422]);
      const login = await post<{ access_token: string }>('login', { email, password: PASSWORD });
      const me = await callJson(`${gateway.url}/v1/auth/me`, 'GET', undefined, { authorization: `Bearer ${login.body.access_token}` });
      expect(me.body).toMatchObject({ id: body.id, role: 'developer', client });
      expect((await owner.get<PersonBody>(`/v1/people/${body.id}`)).body).toMatchObject({ status: 'active' });
    });

    it('are invited again with a new link, and the old one is dead', async () => {
      const owner = await member(gateway, merchant, 'owner');
      const email = newEmail();
      const first = await invite(owner, email);
      const old = await tokenFor(email);
      const second = await invite(owner, email, 'developer');
      expect(second.body).toMatchObject({ id: first.body.id, role: 'developer', status: 'invited' });
      expectProblem(await accept(old), 422, 'validation_failed');
      expect((await accept(await tokenFor(email))).status).toBe(200);
      expectProblem(await invite(owner, email), 409, 'state_conflict');
    });

    it('are seen by everybody in the client, changed by owners only, and by nobody outside', async () => {
      const [owner, developer, viewer] = [
        await member(gateway, merchant, 'owner'), await member(gateway, merchant, 'developer'), await member(gateway, merchant, 'viewer'),
      ];
      const { body } = await viewer.get<Page>('/v1/people');
      expect(body.data.map(({ id }) => id)).toEqual([viewer.id, developer.id, owner.id]);
      expect(JSON.stringify(body)).not.toMatch(/password|totp|secret|\$2b/);
      expect((await viewer.get<Page>('/v1/people?role=owner&limit=1')).body).toMatchObject({ data: [{ id: owner.id }], has_more: false });
      for (const person of [developer, viewer]) {
        expectProblem(await invite(person, newEmail()), 403, 'forbidden');
        expectProblem(await change(person, viewer, 'owner'), 403, 'forbidden');
        expectProblem(await remove(person, viewer), 403, 'forbidden');
      }
      const stranger = await member(gateway, await gateway.merchant(), 'owner');
      expectProblem(await stranger.get(`/v1/people/${viewer.id}`), 404, 'not_found');
      expectProblem(await change(stranger, viewer, 'owner'), 404, 'not_found');
      expectProblem(await remove(stranger, viewer), 404, 'not_found');
      const admin = await staff(gateway, 'admin');
      expectProblem(await admin.get('/v1/people'), 403, 'forbidden');
      expectProblem(await merchant.get('/v1/people'), 401, 'unauthenticated');
    });

    it('change needs a fresh second factor of an owner who has one', async () => {
      const owner = await member(gateway, merchant, 'owner', { twoFactor: true, fresh: false });
      const viewer = await member(gateway, merchant, 'viewer');
      expectProblem(await change(owner, viewer, 'developer'), 403, 'two_factor_required');
      const answer = await owner.call<PersonBody>('PATCH', `/v1/people/${viewer.id}`, { role: 'developer' }, { 'x-totp-code': await owner.code() });
      expect(answer.body).toMatchObject({ role: 'developer' });
    });

    it('have their new role with the next call, and are out with the next one when removed', async () => {
      const [owner, other] = [await member(gateway, merchant, 'owner'), await member(gateway, merchant, 'owner')];
      expect((await invite(other, newEmail())).status).toBe(201);
      expect((await change(owner, other, 'viewer')).body).toMatchObject({ id: other.id, role: 'viewer' });
      expectProblem(await invite(other, newEmail()), 403, 'forbidden');
      expect((await other.get('/v1/people')).status).toBe(200);
      expect((await remove(owner, other)).status).toBe(204);
      expectProblem(await other.get('/v1/people'), 401, 'unauthenticated');
      expectProblem(await post('refresh', { refresh_token: other.tokens.refresh_token }), 401, 'unauthenticated');
      expectProblem(await post('login', { email: other.email, password: PASSWORD }), 401, 'unauthenticated');
      expectProblem(await owner.get(`/v1/people/${other.id}`), 404, 'not_found');
      expectProblem(await remove(owner, other), 404, 'not_found');
      const kinds = await gateway.database.rows('select kind, before, after from audit_events where object_id = $1 order by id', [other.id]);
      expect(kinds).toEqual([
        { kind: 'person.role_changed', before: { role: 'owner' }, after: { role: 'viewer' } },
        { kind: 'person.removed', before: { role: 'viewer', email: expect.stringMatching(/^o\*\*\*/) }, after: null },
      ]);
      expect((await invite(owner, other.email)).status).toBe(201);
    });

    it('keep their last owner, and nobody changes their own role', async () => {
      const owner = await member(gateway, merchant, 'owner');
      expectProblem(await change(owner, owner, 'viewer'), 409, 'state_conflict');
      expectProblem(await remove(owner, owner), 409, 'state_conflict');
      const other = await member(gateway, merchant, 'owner');
      expectProblem(await change(owner, owner, 'viewer'), 403, 'forbidden');
      expect((await remove(other, other)).status).toBe(204);
      expect(await rolesOf(merchant.credentials.clientId)).toBe(1);
    });

    it('keep an owner when two demote each other at once', async () => {
      for (let round = 1; round <= 5; round += 1) {
        const shop = await gateway.merchant();
        const [first, second] = [await member(gateway, shop, 'owner'), await member(gateway, shop, 'owner')];
        const answers = await Promise.all([change(first, second, 'viewer'), change(second, first, 'viewer')]);
        expect(answers.map(({ status }) => status).sort()).toEqual([200, 403]);
        expect(await rolesOf(shop.credentials.clientId)).toBe(1);
      }
    });

    it('keep an owner when two admins take both away at once', async () => {
      const admins = [await staff(gateway, 'admin'), await staff(gateway, 'admin')];
      for (let round = 1; round <= 5; round += 1) {
        const shop = await gateway.merchant();
        const owners = [await member(gateway, shop, 'owner'), await member(gateway, shop, 'owner')];
        const answers = await Promise.all(owners.map(({ id }, at) => admins[at].call('DELETE', `/v1/admin/people/${id}`)));
        expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
        expect(await rolesOf(shop.credentials.clientId)).toBe(1);
      }
    });

    it.each([
      [{ status: 'active' }, 'status'], [{ client_id: 'x' }, 'client_id'], [{ livemode: true }, 'livemode'], [{ role: 'admin' }, 'role'],
      [{ email: 'x' }, 'email'],
    ])('are not invited with %j', async (wrong, field) => {
      const answer = await (await member(gateway, merchant, 'owner')).post('/v1/people', { email: 'fine@people.example', role: 'viewer', ...wrong });
      expectProblem(answer, 422, 'validation_failed');
      expect(answer.body.errors).toMatchObject([{ field }]);
    });

    it('lose an invitation that nobody accepted in time, and the address is free', async () => {
      const email = newEmail();
      const { body } = await invite(await member(gateway, merchant, 'owner'), email);
      const fresh = await invite(await member(gateway, merchant, 'owner'), newEmail());
      await gateway.database.rows("update one_time_tokens set expires_at = now() - interval '1 second' where person_id = $1", [body.id]);
      await operator(() => gateway.app.get(CleanAccounts).run());
      const statusOf = (id: string) => gateway.database.value('select status from people where id = $1', [id]);
      expect([await statusOf(body.id), await statusOf(fresh.body.id)]).toEqual(['removed', 'invited']);
      expect((await invite(await member(gateway, await gateway.merchant(), 'owner'), email)).status).toBe(201);
    });
  });

  describe('of the staff', () => {
    it('are invited by admins, and can do nothing before they have a second factor', async () => {
      const admin = await staff(gateway, 'admin');
      const email = newEmail();
      const { body } = await admin.post<PersonBody>('/v1/admin/people', { email, role: 'approver' });
      expect(body).toMatchObject({ role: 'approver', client: null, status: 'invited' });
      expect((await accept(await tokenFor(email))).status).toBe(200);
      const login = await post<{ access_token: string }>('login', { email, password: PASSWORD });
      const bearer = { authorization: `Bearer ${login.body.access_token}` };
      expectProblem(await callJson(`${gateway.url}/v1/auth/sessions`, 'GET', undefined, bearer), 403, 'two_factor_required');
    });

    it('invite the first owner of a client', async () => {
      const admin = await staff(gateway, 'admin');
      const email = newEmail();
      const client = merchant.credentials.clientId;
      expect((await admin.post('/v1/admin/people', { email, role: 'owner', client })).body).toMatchObject({ role: 'owner', client });
      expect((await accept(await tokenFor(email))).status).toBe(200);
      expect((await admin.get<Page>(`/v1/admin/people?client=${client}`)).body.data).toMatchObject([{ email, role: 'owner', status: 'active' }]);
      expectProblem(await admin.post('/v1/admin/people', { email: newEmail(), role: 'owner', client: `cli_${'0'.repeat(32)}` }), 404, 'not_found');
      for (const wrong of [{ role: 'owner' }, { role: 'admin', client }]) {
        expectProblem(await admin.post('/v1/admin/people', { email: newEmail(), ...wrong }), 422, 'validation_failed');
      }
    });

    it('are read by admins and auditors, and changed by admins with a fresh second factor', async () => {
      const [admin, auditor, approver] = [await staff(gateway, 'admin'), await staff(gateway, 'auditor'), await staff(gateway, 'approver')];
      const owner = await member(gateway, merchant, 'owner');
      const { body } = await auditor.get<Page>('/v1/admin/people?limit=100');
      expect(body.data.map(({ id }) => id)).toEqual(expect.arrayContaining([admin.id, auditor.id, approver.id]));
      expect(body.data.every(({ client }) => client === null)).toBe(true);
      for (const person of [approver, owner]) expectProblem(await person.get('/v1/admin/people'), 403, 'forbidden');
      const demote = (by: TestPerson) => by.call<PersonBody>('PATCH', `/v1/admin/people/${approver.id}`, { role: 'analyst' });
      expectProblem(await demote(auditor), 403, 'forbidden');
      expectProblem(await demote(await staff(gateway, 'admin', { fresh: false })), 403, 'two_factor_required');
      expect((await demote(admin)).body).toMatchObject({ role: 'analyst' });
      expectProblem(await admin.call('PATCH', `/v1/admin/people/${approver.id}`, { role: 'owner' }), 422, 'validation_failed');
      expectProblem(await admin.call('PATCH', `/v1/admin/people/${owner.id}`, { role: 'viewer' }), 409, 'state_conflict');
    });

    it('keep their last admin', async () => {
      const empty = await Gateway.start();
      try {
        const admin = await staff(empty, 'admin');
        expectProblem(await admin.call('DELETE', `/v1/admin/people/${admin.id}`), 409, 'state_conflict');
        const other = await staff(empty, 'admin');
        const demote = (by: TestPerson, { id }: TestPerson) => by.call('PATCH', `/v1/admin/people/${id}`, { role: 'auditor' });
        const answers = await Promise.all([demote(admin, other), demote(other, admin)]);
        expect(answers.map(({ status }) => status).sort()).toEqual([200, 403]);
        expect(await empty.database.value("select count(*)::int from people where role = 'admin' and status = 'active'")).toBe(1);
      } finally {
        await empty.stop();
      }
    });

    it('set the public half of their signing key', async () => {
      const key = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
      const approver = await staff(gateway, 'approver');
      const answer = await approver.post('/v1/auth/signing-key', { public_key: key });
      expect(answer.body).toMatchObject({ object: 'signing_key', public_key: key });
      expect(await gateway.database.value('select signing_public_key from people where id = $1', [approver.id])).toBe(key);
      expect((await mailbox.next(approver.email)).subject).toBe('Your signing key was changed');
      const set = (person: TestPerson) => person.post('/v1/auth/signing-key', { public_key: key });
      expectProblem(await set(await staff(gateway, 'approver', { fresh: false })), 403, 'two_factor_required');
      expectProblem(await set(await member(gateway, merchant, 'owner')), 403, 'forbidden');
      for (const wrong of [key.slice(0, -1), `${key}AAAA`, key.replace('=', '!'), '']) {
        expectProblem(await approver.post('/v1/auth/signing-key', { public_key: wrong }), 422, 'validation_failed');
      }
    });

    it('are made at the command line, ready to log in and to sign', async () => {
      const made = await operator(() => gateway.app.get(PeopleRegistry).createStaff({ email: 'first@people.example', role: 'admin' }));
      const login = await post<{ ticket: string }>('login', { email: made.email, password: made.password });
      expect((await post('login/2fa', { ticket: login.body.ticket, code: await totpCode(made.totpSecret) })).status).toBe(200);
      const key = createPrivateKey({ key: Buffer.from(made.signingPrivateKey, 'base64'), format: 'der', type: 'pkcs8' });
      const publicHalf = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
      expect(await gateway.database.value('select signing_public_key from people where id = $1', [made.personId])).toBe(publicHalf);
      const stored = JSON.stringify([await gateway.database.rows('select * from people'), await gateway.database.rows('select * from audit_events')]);
      for (const secret of [made.password, made.totpSecret, made.signingPrivateKey]) expect(stored).not.toContain(secret);
      const again = operator(() => gateway.app.get(PeopleRegistry).createStaff({ email: made.email, role: 'admin' }));
      await expect(again).rejects.toMatchObject({ code: 'state_conflict' });
    });

    it('get a new second factor from the operator, and the old one is void', async () => {
      const person = await staff(gateway, 'approver');
      await gateway.database.rows('insert into backup_codes (person_id, code_hash) values ($1, $2)', [person.id, '0'.repeat(64)]);
      const { totpSecret } = await operator(() => gateway.app.get(PeopleRegistry).resetTwoFactor(person.email));
      expect((await mailbox.next(person.email)).subject).toBe('Your second factor was reset');
      expect(await gateway.database.value('select count(*)::int from backup_codes where person_id = $1', [person.id])).toBe(0);
      expectProblem(await post('refresh', { refresh_token: person.tokens.refresh_token }), 401, 'unauthenticated');
      const ticket = async () => (await post<{ ticket: string }>('login', { email: person.email, password: PASSWORD })).body.ticket;
      expectProblem(await post('login/2fa', { ticket: await ticket(), code: await person.code() }), 403, 'two_factor_invalid');
      expect((await post('login/2fa', { ticket: await ticket(), code: await totpCode(totpSecret) })).status).toBe(200);
      const nobody = operator(() => gateway.app.get(PeopleRegistry).resetTwoFactor('nobody@people.example'));
      await expect(nobody).rejects.toMatchObject({ code: 'not_found' });
    });
  });
});
