import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { LabelledPayment } from '../fraud/model/history';

/** A file of payments that cannot be used; the message says which, where and why. */
export class PaymentFileError extends Error {}

const COLUMNS = ['transaction_id', 'datetime', 'customer_id', 'terminal_id', 'amount', 'fraud'];
const LINE_CHARS = 10_000;

/**
 * Reads payments with their outcomes from CSV files, packed or not, a piece at a time. All rows of all files must stand in the order of
 * time. Throws PaymentFileError that names the file and line of what is wrong.
 */
export async function* readLabelledPayments(files: readonly string[]): AsyncGenerator<LabelledPayment[]> {
  let newest = -Infinity;
  for (const file of files) {
    let line = 0;
    for await (const lines of linesOf(file)) {
      const payments: LabelledPayment[] = [];
      for (const text of lines) {
        line += 1;
        if (line === 1) checkHeader(text, file);
        if (line === 1 || text === '') continue;
        const payment = paymentOf(text, `${file}, line ${line}`);
        if (payment.at < newest) {
          throw new PaymentFileError(`${file}, line ${line}: this is earlier than the row before. Give files in the order of time.`);
        }
        newest = payment.at;
        payments.push(payment);
      }
      yield payments;
    }
    if (line === 0) throw new PaymentFileError(`${file} is empty. Expected a first line with ${COLUMNS.join(',')}.`);
  }
}

/** The lines of a file, many at a time. */
async function* linesOf(file: string): AsyncGenerator<string[]> {
  let rest = '';
  try {
    for await (const chunk of open(file)) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LINE_CHARS) throw new PaymentFileError(`${file} is no CSV file of payments: it has a line that does not end.`);
      yield lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
    }
  } catch (error) {
    throw readable(error, file);
  }
  if (rest !== '') yield [rest];
}

function open(file: string): Readable {
  const bytes = createReadStream(file);
  if (!file.endsWith('.gz')) return bytes.setEncoding('utf8');
  const unpacked = createGunzip();
  bytes.on('error', (error) => unpacked.destroy(error));
  return bytes.pipe(unpacked).setEncoding('utf8');
}

/** What reading a file failed of, in a sentence; an error that is none of the file's stays what it is. */
function readable(error: unknown, file: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new PaymentFileError(`There is no file ${file}.`);
  if (code?.startsWith('Z_')) return new PaymentFileError(`${file} cannot be unpacked: it is damaged or not packed with gzip.`);
  return typeof code === 'string' ? new PaymentFileError(`${file} cannot be read (${code}).`) : error;
}

function checkHeader(text: string, file: string): void {
  if (text.replace(/^\uFEFF/, '') !== COLUMNS.join(',')) {
    throw new PaymentFileError(`${file}: expected the columns ${COLUMNS.join(',')}, found ${text.slice(0, 100)}.`);
  }
}

function paymentOf(text: string, where: string): LabelledPayment {
  const fields = text.split(',');
  if (fields.length !== COLUMNS.length) throw new PaymentFileError(`${where}: expected ${COLUMNS.length} fields, found ${fields.length}.`);
  const [, datetime, customer, terminal, amountText, fraud] = fields;
  const wrong = (column: string, what: string, found: string) =>
    new PaymentFileError(`${where}: expected ${what} as ${column}, found "${found.slice(0, 40)}".`);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(datetime) || Number.isNaN(Date.parse(datetime))) {
    throw wrong('datetime', 'a moment such as 2018-07-04T09:30:00Z', datetime);
  }
  if (customer === '') throw wrong('customer_id', 'a name', customer);
  if (terminal === '') throw wrong('terminal_id', 'a name', terminal);
  if (!/^\d+(\.\d+)?$/.test(amountText)) throw wrong('amount', 'a number', amountText);
  if (fraud !== '0' && fraud !== '1') throw wrong('fraud', '0 or 1', fraud);
  return { at: Date.parse(datetime), customer, terminal, amount: Number(amountText), isFraud: fraud === '1' };
}
