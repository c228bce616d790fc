import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FEATURE_NAMES } from '../src/fraud/model/features';
import { parseModel } from '../src/fraud/model/model';
import { randomOf } from '../src/fraud/model/random';
import { built } from './support/built';
import { runHere } from './support/commands';
import { TestDatabase } from './support/database';
import { TEST_SECRETS } from './support/gateway';
import { endPrograms, runProgram } from './support/programs';

const HEADER = 'transaction_id,datetime,customer_id,terminal_id,amount,fraud';
const DAY_MS = 86_400_000;
const FIRST_DAY = Date.parse('2026-01-01T00:00:00Z');
const folder = mkdtempSync(join(tmpdir(), 'cpgateway-risk-'));

beforeAll(() => built(), 240_000);
afterEach(endPrograms);
afterAll(() => rmSync(folder, { recursive: true }));

/** Days of a hundred payments each, by four hundred customers. One in five is ten times as large as the rest, and a fraud. */
function daysOf(from: number, to: number): string[] {
  const random = randomOf(from + 1);
  return Array.from({ length: (to - from) * 100 }, (_, at) => {
    const moment = new Date(FIRST_DAY + (from + at / 100) * DAY_MS).toISOString().replace(/\.\d{3}Z$/, 'Z');
    const isFraud = random() < 1 / 5;
    const amount = (isFraud ? 200 : 20) * (0.8 + 0.4 * random());
    const parties = `${Math.floor(random() * 400)},${Math.floor(random() * 20)}`;
    return `${from * 100 + at},${moment},${parties},${amount.toFixed(2)},${Number(isFraud)}`;
  });
}

function file(name: string, rows: string[], header = HEADER): string {
  const path = join(folder, name);
  writeFileSync(path, gzipSync(`${[header, ...rows].join('\n')}\n`));
  return path;
}

/** Fifty payments a day of strangers, one in five of them large and known as a fraud. What was stopped is no payment. */
const OWN_HISTORY = `
  with rows as (
    select 'pay_' || lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0') || lpad(n::text, 20, '0') as id, at, n, n % 5 = 0 as fraud,
           (case when n % 5 = 0 then 20000 else 2000 end + n % 700) as minor
      from (select n, date_trunc('day', now() at time zone 'UTC') at time zone 'UTC' - n * interval '1728 seconds' as at from generate_series(1, 3000) n) r
  ), paid as (
    insert into payments (client_id, livemode, id, status, amount_minor, currency, pay_amount_minor, pay_currency, amount_received_minor, amount_refunded_minor,
                          fee_minor, fee_bps, method, metadata, expires_at, created_at, updated_at, revision)
    select 'cli_1', false, id, 'expired', minor, 'USD', minor, 'USD', 0, 0, 0, 0, 'card', '{}', at, at, at, 1 from rows
  ), labelled as (
    insert into risk_labels (client_id, livemode, subject_id, label, source, labelled_by)
    select 'cli_1', false, id, case when fraud then 'fraud' else 'legitimate' end, 'staff', 'usr_x' from rows where n % 2 = 1 or fraud
  )
  insert into risk_assessments (client_id, livemode, subject_id, subject, score, decision, reasons, signals, fired, revision, amount_minor, currency, created_at)
  select 'cli_1', false, id, 'payment', 0, 'allow', '[]', '{}', '{}', 1, minor, 'USD', at from rows`;

const first = file('first.csv.gz', daysOf(0, 15));
const second = file('second.csv.gz', daysOf(15, 30));
const riskTrain = (...args: string[]) => runHere({}, ['risk:train', ...args]);
const measured = ['--data', first, second, '--train-start', '2026-01-08', '--test-days', '6'];

it('trains and measures without a database or settings, and writes the model', async () => {
  const out = join(folder, 'model.json');
  const asJson = await runProgram('cli', {}, ['risk:train', ...measured, '--out', out, '--json']);
  expect(asJson).toMatchObject({ code: 0, stderr: '' });
  const figures = JSON.parse(asJson.stdout) as Record<string, number>;
  expect(figures).toMatchObject({
    train: { rows: 700, frauds: expect.any(Number) }, test: { rows: expect.any(Number), frauds: expect.any(Number) }, model: out,
  });
  expect(figures['auc_roc']).toBeGreaterThan(0.98);
  expect(figures['average_precision']).toBeGreaterThan(0.9);
  expect(figures['card_precision_100']).toBeGreaterThan(0.01);
  expect(parseModel(readFileSync(out, 'utf8'), FEATURE_NAMES).trees.length).toBeGreaterThan(10);

  const forPeople = await riskTrain(...measured);
  expect(forPeople.stdout).toMatch(/^training +700 rows, \d+ frauds\ntest +\d+ rows, \d+ frauds\nAUC ROC +[01]\.\d{4}\n/);
  expect(forPeople.stdout).toContain(`average precision     ${figures['average_precision'].toFixed(4)}\n`);
  expect(forPeople.stdout).toMatch(/\ncard precision at 100 0\.\d{4}\nseconds +\d+\.\d\n$/);
});

describe('with a database', () => {
  let database: TestDatabase;
  const stored = (...args: string[]) =>
    runHere({ DATABASE_URL: database.url, ENCRYPTION_MASTER_KEY: TEST_SECRETS.masterKey, DATA_DIR: folder }, ['risk:train', ...args, '--store']);

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.rows("insert into clients (id, name, status) values ('cli_1', 'A shop', 'active')");
    await database.rows(OWN_HISTORY);
  });
  afterAll(() => database.drop());

  it('stores what it has trained, under the next version', async () => {
    const made = await stored(...measured);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(/\nstored as version +1\n$/);
    const [kept] = await database.rows('select version, trained_on, figures, body from risk_models');
    expect(kept).toMatchObject({ version: 1, trained_on: 'first.csv.gz, second.csv.gz', figures: { train: { rows: 700 }, split: { train_start: '2026-01-08', seed: 1 } } });
    expect(parseModel(JSON.stringify(kept!.body), FEATURE_NAMES).trees.length).toBeGreaterThan(10);
  });

  it("trains on the gateway's own payments of a mode, and measures the rules on them too", async () => {
    const made = await stored('--json');
    expect([made.code, made.stderr]).toEqual([0, '']);
    const figures = JSON.parse(made.stdout) as Record<string, unknown>;
    const day = (ago: number) => new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10);
    expect(figures).toMatchObject({
      train_start: day(28), train: { rows: 350, frauds: 70 }, test: { rows: 350, frauds: 70 }, version: expect.any(Number),
      rules: { auc_roc: 0.5, average_precision: 0.2 },
    });
    expect(figures['average_precision']).toBeGreaterThan(0.9);
    const kept = await database.rows('select figures, trained_on from risk_models order by version desc limit 1');
    expect(kept).toEqual([{ trained_on: 'own payments, test mode', figures: expect.objectContaining({ rules: expect.objectContaining({ average_precision: 0.2 }) }) }]);
  }, 60_000);
});

it.each([
  ['a file that is not there', join(folder, 'none.csv.gz'), '2026-01-08', 1, 'There is no file '],
  ['no rows in the split', first, '2027-01-01', 1, 'There are no rows in the days of the training.'],
  ['a day that there is not', first, '2026-02-30', 64, 'Expected a day such as 2018-07-04.'],
])('says in one sentence what is wrong with %s', async (_, data, start, code, sentence) => {
  const ended = await riskTrain('--data', data, '--train-start', start);
  expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(sentence) });
  expect(ended.stderr.trim().split('\n')).toHaveLength(1);
});
