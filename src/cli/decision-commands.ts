import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DECISIONS, type Decision, decisionText } from '../auth/decisions/admin-signature';
import type { CurrencyCode } from '../money/currency';
import { formatAmount } from '../money/money';
import type { UnitOfWork } from '../platform/database/unit-of-work';
import { CommandError } from './command-error';
import { addCommand, print, withGateway } from './command-line';

interface SignOptions {
  id: string;
  decision: Decision;
  keyFile: string;
  revision?: string;
  amount?: string;
  currency?: string;
  destination?: string;
  json?: boolean;
}

interface Words {
  revision: string;
  amount: string;
  currency: string;
  destination: string;
}

const STANDARD_INPUT = 0;

/** Commands for people who decide. */
export function addDecisionCommands(program: Command): void {
  addCommand(program, 'withdrawal:sign', 'sign a decision with your own key and print the headers to send it with')
    .requiredOption('--id <id>', 'the withdrawal, refund or payment that you decide on', objectId)
    .addOption(new Option('--decision <decision>', 'what you decide').choices(DECISIONS).makeOptionMandatory())
    .requiredOption('--key-file <path>', 'a file with your private key as staff:create printed it; - reads standard input')
    .option('--revision <n>', 'what you were shown; without these four they are read from the database')
    .option('--amount <amount>', 'with all decimals')
    .option('--currency <code>', 'for example USDT')
    .option('--destination <text>', 'the whole destination')
    .action(async (options: SignOptions) => {
      const key = readKey(options.keyFile);
      const words = wordsOf(options) ?? (await withGateway((app, parts) => readWords(app.get(parts.UnitOfWork), options.id)));
      const timestamp = String(Math.floor(Date.now() / 1000));
      const text = decisionText({ timestamp, decision: options.decision, objectId: options.id, ...words });
      const headers = { 'X-Timestamp': timestamp, 'X-Admin-Signature': `ed25519=${sign(null, Buffer.from(text), key).toString('base64')}` };
      const { revision, ...rest } = words;
      const shown = Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join('\n');
      print(options, {
        json: { headers, body: { revision: Number(revision), ...rest }, decision: options.decision, id: options.id },
        text: `${shown}\n\nYou ${options.decision} ${options.id} (revision ${revision}): ${words.amount} ${words.currency} to ${words.destination || 'no destination'}.\n`
          + 'Good for five minutes. Send these headers with {revision, amount, currency, destination, totp_code}.',
      });
    });
}

function objectId(text: string): string {
  if (!/^(wd|ref|pay)_[0-9a-f]{32}$/.test(text)) throw new InvalidArgumentError('Expected an id such as wd_… , ref_… or pay_….');
  return text;
}

/** The words that were given; undefined when none were. Some of them would sign what nobody was shown. */
function wordsOf({ revision, amount, currency, destination }: SignOptions): Words | undefined {
  const words = { revision, amount, currency, destination };
  const missing = Object.entries(words).filter(([, value]) => value === undefined).map(([name]) => `--${name}`);
  if (missing.length === Object.keys(words).length) return undefined;
  if (missing.length > 0) throw new CommandError(`Give all four words of what you were shown, or none of them. Missing: ${missing.join(', ')}.`);
  return words as Words;
}

async function readWords(unitOfWork: UnitOfWork, id: string): Promise<Words> {
  const [row] = await unitOfWork.read<{ revision: string; amount_minor: string; currency: CurrencyCode; destination: string }>(
    '',
    `select revision, amount_minor, currency, destination from withdrawals where id = $1
     union all select revision, amount_minor, currency, destination from refunds where id = $1
     union all select revision, greatest(pay_amount_minor - amount_received_minor, 0), pay_currency, coalesce(deposit_address, '')
       from payments where id = $1`,
    [id],
  );
  if (!row) throw new CommandError('There is no such withdrawal, refund or payment here.');
  return { revision: row.revision, amount: formatAmount(BigInt(row.amount_minor), row.currency), currency: row.currency, destination: row.destination };
}

/** PKCS#8 in DER in base64 (RFC 8410), from a file so that it stands in no list of processes. */
function readKey(path: string): KeyObject {
  try {
    const text = readFileSync(path === '-' ? STANDARD_INPUT : path, 'utf8').trim();
    const key = createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' });
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Whatever was wrong with it, nothing of a private key belongs in a message.
  }
  throw new CommandError('This file holds no Ed25519 private key as staff:create prints it (base64 of PKCS#8).');
}
