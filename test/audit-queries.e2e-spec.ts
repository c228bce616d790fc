import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';
import { callJson, member, PASSWORD, staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';

interface Event {
  id: string;
  kind: string;
  severity?: string;
  actor: unknown;
}
interface List {
  data: Event[];
  has_more: boolean;
}

describe('what staff ask the logs', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  let auditor: TestPerson;
  let owner: TestPerson;

  beforeAll(async () => {
    gateway = await Gateway.start();
    merchant = await gateway.merchant();
    auditor = await staff(gateway, 'auditor');
    owner = await member(gateway, merchant, 'owner');
    await callJson(`${gateway.url}/v1/auth/login`, 'POST', { email: owner.email, password: PASSWORD });
    for (let guess = 0; guess < 2; guess += 1) await callJson(`${gateway.url}/v1/auth/login`, 'POST', { email: owner.email, password: 'wrong' });
    await gateway.database.rows(
      `insert into security_events (id, minute, kind, severity, source, action, occurred_at)
       values ('sev_0188b1d4a80000000000000000000001', now() - interval '2 years', 'suspicious.failed_logins', 'high', 'old', 'flagged', now() - interval '2 years')`);
    await gateway.database.rows(
      `insert into security_events (id, minute, kind, severity, source, actor_id, action)
       values (new_id('sev'), now(), 'suspicious.failed_logins', 'high', 'new', $1, 'flagged')`, [owner.id]);
  });
  afterAll(() => gateway.stop());

  const kinds = ({ data }: List) => data.map(({ kind }) => kind);

  it('tells what a person did, newest first, page by page', async () => {
    const all = await auditor.get<List>(`/v1/admin/audit/users/${owner.id}`);
    expect(kinds(all.body)).toEqual(['login.succeeded', 'login.succeeded']);
    expect(all.body.data[0]).toMatchObject({ object: 'audit_event', actor: { type: 'person', id: owner.id }, client: merchant.credentials.clientId });
    const first = await auditor.get<List>(`/v1/admin/audit/users/${owner.id}?limit=1`);
    expect(first.body.has_more).toBe(true);
    const second = await auditor.get<List>(`/v1/admin/audit/users/${owner.id}?limit=1&starting_after=${first.body.data[0].id}`);
    expect([...first.body.data, ...second.body.data].map(({ id }) => id)).toEqual(all.body.data.map(({ id }) => id));
    expect(second.body.has_more).toBe(false);
  });

  it('keeps to the hours, the severity, the kind and the user', async () => {
    const ask = async (query: string) => (await auditor.get<List>(`/v1/admin/${query}`)).body;
    expect(kinds(await ask('audit/suspicious'))).toEqual(['suspicious.failed_logins', 'suspicious.failed_logins']);
    expect((await ask('audit/suspicious?hours=24')).data).toHaveLength(1);
    expect((await ask('audit/suspicious?severity=low')).data).toHaveLength(0);
    expect(kinds(await ask('security-events?severity=medium&hours=1'))).toEqual(['login.failed']);
    expect(kinds(await ask('security-events?kind=login.failed'))).toEqual(['login.failed']);
    expect(kinds(await ask(`security-events?user=${owner.id}&hours=1`)).sort()).toEqual(['login.failed', 'suspicious.failed_logins']);
  });

  it('refuses what is no query', async () => {
    for (const query of ['hours=0', 'hours=721', 'hours=1e2', 'severity=grave', 'user=usr_1', 'kind=a&kind=b', 'sort=id', 'starting_after=sev_1%27']) {
      const answer = await auditor.get(`/v1/admin/security-events?${query}`);
      expect([query, answer.status]).toEqual([query, 422]);
    }
  });

  it('is for those who investigate', async () => {
    expectProblem(await (await staff(gateway, 'approver')).get('/v1/admin/audit/suspicious'), 403, 'forbidden');
    expectProblem(await owner.get('/v1/admin/security-events'), 403, 'forbidden');
    expectProblem(await merchant.get('/v1/admin/security-events'), 401, 'unauthenticated');
  });
});
