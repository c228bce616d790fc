import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runInContext } from '../src/platform/http/request-context';
import { ImportFeed } from '../src/fraud/lists/feeds/import-feed';
import { runHere } from './support/commands';
import { Gateway } from './support/gateway';
import { countryDatabase } from './support/mmdb';
import { staff, type TestPerson } from './support/people';
import { expectProblem } from './support/problems';
import { runProgram } from './support/programs';
import { Receiver, status } from './support/receiver';

const PATH = '/v1/admin/risk/lists';
const reason = 'seen with stolen cards';

interface Entry extends Record<string, unknown> {
  id: string;
  value: string;
}

interface Hit {
  list: string;
  kind: string;
  value: string;
  reason: string;
  id: string;
  source: string;
}

describe('risk lists', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cpgateway-lists-'));
  let gateway: Gateway;
  let admin: TestPerson;
  let feeds: Receiver;

  beforeAll(async () => {
    const countries = path.join(folder, 'countries.mmdb');
    writeFileSync(countries, countryDatabase({ '203.0.113.0/24': 'DE' }));
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false', GEOIP_DATABASE: countries } });
    admin = await staff(gateway, 'admin');
    feeds = await Receiver.start();
  });
  afterEach(() => gateway.database.rows('truncate risk_list_entries'));
  afterAll(async () => {
    await feeds.stop();
    await gateway.stop();
    rmSync(folder, { recursive: true });
  });

  const add = async (change: object) => {
    const answer = await admin.post<Entry>(PATH, { list: 'block', kind: 'ip', value: '203.0.113.7', reason, ...change });
    expect(answer).toMatchObject({ status: 201 });
    return answer.body;
  };
  const idsOf = async (query: string) => (await admin.get<{ data: Entry[] }>(PATH + query)).body.data.map(({ id }) => id);
  const hits = (subjects: object, client = 'cli_1') => gateway.database.value<Hit[]>('select risk_list_hits($1, $2)', [client, subjects]);
  const hitValues = async (subjects: object, client?: string) => (await hits(subjects, client)).map(({ value }) => value);
  const importing = (change: object) => admin.post(`${PATH}/import`, { list: 'block', kind: 'ip', source: 'firehol', ...change });
  const inForce = async (source = 'firehol') =>
    (await gateway.database.rows<{ value: string }>('select value from risk_list_entries where source = $1 and removed_at is null order by value', [source]))
      .map(({ value }) => value);

  describe('by hand', () => {
    it('are added to, found and taken off again, with who did it', async () => {
      const made = await add({ value: '203.0.113.0/24' });
      expect(made).toMatchObject({
        id: expect.stringMatching(/^rle_/), object: 'risk_list_entry', list: 'block', kind: 'ip', value: '203.0.113.0/24', client: null, source: 'staff',
        reason, state: 'active', expires_at: null, created_by: admin.id, removed_at: null,
      });
      expect((await admin.get(PATH)).body).toEqual({ object: 'list', data: [made], has_more: false });
      expect(await hits({ ip: '203.0.113.99' })).toEqual([{ list: 'block', kind: 'ip', value: '203.0.113.0/24', reason, id: made.id, source: 'staff' }]);
      for (const again of [1, 2]) expect([again, (await admin.call('DELETE', `${PATH}/${made.id}`)).status]).toEqual([again, 204]);
      expect(await hits({ ip: '203.0.113.99' })).toEqual([]);
      const removed = { ...made, state: 'removed', removed_at: expect.any(String) as string, removed_by: admin.id, removed_because: 'by staff' };
      expect((await admin.get<{ data: Entry[] }>(`${PATH}?state=removed`)).body.data).toEqual([removed]);
      const audited = await gateway.database.rows('select kind, actor_id, before, after from audit_events where object_id = $1 order by id', [made.id]);
      expect(audited).toEqual([
        { kind: 'risk_list.entry_added', actor_id: admin.id, before: null, after: made },
        { kind: 'risk_list.entry_removed', actor_id: admin.id, before: made, after: removed },
      ]);
      expect((await admin.call('DELETE', `${PATH}/rle_${'0'.repeat(32)}`)).status).toBe(404);
    });

    it('are found by what they hold', async () => {
      const range = await add({ value: '198.51.0.0/16' });
      const address = await add({ value: '198.51.100.7' });
      const domain = await add({ list: 'allow', kind: 'email_domain', value: '@Example.com' });
      const { clientId } = (await gateway.merchant()).credentials;
      const own = await add({ kind: 'country', value: 'kp', client: clientId });
      expect([
        await idsOf('?address=198.51.100.7'), await idsOf('?address=198.51.9.9'), await idsOf('?kind=email_domain&value=EXAMPLE.com'),
        await idsOf('?list=allow'), await idsOf(`?client=${clientId}`), await idsOf('?source=staff&kind=ip'), await idsOf('?state=expired'),
      ]).toEqual([[address.id, range.id], [range.id], [domain.id], [domain.id], [own.id], [address.id, range.id], []]);
      for (const query of ['?address=nowhere', '?value=DE', '?kind=ssn', "?address=1.1.1.1' or true--"]) {
        expect([query, (await admin.get(PATH + query)).status]).toEqual([query, 422]);
      }
    });

    it('hold one entry for a value, until it has ended', async () => {
      const first = await add({ value: 'de', kind: 'country', expires_at: new Date(Date.now() + 60_000).toISOString() });
      const second = await admin.post(PATH, { list: 'block', kind: 'country', value: 'DE', reason });
      expectProblem(second, 409, 'state_conflict');
      expect(second.body.detail).toContain(first.id);
      await gateway.database.rows("update risk_list_entries set expires_at = now() - interval '1 second' where id = $1", [first.id]);
      expect([await idsOf('?state=expired'), await hits({ country: 'DE' })]).toEqual([[first.id], []]);
      const answers = await Promise.all([1, 2, 3].map(() => admin.post<Entry>(PATH, { list: 'block', kind: 'country', value: 'DE', reason })));
      expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409, 409]);
      expect(await hitValues({ country: 'de' })).toEqual(['DE']);
    });

    it.each([
      [{ value: '0.0.0.0/0' }, 422], [{ value: '8.0.0.0/7' }, 422], [{ value: '2000::/15' }, 422], [{ value: '203.0.113.7/24' }, 422],
      [{ kind: 'country', value: 'Germany' }, 422], [{ kind: 'card', value: '4242424242424242' }, 422], [{ reason: '' }, 422],
      [{ expires_at: '2020-01-01T00:00:00Z' }, 422], [{ list: 'grey' }, 422], [{ client: `cli_${'0'.repeat(32)}` }, 404],
    ])('are not added to with %j', async (change, expected) => {
      expect((await admin.post(PATH, { list: 'block', kind: 'ip', value: '203.0.113.7', reason, ...change })).status).toBe(expected);
      expect(await gateway.database.value('select count(*)::int from risk_list_entries')).toBe(0);
    });

    it('are changed by admins and analysts with a fresh second factor, and read by all staff', async () => {
      const body = { list: 'block', kind: 'ip', value: '203.0.113.7', reason };
      for (const [role, changes] of [['analyst', 201], ['approver', 403], ['auditor', 403]] as const) {
        const person = await staff(gateway, role);
        expect([role, (await person.get(PATH)).status, (await person.post(PATH, body)).status]).toEqual([role, 200, changes]);
      }
      const stale = await staff(gateway, 'admin', { fresh: false });
      for (const [route, sent] of [[PATH, body], [`${PATH}/import`, { ...body, source: 'x', content: '203.0.113.7' }]] as const) {
        expectProblem(await stale.post(route, sent), 403, 'two_factor_required');
      }
    });
  });

  describe('for the engine', () => {
    it('tell every entry in force about a payer, of all clients and of this one', async () => {
      const { clientId } = (await gateway.merchant()).credentials;
      await add({ value: '2001:db8::/32' });
      await add({ value: '203.0.113.0/24' });
      await add({ list: 'allow', value: '203.0.113.7' });
      await add({ kind: 'email_domain', value: 'example.com', client: clientId });
      await add({ kind: 'customer', value: 'Anna-7' });
      await add({ kind: 'destination', value: 'TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE' });
      await add({ kind: 'card', value: 'fp_1' });
      const everything = {
        ip: '203.0.113.7', country: 'DE', customer: 'Anna-7', email_domain: 'Mail.EXAMPLE.com', destination: 'TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE', card: 'fp_1',
      };
      expect((await hits(everything, clientId)).map(({ list, kind, value }) => [list, kind, value])).toEqual([
        ['block', 'card', 'fp_1'], ['block', 'customer', 'Anna-7'], ['block', 'destination', 'TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE'],
        ['block', 'email_domain', 'example.com'], ['block', 'ip', '203.0.113.0/24'], ['allow', 'ip', '203.0.113.7'],
      ]);
      expect(await hitValues({ email_domain: 'example.com' }, 'cli_other')).toEqual([]);
      expect(await hitValues({ email_domain: 'notexample.com' }, clientId)).toEqual([]);
      expect(await hitValues({ ip: '::FFFF:203.0.113.9' })).toEqual(['203.0.113.0/24']);
      expect(await hitValues({ ip: '2001:db8::1' })).toEqual(['2001:db8::/32']);
    });

    it.each([{}, { ip: 'nowhere' }, { ip: '' }, { ip: null }, { ip: '203.0.113.7%eth0' }, { country: '' }, { email_domain: '...' }, { email_domain: 'x'.repeat(5_000) }])(
      'never fail for %j', async (subjects) => {
        await add({});
        expect(await hits(subjects)).toEqual([]);
      },
    );

    it('tell at most twenty, blocks before allows', async () => {
      await gateway.database.rows(
        `insert into risk_list_entries (id, list, kind, value, source, reason)
         select new_id('rle'), case when g > 30 then 'block' else 'allow' end, 'ip', '203.0.113.7', 'feed-' || g, 'r' from generate_series(1, 35) g`,
      );
      const found = await hits({ ip: '203.0.113.7' });
      expect(found.map(({ list }) => list)).toEqual([...Array<string>(5).fill('block'), ...Array<string>(15).fill('allow')]);
    });

    it('walk indexes only, also with a plan from when the lists were empty', async () => {
      const connection = await gateway.database.pool.connect();
      await connection.query("select risk_list_hits('cli_1', '{\"ip\": \"203.0.113.7\", \"country\": \"DE\"}')");
      await connection.query(
        `insert into risk_list_entries (id, list, kind, value, source, reason)
         select new_id('rle'), 'block', 'ip', host('10.0.0.0'::inet + g * 11), 'feed', 'r' from generate_series(1, 5000) g`,
      );
      const { rows } = await connection.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
        `explain (analyze, buffers, format json) select risk_list_hits('cli_1', '{"ip": "203.0.113.7", "country": "DE", "card": "a", "email_domain": "a.b.c"}')`,
      );
      connection.release();
      const plan = rows[0]['QUERY PLAN'][0].Plan;
      expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(60);
    });
  });

  describe('by feed', () => {
    it('become what the feed says now, in one step, and say what changed', async () => {
      const first = await importing({ content: '# today\n203.0.113.7\n203.0.113.0/25\nhello\n10.0.0.0/7\n203.0.113.7\n', expires_in_days: 3 });
      expect(first).toMatchObject({ status: 200, body: {
        object: 'risk_list_import', list: 'block', kind: 'ip', source: 'firehol', added: 2, kept: 0, removed: 0, refused: 2,
        refused_lines: [{ line: 4, reason: expect.any(String) }, { line: 5, reason: 'is wider than /8' }], expires_at: expect.any(String),
      } });
      await add({ value: '203.0.113.7' });
      await importing({ source: 'other', content: '203.0.113.7' });
      expect((await importing({ content: '203.0.113.0/25\n198.51.100.1' })).body).toMatchObject({ added: 1, kept: 1, removed: 1, refused: 0, expires_at: null });
      expect([await inForce(), await inForce('other'), await inForce('staff')]).toEqual([['198.51.100.1', '203.0.113.0/25'], ['203.0.113.7'], ['203.0.113.7']]);
      expect(await gateway.database.rows("select value, removed_because, removed_by from risk_list_entries where source = 'firehol' and removed_at is not null"))
        .toEqual([{ value: '203.0.113.7', removed_because: 'no longer in the feed', removed_by: admin.id }]);
      expect(await gateway.database.value("select count(*)::int from risk_list_entries where source = 'firehol' and expires_at is not null and removed_at is null")).toBe(0);
      const audited = await gateway.database.rows<{ after: object }>("select actor_id, after from audit_events where kind = 'risk_list.imported' and object_id = 'firehol' order by id");
      expect(audited).toEqual([
        { actor_id: admin.id, after: { list: 'block', kind: 'ip', source: 'firehol', added: 2, kept: 0, removed: 0, refused: 2, from: 'the request', forced: false } },
        { actor_id: admin.id, after: { list: 'block', kind: 'ip', source: 'firehol', added: 1, kept: 1, removed: 1, refused: 0, from: 'the request', forced: false } },
      ]);
    });

    it('are not emptied by a feed that is broken, unless somebody insists', async () => {
      const many = Array.from({ length: 21 }, (_, at) => `203.0.113.${at}`);
      await importing({ content: many.join('\n') });
      for (const content of ['# nothing today', '<html>\n<h1>Sorry</h1>', '203.0.113.1\n203.0.113.2']) expectProblem(await importing({ content }), 409, 'state_conflict');
      expect(await inForce()).toHaveLength(21);
      expect((await importing({ content: many.slice(0, 3).join('\n') })).status).toBe(200);
      expect((await importing({ content: '# nothing', force: true })).body).toMatchObject({ removed: 3 });
      expect(await inForce()).toEqual([]);
    });

    it('two at once leave one of the two, whole', async () => {
      const [one, other] = [1, 2].map((net) => Array.from({ length: 200 }, (_, at) => `198.51.${net}.${at}`));
      await importing({ content: [...one.slice(100), ...other.slice(100)].join('\n') });
      const answers = await Promise.all([one, other, one, other].map((values) => importing({ content: values.join('\n') })));
      expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
      const left = await inForce();
      expect([one.toSorted(), other.toSorted()]).toContainEqual(left);
    });

    it('take many thousands of values in batches', async () => {
      const text = Array.from({ length: 25_000 }, (_, at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`).join('\n');
      const operator = { requestId: 'test-import', actor: { type: 'operator' as const, id: 'me' }, startedAt: 0 };
      const order = { list: 'block' as const, kind: 'ip' as const, source: 'large', force: false, text, from: 'a file' };
      const made = await runInContext(operator, () => gateway.app.get(ImportFeed, { strict: false }).import(order));
      expect(made).toMatchObject({ added: 25_000, removed: 0, refused: 0 });
      expect(await hitValues({ ip: '10.0.97.167' })).toEqual(['10.0.97.167']);
    });

    it('are read from where people say, and from nowhere else', async () => {
      feeds.from('/list.csv', status(200, {}, 'ip,seen\n203.0.113.7,today\n'));
      feeds.from('/moved', status(301, { location: feeds.url('/list.csv') }));
      feeds.from('/large', status(200, {}, '#'.repeat(10 * 1024 * 1024 + 1)));
      feeds.from('/gone', status(404));
      feeds.from('/long', status(200, {}, '\n'.repeat(200_001)));
      expectProblem(await importing({ url: feeds.url('/long') }), 422, 'validation_failed');
      expect(await importing({ url: feeds.url('/list.csv?token=abc') })).toMatchObject({ status: 502 });
      expect(await importing({ url: feeds.url('/list.csv') })).toMatchObject({ status: 200, body: { added: 1, refused: 1, refused_lines: [{ line: 1 }] } });
      for (const place of ['/moved', '/large', '/gone']) expectProblem(await importing({ url: feeds.url(place) }), 502, 'provider_unavailable');
      for (const url of ['http://169.254.169.254/latest', 'ftp://feeds.example/x', 'http://user:pw@127.0.0.1/x', 'http://nowhere.invalid/x']) {
        expectProblem(await importing({ url }), 422, 'url_not_allowed');
      }
      expect(await inForce()).toEqual(['203.0.113.7']);
      expect(feeds.at('/list.csv')[0].headers).not.toHaveProperty('authorization');
    });

    it('reach no private network where that is not allowed', async () => {
      const outside = await Gateway.start({ database: gateway.database, environment: { WEBHOOKS_ALLOW_PRIVATE_NETWORKS: 'false' } });
      const before = feeds.received.length;
      const there = admin.with({ url: outside.url });
      for (const url of [feeds.url('/list.csv'), feeds.url('/list.csv', '[::ffff:127.0.0.1]'), feeds.url('/list.csv', 'localhost'), 'http://10.0.0.1/x']) {
        expectProblem(await there.post(`${PATH}/import`, { list: 'block', kind: 'ip', source: 'firehol', url }), 422, 'url_not_allowed');
      }
      const ready = await (await fetch(`${outside.url}/health/ready`)).json();
      await outside.stop();
      expect(feeds.received).toHaveLength(before);
      expect(ready).toMatchObject({ status: 'ok', checks: { geoip: 'off' } });
    });

    it.each([
      [{ content: 'x', url: 'http://127.0.0.1/' }], [{}], [{ content: '' }], [{ content: '203.0.113.7', source: 'staff' }], [{ content: '203.0.113.7', source: 'A b' }],
      [{ content: 'DE', kind: 'country' }], [{ content: '203.0.113.7', expires_in_days: 0 }], [{ content: '203.0.113.7', client: 'cli_1' }],
    ])('are not taken with %j', async (change) => {
      expectProblem(await importing(change), 422, 'validation_failed');
    });

    it('are imported at the command line', async () => {
      const file = path.join(folder, 'domains.txt');
      writeFileSync(file, 'trash.example\nnot a domain\n');
      const settings = { DATABASE_URL: gateway.database.url, DATA_DIR: path.join(folder, 'data') };
      const importing = ['risk:import', '--list', 'block'];
      const run = (...args: string[]) => runHere(settings, [...importing, ...args]);
      const domains = ['--kind', 'email_domain', '--source', 'disposable', '--file', file, '--expires-in-days', '7', '--json'];
      const made = await runProgram('cli', settings, [...importing, ...domains]);
      expect([made.code, JSON.parse(made.stdout)]).toMatchObject([0, { added: 1, refused: 1, refused_lines: [{ line: 2 }] }]);
      expect(await hitValues({ email_domain: 'mx.trash.example' })).toEqual(['trash.example']);
      writeFileSync(file, '# nothing');
      expect(await run('--kind', 'email_domain', '--source', 'disposable', '--file', file)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('force') });
      expect(await run('--kind', 'email_domain', '--source', 'disposable', '--file', file, '--force')).toMatchObject({ code: 0, stdout: expect.stringContaining('1 removed') });
      expect(await run('--kind', 'ip', '--source', 'staff', '--file', file)).toMatchObject({ code: 64 });
      expect(await run('--kind', 'ip', '--source', 'x')).toMatchObject({ code: 64 });
      expect(await run('--kind', 'ip', '--source', 'x', '--file', path.join(folder, 'missing'))).toMatchObject({ code: 1, stderr: expect.stringContaining('ENOENT') });
    }, 240_000);
  });

  it('stand beside countries, which readiness tells of', async () => {
    expect(await (await fetch(`${gateway.url}/health/ready`)).json()).toMatchObject({ status: 'ok', checks: { geoip: 'ok' } });
  });
});
