import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FEATURE_NAMES } from '../src/fraud/model/features';
import { parseModel } from '../src/fraud/model/model';
import { randomOf } from '../src/fraud/model/random';
import { built } from './support/built';
import { endPrograms, runProgram } from './support/programs';

const HEADER = 'transaction_id,datetime,customer_id,terminal_id,amount,fraud';
const DAY_MS = 86_400_000;
const FIRST_DAY = Date.parse('2026-01-01T00:00:00Z');
const folder = mkdtempSync(join(tmpdir(), 'cpgateway-risk-'));

beforeAll(() => built(), 240_000);
afterEach(endPrograms);
afterAll(() => rmSync(folder, { recursive: true }));

/** Days of a hundred payments each, by four hundred customers. One in thirty is ten times as large as the rest, and a fraud. */
function daysOf(from: number, to: number): string[] {
  const random = randomOf(from + 1);
  return Array.from({ length: (to - from) * 100 }, (_, at) => {
    const moment = new Date(FIRST_DAY + (from + at / 100) * DAY_MS).toISOString().replace(/\.\d{3}Z$/, 'Z');
    const isFraud = random() < 1 / 30;
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

const first = file('first.csv.gz', daysOf(0, 15));
const second = file('second.csv.gz', daysOf(15, 30));
const riskTrain = (...args: string[]) => runProgram('cli', {}, ['risk:train', ...args]);
const measured = ['--data', first, second, '--train-start', '2026-01-08', '--test-days', '6'];

it('trains and measures without a database or settings, and writes the model', async () => {
  const out = join(folder, 'model.json');
  const asJson = await riskTrain(...measured, '--out', out, '--json');
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

it.each([
  ['a file that is not there', join(folder, 'none.csv.gz'), '2026-01-08', 1, 'There is no file '],
  ['no rows in the split', first, '2027-01-01', 1, 'There are no rows in the days of the training.'],
  ['a day that there is not', first, '2026-02-30', 64, 'Expected a day such as 2018-07-04.'],
])('says in one sentence what is wrong with %s', async (_, data, start, code, sentence) => {
  const ended = await riskTrain('--data', data, '--train-start', start);
  expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(sentence) });
  expect(ended.stderr.trim().split('\n')).toHaveLength(1);
});
