import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { auditParameter } from '../../src/audit/audit-event';
import type { Payment } from '../../src/payments/payment';
import { paymentColumns } from '../../src/payments/payment';
import { presentPayment } from '../../src/payments/payment-presenter';
import { accessParameter } from '../../src/platform/database/unit-of-work';
import { type KeyAccess, runInContext } from '../../src/platform/http/request-context';
import { claimParameter } from '../../src/platform/idempotency/idempotency';
import { newId } from '../../src/platform/identifiers';
import { eventsParameter } from '../../src/platform/outbox/outbox';

const run = promisify(execFile);

/** Whether pgbench can be run; it comes with Debian's postgresql packages. */
export async function hasPgbench(): Promise<boolean> {
  return run('pgbench', ['--version']).then(() => true, () => false);
}

/** Transactions per second of one script, prepared, with the given number of clients. */
export async function pgbench(url: string, script: string, clients: number, seconds: number): Promise<number> {
  const file = path.join(await mkdtemp(path.join(tmpdir(), 'cpgateway-bench-')), 'script.sql');
  await writeFile(file, script);
  const { stdout } = await run('pgbench', ['-n', '-M', 'prepared', '-c', String(clients), '-j', '2', '-T', String(seconds), '-f', file, url]);
  const perSecond = /^tps = ([0-9.]+)/m.exec(stdout)?.[1];
  if (!perSecond) throw new Error(`pgbench printed no figure:\n${stdout}`);
  return Number(perSecond);
}

const MARK = '0'.repeat(31) + '7';

/**
 * The very statement that a creation is, as a pgbench script: the same function with parameters of the same make, each
 * call with identifiers of its own, spread over the same clients. It scores nothing: what that costs is told by `npm run bench:risk`.
 */
export function creationScript(accesses: readonly KeyAccess[]): string {
  const calls = accesses.map((access) => `select create_payment(${parameters(access).map(literal).join(', ')}, null);`);
  const branches = calls.map((call, at) => `${at === 0 ? '\\if' : '\\elif'} :client_id % ${accesses.length} = ${at}\n${call}`);
  return ['\\set r random(1, 9000000000000000000)', ...branches, '\\endif', ''].join('\n');
}

/** The time and random digits of an identifier, as newId() makes them: random ones alone would scatter over every index. */
const FRESH_ID = `lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0') || lpad(to_hex(:r::bigint), 20, '0')`;

/** Text in which the mark becomes the hex digits of a new identifier at each call. Colons are escaped: pgbench would take them for variables. */
function literal(json: string): string {
  const text = json.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll(':', '\\x3a');
  return `replace(E'${text}', '${MARK}', ${FRESH_ID})::json${json.startsWith('[{"id":"evt') ? '' : 'b'}`;
}

function parameters(access: KeyAccess): string[] {
  const id = (prefix: string) => `${prefix}_${MARK}`;
  const now = new Date();
  const payment: Payment = {
    clientId: access.clientId, livemode: access.livemode, id: id('pay'), status: 'pending', exception: null, review: null, risk: { score: 0, decision: 'allow', reasons: [] },
    amountMinor: 2500n, currency: 'USD', payAmountMinor: 2500n, payCurrency: 'USD', amountReceivedMinor: 0n, amountRefundedMinor: 0n, amountRefundingMinor: 0n,
    feeMinor: 0n, feeBps: access.feeBps, method: 'card', providerReference: null, depositAddress: null, customer: null, payer: null, payerNetwork: null, description: null,
    returnUrl: null, metadata: { order: '1' }, expiresAt: new Date(now.getTime() + 1_800_000), createdAt: now, updatedAt: now, revision: 1n,
  };
  const shown = presentPayment(payment);
  const context = {
    requestId: newId('req'), ip: '127.0.0.1', apiVersion: 'v1', route: '/v1/payments', startedAt: 0,
    actor: { type: 'api_key' as const, id: access.keyId },
  };
  const audit = runInContext(context, () => auditParameter(access, [{ kind: 'payment.created', objectId: payment.id, after: shown }]));
  const claim = { owner: access.clientId, livemode: access.livemode, route: 'POST /v1/payments', key: MARK, fingerprint: 'f'.repeat(64) };
  return [
    accessParameter({ access, key: access }),
    claimParameter(claim, { status: 201, body: JSON.stringify(shown) }),
    JSON.stringify(paymentColumns(payment)),
    audit.replace(/aud_[0-9a-f]{32}/, id('aud')),
    eventsParameter([{ type: 'payment.created', objectId: payment.id, data: shown }], now).replace(/evt_[0-9a-f]{32}/, id('evt')),
  ];
}
