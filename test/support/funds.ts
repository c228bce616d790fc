import { randomUUID } from 'node:crypto';
import { LedgerCheck, type LedgerCheckResult } from '../../src/ledger/ledger-check';
import { formatAmount } from '../../src/money/money';
import type { CurrencyCode } from '../../src/money/currency';
import type { Shown } from './signing';
import type { Gateway } from './gateway';
import type { Merchant } from './merchant';

/** An address that nobody has the key of: base58check of 0x41 and zeros. */
export const SOME_ADDRESS = 'T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb';
export const SOME_IBAN = 'DE89370400440532013000';

/** Gives a merchant money that arrived: minor units, booked as a deposit would be. */
export async function fund(gateway: Gateway, merchant: Merchant, amountMinor: bigint, currency: CurrencyCode, livemode = false): Promise<void> {
  const transfer = { debit: 'provider', credit: 'available', amount_minor: amountMinor.toString(), code: 'test_funds', state: 'posted' };
  await gateway.database.rows("select ledger_transfer($1, $2, $3, jsonb_build_array($4::jsonb || jsonb_build_object('id', new_id('tr'))))", [
    merchant.credentials.clientId, livemode, currency, JSON.stringify({ ...transfer, reference_id: `funds-${randomUUID()}` }),
  ]);
}

/** A saved destination of a merchant that may be used at once; its id. */
export async function destinationOf(gateway: Gateway, merchant: Merchant, body: object = { type: 'tron_address', address: SOME_ADDRESS }): Promise<string> {
  const { body: made, text } = await merchant.post<{ id: string }>('/v1/destinations', body);
  if (!made?.id) throw new Error(`The destination was not made: ${text}`);
  await gateway.database.rows('update destinations set active_at = created_at where client_id = $1 and id = $2', [merchant.credentials.clientId, made.id]);
  return made.id;
}

/** A merchant with funds in USDT and somewhere to send them. */
export async function withFunds(
  gateway: Gateway, options: { amountMinor?: bigint; live?: boolean; currency?: CurrencyCode; destination?: object } = {},
): Promise<{ merchant: Merchant; destination: string; request: (amount?: string) => Promise<string> }> {
  const { amountMinor = 1_000_000_000n, live = false, currency = 'USDT' } = options;
  const merchant = await gateway.merchant({ live });
  await fund(gateway, merchant, amountMinor, currency, live);
  const destination = await destinationOf(gateway, merchant, options.destination);
  const request = async (amount = '10.00') => {
    const { body, text } = await merchant.post<{ id: string }>('/v1/withdrawals', { amount, currency, destination });
    if (!body?.id) throw new Error(`The withdrawal was not made: ${text}`);
    return body.id;
  };
  return { merchant, destination, request };
}

/** A withdrawal as staff would see it now: the words to sign. */
export async function shownOf(gateway: Gateway, id: string): Promise<Shown> {
  const [row] = await gateway.database.rows<{ revision: string; amount_minor: string; currency: CurrencyCode; destination: string }>(
    'select revision, amount_minor, currency, destination from withdrawals where id = $1', [id],
  );
  return { id, revision: Number(row.revision), amount: formatAmount(BigInt(row.amount_minor), row.currency), currency: row.currency, destination: row.destination };
}

/** What the whole ledger's check says. */
export function checkLedger(gateway: Gateway): Promise<LedgerCheckResult> {
  return gateway.app.get(LedgerCheck).run();
}
