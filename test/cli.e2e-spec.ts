import { userInfo } from 'node:os';
import { join } from 'node:path';
import { findRunning } from '../src/platform/database/embedded/embedded-postgres';
import { built } from './support/built';
import { type CommandEnd, runHere } from './support/commands';
import { newFolder, query, removeFolders } from './support/embedded-folders';
import { TestDatabase } from './support/database';
import { FakeSlack } from './support/fake-alert-channels';
import { TEST_SECRETS } from './support/gateway';
import { Merchant } from './support/merchant';
import { migratedFolder } from './support/migrated-folder';
import { type Ended, endPrograms, Program, runProgram } from './support/programs';

beforeAll(() => built(), 240_000);
afterAll(endPrograms);
afterAll(removeFolders);

function keysOf({ stdout }: CommandEnd | Ended): { clientId: string; keyId: string; apiKey: string; signingSecret: string } {
  const keys = JSON.parse(stdout) as Record<string, string>;
  return { clientId: keys['client_id'], keyId: keys['key_id'], apiKey: keys['api_key'], signingSecret: keys['signing_secret'] };
}

describe('on the embedded database', () => {
  const dataDir = newFolder();
  const cpg = (...args: string[]) => runProgram('cli', { DATA_DIR: dataDir }, args);
  const cpgHere = (...args: string[]) => runHere({ DATA_DIR: dataDir }, args);

  it('works without a server: starts the database, and stops it again', async () => {
    const early = await cpg('client:create', '--name', 'Too early');
    expect(early).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/db:migrate/) });
    const migrated = await cpg('db:migrate', '--json');
    expect((JSON.parse(migrated.stdout) as { applied: string[] }).applied.length).toBeGreaterThan(5);
    expect(await cpg('db:migrate')).toMatchObject({ code: 0, stdout: 'The database is up to date.\n', stderr: '' });
    const checked = await cpg('ledger:check', '--json');
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\{"ok":true,"accounts":0,.*\}\n$/) });
    expect(await findRunning(dataDir)).toBeUndefined();
  });

  let server: Program | undefined;
  /** The server on the same folder, which the tests from here on share. */
  const besideServer = async () => (server ??= await Program.start('main', { DATA_DIR: dataDir, PORT: '0' })).url();

  it('works beside the server, which knows at once what was made', async () => {
    const url = await besideServer();
    const made = await cpg('client:create', '--name', 'My shop', '--fee-bps', '250', '--rate-multiplier', '3', '--json');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const keys = keysOf(made);
    const payment = await new Merchant(url, keys).post('/v1/payments', { amount: '25.00', currency: 'USD', method: 'simulated' });
    expect(payment.status).toBe(201);

    const database = (await findRunning(dataDir))!;
    expect(await query(database, `select name, fee_bps, rate_multiplier, live_enabled from clients where id = '${keys.clientId}'`))
      .toEqual([{ name: 'My shop', fee_bps: 250, rate_multiplier: 3, live_enabled: false }]);
    const madeBy = `select actor_type, actor_id from audit_events where client_id = '${keys.clientId}' and kind = 'client.created'`;
    expect(await query(database, madeBy)).toEqual([{ actor_type: 'operator', actor_id: userInfo().username }]);
  });

  it('shows a live client\'s keys to people', async () => {
    const { stdout } = await cpgHere('client:create', '--name', 'Live shop', '--live');
    expect(stdout).toMatch(/^The client "Live shop" was made in live mode\./);
    expect(stdout).toMatch(/\n {2}client_id +cli_\w+\n {2}key_id +key_\w+\n {2}api_key +cpg_live_\w+\n {2}signing_secret +\w+\n$/);
  });

  it('gives a client a key for its other book', async () => {
    const { clientId } = keysOf(await cpgHere('client:create', '--name', 'Both books', '--json'));
    const live = await cpgHere('client:key', '--client', clientId, '--live', '--json');
    expect(keysOf(live)).toMatchObject({ clientId, apiKey: expect.stringMatching(/^cpg_live_/) });
    expect(keysOf(await cpgHere('client:key', '--client', clientId, '--json')).apiKey).toMatch(/^cpg_test_/);
    const unknown = await cpgHere('client:key', '--client', `cli_${'0'.repeat(32)}`);
    expect(unknown).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no such client') });
  });

  it('tries the channels of alerts, and exits 1 when one does not take it', async () => {
    const slack = await new FakeSlack().start();
    const good = { DATA_DIR: dataDir, SLACK_WEBHOOK_URL: slack.url + slack.path };
    const tested = await runHere(good, ['alert:test', '--json']);
    expect(tested).toMatchObject({ code: 0, stdout: '{"ok":true,"channels":[{"channel":"slack","sent":true,"error":null}]}\n' });
    expect(slack.taken[0].body.text).toMatch(/^\[low\] Test alert: nothing has happened\n/);
    const bad = await runProgram('cli', { ...good, SECURITY_WEBHOOK_URL: `${slack.url}/elsewhere` }, ['alert:test']);
    expect(bad).toMatchObject({ code: 1, stdout: 'webhook    NOT SENT: The receiver answered 404: no_service\nslack      sent\n' });
    await slack.stop();
  });

  it('is walked by the demo from end to end', async () => {
    const demo = await runProgram('demo', { DATA_DIR: dataDir }, ['--url', await besideServer()]);
    expect(demo).toMatchObject({ code: 0, stderr: '' });
    expect(demo.stdout).toMatch(/available":"24\.37"[^]*signature genuine[^]*insufficient_funds[^]*status completed[^]*Everything went as promised\.\n$/);
    expect((await server!.kill('SIGTERM')).code).toBe(0);
  });
});

describe('the demo', () => {
  it('stops at the first step that is not as promised, and says what to do', async () => {
    const ended = await runProgram('demo', { DATA_DIR: join(newFolder()) }, ['--url', 'http://127.0.0.1:1']);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('Start the server first: npm start') });
  });

  it('says what to set when the server may not send to this computer', async () => {
    const environment = { DATA_DIR: migratedFolder(), WEBHOOKS_ALLOW_PRIVATE_NETWORKS: 'false' };
    const server = await Program.start('main', { ...environment, PORT: '0' });
    const ended = await runProgram('demo', environment, ['--url', await server.url()]);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('WEBHOOKS_ALLOW_PRIVATE_NETWORKS=true') });
    await server.kill('SIGTERM');
  });
});

describe('on a database of the operator\'s own', () => {
  let database: TestDatabase;
  const cpg = (...args: string[]) =>
    runHere({ DATABASE_URL: database.url, ENCRYPTION_MASTER_KEY: TEST_SECRETS.masterKey, DATA_DIR: newFolder() }, args);

  beforeAll(async () => {
    database = await TestDatabase.create();
  });
  afterAll(() => database.drop());

  it('the ledger check names the first fault and exits with 1', async () => {
    const { clientId } = keysOf(await cpg('client:create', '--name', 'Cheated', '--json'));
    await database.rows(
      `insert into ledger_accounts (client_id, livemode, currency, kind, normal_side, credits_posted)
       values ($1, false, 'USD', 'available', 'credit', 100)`,
      [clientId],
    );
    const people = await cpg('ledger:check');
    expect(people).toMatchObject({ code: 1, stderr: '' });
    expect(people.stdout).toMatch(/^The ledger does not add up\. First fault: account cli_.*found 100.*\n$/);
    const { code, stdout } = await cpg('ledger:check', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, fault: { where: expect.stringContaining(clientId), found: '100' } });
  });

  it('replays a provider\'s event, or says why it cannot', async () => {
    await database.rows(
      `insert into inbox_events (source, event_id, type, fingerprint, payload, status)
       values ('stripe', 'evt_1', 'payment_intent.succeeded', $1, '{}', 'quarantined')`,
      ['0'.repeat(64)],
    );
    const unknown = await cpg('webhooks:replay', '--source', 'stripe', '--event', 'evt_2');
    expect(unknown).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^There is no such/) });
    const { stdout } = await cpg('webhooks:replay', '--status', 'quarantined', '--limit', '5', '--json');
    expect(JSON.parse(stdout)).toEqual({ replayed: [{ source: 'stripe', event: 'evt_1', previous_status: 'quarantined' }] });
    expect(await database.value('select status from inbox_events where event_id = $1', ['evt_1'])).toBe('received');
    expect(await database.value('select actor_type from audit_events where kind = $1', ['webhook.replayed'])).toBe('operator');
  });
});

describe('a wrong call', () => {
  it.each([
    [['client:create'], "required option '--name <name>' not specified"],
    [['client:create', '--name', 'x', '--fee-bps', '1e3'], 'Expected a whole number from 0 to 10000.'],
    [['client:create', '--name', ' '], 'Expected 1 to 200 characters'],
    [['webhooks:replay', '--source', 'stripe'], 'Name one event with --source and --event'],
    [['webhooks:replay', '--status', 'applied'], 'Allowed choices are failed, quarantined.'],
    [['ledger:chek'], "unknown command 'ledger:chek'"],
  ])('%j gets one sentence and exit code 64', async (args, sentence) => {
    const { code, stdout, stderr } = await runProgram('cli', { DATA_DIR: newFolder() }, args);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toContain(sentence);
  });

  it('with wrong settings exits with 78', async () => {
    expect(await runProgram('cli', { DATA_DIR: newFolder(), PORT: 'x' }, ['db:migrate'])).toMatchObject({ code: 78, stdout: '' });
  });
});
