import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { LabelledPayment } from '../fraud/model/history';
import { PaymentFileError, readLabelledPayments } from './labelled-payments';

const HEADER = 'transaction_id,datetime,customer_id,terminal_id,amount,fraud';
const folder = mkdtempSync(join(tmpdir(), 'cpgateway-payments-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
const csv = (...rows: string[]) => written('rows.csv', [HEADER, ...rows].join('\n'));

const row = (change: Partial<Record<'datetime' | 'customer' | 'terminal' | 'amount' | 'fraud', string>> = {}) => {
  const { datetime = '2026-01-01T10:00:00Z', customer = '1', terminal = '2', amount = '3.50', fraud = '0' } = change;
  return `1,${datetime},${customer},${terminal},${amount},${fraud}`;
};

async function read(...files: string[]): Promise<LabelledPayment[]> {
  const all: LabelledPayment[] = [];
  for await (const payments of readLabelledPayments(files)) all.push(...payments);
  return all;
}

describe('files of payments', () => {
  it('are read one after the other, packed or not, with any line ends', async () => {
    const packed = written('a.csv.gz', gzipSync(`${HEADER}\n${row()}\n`));
    const plain = written('b.csv', `\uFEFF${HEADER}\r\n${row({ datetime: '2026-01-01T10:00:01Z', fraud: '1' })}`);
    expect(await read(packed, plain)).toEqual([
      { at: Date.UTC(2026, 0, 1, 10), customer: '1', terminal: '2', amount: 3.5, isFraud: false },
      { at: Date.UTC(2026, 0, 1, 10, 0, 1), customer: '1', terminal: '2', amount: 3.5, isFraud: true },
    ]);
  });

  it('may be larger than what is read at once', async () => {
    const rows = Array.from({ length: 5000 }, (_, at) => row({ amount: String(at) }));
    expect((await read(csv(...rows))).map(({ amount }) => amount)).toEqual(rows.map((_, at) => at));
  });

  it.each<[string, () => string, string]>([
    ['missing', () => join(folder, 'none.csv.gz'), 'There is no file '],
    ['a folder', () => folder, 'cannot be read (EISDIR).'],
    ['empty', () => written('empty.csv', ''), 'empty.csv is empty.'],
    ['not packed although they say so', () => written('plain.csv.gz', HEADER), 'damaged or not packed with gzip.'],
    ['cut off', () => written('cut.csv.gz', gzipSync(`${HEADER}\n${row()}`).subarray(0, 30)), 'damaged or not packed with gzip.'],
    ['of other columns', () => written('columns.csv', 'a,b\n'), 'columns.csv: expected the columns transaction_id,datetime,'],
    ['no CSV at all', () => written('blob.csv', 'x'.repeat(200_000)), 'it has a line that does not end.'],
    ['short of fields', () => csv('1,2'), 'line 2: expected 6 fields, found 2.'],
    ['wrong in a moment', () => csv(row(), row({ datetime: 'today' })), 'line 3: expected a moment such as'],
    ['wrong in a day', () => csv(row({ datetime: '2026-13-01T00:00:00Z' })), 'line 2: expected a moment such as'],
    ['without a customer', () => csv(row({ customer: '' })), 'expected a name as customer_id'],
    ['without a terminal', () => csv(row({ terminal: '' })), 'expected a name as terminal_id'],
    ['wrong in an amount', () => csv(row({ amount: '-1' })), 'expected a number as amount, found "-1".'],
    ['wrong in an outcome', () => csv(row({ fraud: 'yes' })), 'expected 0 or 1 as fraud, found "yes".'],
    ['out of order', () => csv(row(), row({ datetime: '2026-01-01T09:59:59Z' })), 'line 3: this is earlier than the row before.'],
  ])('that are %s are refused in one sentence', async (_, file, sentence) => {
    const refused = await read(file()).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PaymentFileError);
    expect((refused as Error).message).toContain(sentence);
  });
});
