import { Gateway } from './support/gateway';
import { anotherKey } from './support/keys';
import type { Answer, Merchant } from './support/merchant';
import { member } from './support/people';
import { expectProblem } from './support/problems';

const path = '/v1/client/branding';
const unset = {
  object: 'client_branding', display_name: null, logo_url: null, primary_color: null, accent_color: null, support_email: null, support_url: null,
};

describe('what a client shows of itself', () => {
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
  });
  beforeEach(async () => {
    merchant = await gateway.merchant({ live: true, name: 'Ola Nordmann AS' });
  });
  afterAll(() => gateway.stop());

  const change = (body: unknown, by = merchant) => by.call('PATCH', path, body);
  const fieldsOf = ({ status, body }: Answer) => [status, body.code, (body.errors as { field: string }[] | undefined)?.map(({ field }) => field)];
  const stored = async () => (await gateway.database.rows<{ branding: object; revision: string }>(
    'select branding, revision from clients where id = $1', [merchant.credentials.clientId],
  ))[0];

  it('is nothing at first', async () => {
    const { status, body } = await merchant.get(path);
    expect([status, body]).toEqual([200, unset]);
  });

  it('changes field by field, and null clears one', async () => {
    const first = {
      display_name: 'Ola\'s', logo_url: 'https://127.0.0.1/logo.svg', primary_color: '#1A2B3C', accent_color: '#ff8800',
      support_email: 'help@ola.example', support_url: 'https://127.0.0.1/help',
    };
    expect((await change(first)).body).toEqual({ ...unset, ...first, primary_color: '#1a2b3c' });
    const { status, body } = await change({ accent_color: null, display_name: 'Ola' });
    expect([status, body]).toEqual([200, { ...unset, ...first, primary_color: '#1a2b3c', accent_color: null, display_name: 'Ola' }]);
    expect((await merchant.get(path)).body).toEqual(body);
    expect((await stored()).revision).toBe('3');
  });

  it('is the same in both books and told to the audit log once', async () => {
    await change({ display_name: 'Ola' });
    const before = await stored();
    for (const body of [{}, { display_name: 'Ola' }]) expect((await change(body)).status).toBe(200);
    expect(await stored()).toEqual(before);
    expect((await (await anotherKey(gateway, merchant)).get(path)).body).toMatchObject({ display_name: 'Ola' });
    const events = await gateway.database.rows(
      `select livemode, before ->> 'display_name' as before, after ->> 'display_name' as after from audit_events
        where kind = 'client.branding_changed' and object_id = $1`, [merchant.credentials.clientId],
    );
    expect(events).toEqual([{ livemode: null, before: null, after: 'Ola' }]);
  });

  it.each<[object, string]>([
    [{ primary_color: 'red' }, 'primary_color'], [{ primary_color: '#12345' }, 'primary_color'], [{ accent_color: '#1234567' }, 'accent_color'],
    [{ accent_color: '#12345g' }, 'accent_color'], [{ display_name: '' }, 'display_name'], [{ display_name: 'a\tb' }, 'display_name'],
    [{ display_name: 'x'.repeat(101) }, 'display_name'], [{ support_email: 'nobody' }, 'support_email'], [{ support_email: '' }, 'support_email'],
    [{ logo_url: '' }, 'logo_url'], [{ support_url: 7 }, 'support_url'], [{ font: 'Comic' }, 'font'],
  ])('refuses %j', async (body, field) => {
    expect(fieldsOf(await change(body))).toEqual([422, 'validation_failed', [field]]);
    expect(await stored()).toEqual({ branding: {}, revision: '1' });
  });

  it.each([
    'http://127.0.0.1/logo.svg', 'javascript:alert(1)', 'data:image/svg+xml,x', 'https://user:pass@127.0.0.1/', '//127.0.0.1/x', 'https://169.254.169.254/',
    'https://[::ffff:169.254.169.254]/', 'https://0x7f.1/', 'https://nowhere.invalid/logo.svg', 'https://127.0.0.1:22/',
  ])('refuses to send payers to %s', async (url) => {
    for (const field of ['logo_url', 'support_url']) expect(fieldsOf(await change({ [field]: url }))).toEqual([422, 'url_not_allowed', [field]]);
    expect(await stored()).toEqual({ branding: {}, revision: '1' });
  });

  it('leads to no private address where these are not allowed', async () => {
    const strict = await Gateway.start({
      environment: { RATE_LIMITING_ENABLED: 'false', WEBHOOKS_ALLOW_PRIVATE_NETWORKS: 'false' }, database: gateway.database,
    });
    try {
      const caller = merchant.with({ url: strict.url });
      for (const host of ['127.0.0.1', '10.0.0.1', '192.168.1.1', '100.64.0.1', '[::1]', '[fd00::1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]']) {
        expect(fieldsOf(await change({ logo_url: `https://${host}/logo.svg` }, caller))).toEqual([422, 'url_not_allowed', ['logo_url']]);
      }
      expect((await change({ logo_url: 'https://8.8.8.8/logo.svg' }, caller)).status).toBe(200);
    } finally {
      await strict.stop();
    }
  });

  it('is for keys with the scope, and for people by role', async () => {
    const reader = await anotherKey(gateway, merchant, { scopes: ['settings:read'] });
    expect((await reader.get(path)).status).toBe(200);
    expectProblem(await change({ display_name: 'Mine' }, reader), 403, 'scope_missing');
    const [viewer, developer] = [await member(gateway, merchant, 'viewer'), await member(gateway, merchant, 'developer')];
    expect((await viewer.get(path)).status).toBe(200);
    expectProblem(await viewer.call('PATCH', path, { display_name: 'Mine' }), 403, 'forbidden');
    expect((await developer.call('PATCH', path, { display_name: 'Ours' })).body).toMatchObject({ display_name: 'Ours' });
  });

  it('begins with its name', async () => {
    const rename = (body: object) => merchant.call('PATCH', '/v1/client', body);
    const renamed = await rename({ name: 'Kari Nordmann AS' });
    expect([renamed.status, renamed.body]).toEqual([200, expect.objectContaining({ object: 'client', name: 'Kari Nordmann AS', livemode: true })]);
    expect((await merchant.get('/v1/client')).body).toEqual(renamed.body);
    expect((await stored()).revision).toBe('2');
    expect((await rename({ name: 'Kari Nordmann AS' })).status).toBe(200);
    expect((await stored()).revision).toBe('2');
    const events = await gateway.database.rows(`select before, after from audit_events where kind = 'client.renamed' and object_id = $1`, [
      merchant.credentials.clientId,
    ]);
    expect(events).toEqual([{ before: { name: 'Ola Nordmann AS' }, after: { name: 'Kari Nordmann AS' } }]);
    for (const body of [{}, { name: '' }, { name: 'a\nb' }, { name: 'A', status: 'active' }, { name: 'x'.repeat(201) }]) {
      expect((await rename(body)).status).toBe(422);
    }
  });
});
