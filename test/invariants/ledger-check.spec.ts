import { DataSource } from 'typeorm';
import { CheckLedgerJob } from '../../src/ledger/check-ledger.job';
import { LedgerCheck } from '../../src/ledger/ledger-check';
import { BOOK_CHECKS } from '../../src/ledger/ledger-check-queries';
import { LedgerSnapshot } from '../../src/ledger/ledger-snapshot';
import { Ledger } from '../../src/ledger/ledger.service';
import { UnitOfWork } from '../../src/platform/database/unit-of-work';
import { runInContext } from '../../src/platform/http/request-context';
import { newId } from '../../src/platform/identifiers';
import { TestDatabase } from '../support/database';
import { Gateway } from '../support/gateway';
import type { Merchant } from '../support/merchant';

const system = { requestId: 'test-ledger', actor: { type: 'system' as const }, startedAt: 0 };

/** What was booked before each mutation, by the names that the mutations and the expected faults use. */
interface Names {
  client: string;
  payment: string;
  /** Transfers: 25.00 paid, its fee of 0.63, and 10.00 held. */
  paid: string;
  fee: string;
  held: string;
  /** Entries of those two: debit and credit of the payment, debit of the fee. */
  paidDebit: string;
  paidCredit: string;
  feeDebit: string;
}

type Mutation = [what: string, sql: (names: Names) => string, fault: (names: Names) => { where: string; expected: string; found: string }];

const account = (kind: string) => ({ client }: Names) => `account ${client} test USD ${kind}`;
const setAccount = (kind: string, change: string) => ({ client }: Names) =>
  `update ledger_accounts set ${change} where client_id = '${client}' and kind = '${kind}'`;
const setEntry = (name: 'paidDebit' | 'paidCredit' | 'feeDebit', change: string) => (names: Names) =>
  `update ledger_entries set ${change} where client_id = '${names.client}' and id = '${names[name]}'`;
const setTransfer = (name: 'paid' | 'fee' | 'held', change: string) => (names: Names) =>
  `update ledger_transfers set ${change} where client_id = '${names.client}' and id = '${names[name]}'`;
const entryOf = (name: 'paidDebit' | 'paidCredit' | 'feeDebit', kind: string, field: string) => (names: Names) =>
  `entry ${names[name]} of ${account(kind)(names)}, ${field}`;

const EARLIEST = `ent_${'0'.repeat(32)}`;

const MUTATIONS: readonly Mutation[] = [
  ['a posted total', setAccount('available', 'credits_posted = credits_posted + 1'),
    (n) => ({ where: `${account('available')(n)}, credits_posted`, expected: '2500', found: '2501' })],
  ['a posted total of a debit account', setAccount('provider', 'debits_posted = debits_posted + 1'),
    (n) => ({ where: `${account('provider')(n)}, debits_posted`, expected: '2500', found: '2501' })],
  ['a held total', setAccount('available', 'debits_pending = 0'),
    (n) => ({ where: `${account('available')(n)}, debits_pending`, expected: '1000', found: '0' })],
  ['an awaited total', setAccount('payout', 'credits_pending = 7'),
    (n) => ({ where: `${account('payout')(n)}, credits_pending`, expected: '1000', found: '7' })],
  ['the count of entries', setAccount('fees', 'entry_count = 5'),
    (n) => ({ where: `${account('fees')(n)}, entry_count`, expected: '1', found: '5' })],
  ['the amount of an entry', setEntry('paidCredit', 'amount_minor = 2400'),
    (n) => ({ where: `entry ${n.paidCredit} of transfer ${n.paid}, amount_minor`, expected: '2500', found: '2400' })],
  ['the balance of an entry', setEntry('paidCredit', 'balance_minor = 9999'),
    (n) => ({ where: entryOf('paidCredit', 'available', 'balance_minor')(n), expected: '2500', found: '9999' })],
  ['the number of an entry', setEntry('feeDebit', 'seq = 3'),
    (n) => ({ where: entryOf('feeDebit', 'available', 'seq')(n), expected: '2', found: '3' })],
  ['the id of an entry', setEntry('feeDebit', `id = '${EARLIEST}'`),
    (n) => ({ where: `entry ${EARLIEST} of ${account('available')(n)}, id`, expected: `one after ${n.paidCredit}`, found: EARLIEST })],
  ['the account of an entry', setEntry('paidDebit', "kind = 'fees', seq = 2"),
    (n) => ({ where: `entry ${n.paidDebit} of transfer ${n.paid}, account`, expected: 'test USD provider', found: 'test USD fees' })],
  ['a vanished entry', (n) => `delete from ledger_entries where client_id = '${n.client}' and id = '${n.feeDebit}'`,
    (n) => ({ where: `transfer ${n.fee}, entries`, expected: 'debit credit', found: 'credit' })],
  ['the amount of a transfer', setTransfer('paid', 'amount_minor = 2600'),
    (n) => ({ where: `transfer ${n.paid}, amount_minor`, expected: '2500', found: '2600' })],
  ['the amount of a held transfer', setTransfer('held', 'amount_minor = 900'),
    (n) => ({ where: `${account('available')(n)}, debits_pending`, expected: '900', found: '1000' })],
  ['the account of a transfer', setTransfer('paid', "debit_kind = 'fees'"),
    (n) => ({ where: `entry ${n.paidDebit} of transfer ${n.paid}, account`, expected: 'test USD fees', found: 'test USD provider' })],
  ['a posted transfer called void', setTransfer('fee', "state = 'voided'"),
    (n) => ({ where: `transfer ${n.fee}, entries`, expected: '', found: 'debit credit' })],
  ['a held transfer called posted', setTransfer('held', "state = 'posted', settled_at = now()"),
    (n) => ({ where: `transfer ${n.held}, entries`, expected: 'debit credit', found: '' })],
  ['a held transfer called void', setTransfer('held', "state = 'voided', settled_at = now()"),
    (n) => ({ where: `${account('available')(n)}, debits_pending`, expected: '0', found: '1000' })],
  ['the code of a transfer', setTransfer('fee', "code = 'payment'"),
    (n) => ({ where: `payment ${n.payment}, amount_received_minor by the ledger`, expected: '2563', found: '2500' })],
  ['what a payment has received', (n) => `update payments set amount_received_minor = 2600 where id = '${n.payment}'`,
    (n) => ({ where: `payment ${n.payment}, amount_received_minor by its receipts`, expected: '2500', found: '2600' })],
  ['the fee of a payment', (n) => `update payments set fee_minor = 1 where id = '${n.payment}'`,
    (n) => ({ where: `payment ${n.payment}, fee_minor by the ledger`, expected: '63', found: '1' })],
  ['a receipt', (n) => `delete from payment_receipts where payment_id = '${n.payment}'`,
    (n) => ({ where: `payment ${n.payment}, amount_received_minor by its receipts`, expected: '0', found: '2500' })],
];

describe('the check of the ledger', () => {
  let database: TestDatabase;
  let gateway: Gateway;
  let merchant: Merchant;
  let names: Names;

  beforeAll(async () => {
    database = await TestDatabase.create();
    gateway = await Gateway.start({ database });
    // Clients before and after: the fault must be found among others.
    await pay(await gateway.merchant());
    merchant = await gateway.merchant({ feeBps: 250 });
    names = await book(merchant);
    await pay(await gateway.merchant({ feeBps: 100 }));
  });
  afterAll(async () => {
    await gateway.stop();
    await database.drop();
  });

  const check = () => gateway.app.get(LedgerCheck).run();

  it('passes, and counts what it has seen', async () => {
    const result = await check();
    expect(result).toEqual({
      ok: true, durationMs: expect.any(Number),
      counts: { accounts: 9, transfers: 6, entries: 10, payments: 3, receipts: 3, refunds: 0, withdrawals: 0, unmatched_deposits: 0 },
    });
  });

  it.each(MUTATIONS)('names the fault after somebody has changed %s', async (_, sql, fault) => {
    await tamper(sql(names), async () => {
      const result = await check();
      expect(result).toMatchObject({ ok: false, fault: fault(names) });
    });
    expect(await check()).toMatchObject({ ok: true });
  });

  it('names an account below zero, should the constraint ever be missing', async () => {
    await tamper(
      `alter table ledger_accounts drop constraint ledger_accounts_never_negative;
       select ledger_transfer('${names.client}', false, 'USD', '[{"id": "tr_x", "debit": "available", "credit": "payout",
         "amount_minor": 5000, "code": "test_hold", "state": "pending", "reference_id": "wd_x"}]')`,
      async () => expect((await check()).fault).toMatchObject({
        where: `${account('available')(names)}, balance less what is held`, found: '-3563',
      }),
    );
  });

  it('would notice unequal debits and credits by the trial balance alone', async () => {
    const { sql } = BOOK_CHECKS.at(-1)!;
    expect(await database.rows(sql, ['', '~'])).toEqual([]);
    await tamper(setAccount('fees', 'credits_posted = credits_posted + 1')(names), async () => {
      expect(await database.rows(sql, ['', '~'])).toEqual([
        {
          place: `book ${names.client} test USD, debits = credits`,
          expected: '2563 posted, 1000 pending', found: '2564 posted, 1000 pending',
        },
      ]);
    });
  });

  it('looks at every client, however many there are', async () => {
    const many = `insert into ledger_accounts (client_id, livemode, currency, kind, normal_side, credits_posted)
                  select 'cli_z' || lpad(n::text, 4, '0'), true, 'USD', 'available', 'credit', (n / 250)::int
                    from generate_series(1, 250) n`;
    await tamper(many, async () => {
      const where = 'account cli_z0250 live USD available, credits_posted';
      expect((await check()).fault).toMatchObject({ where, expected: '0', found: '1' });
    });
  });

  it('reads one moment of the database, and can write nothing', async () => {
    await LedgerSnapshot.read(gateway.app.get(DataSource), async (snapshot) => {
      const count = () => snapshot.query('select count(*) from ledger_entries');
      const before = await count();
      await pay(merchant);
      expect(await count()).toEqual(before);
    });
    const write = LedgerSnapshot.read(gateway.app.get(DataSource), (snapshot) => snapshot.query('delete from ledger_entries'));
    await expect(write).rejects.toMatchObject({ code: '25006' });
  });

  it('finds no fault in what is booked meanwhile', async () => {
    let done = false;
    const busy = (async () => {
      while (!done) await pay(merchant);
    })();
    try {
      for (let round = 0; round < 5; round += 1) expect(await check()).toMatchObject({ ok: true });
    } finally {
      done = true;
      await busy;
    }
  });

  it('tells of a fault as a critical security event, by schedule', async () => {
    const job = gateway.app.get(CheckLedgerJob);
    await runInContext(system, () => job.run());
    const faults = () => database.rows(`select severity, details from security_events where kind = 'ledger.fault'`);
    expect(await faults()).toEqual([]);
    await tamper(setAccount('fees', 'credits_posted = credits_posted + 1')(names), async () => {
      await runInContext(system, () => job.run());
    });
    expect(await faults()).toMatchObject([{ severity: 'critical', details: { where: `${account('fees')(names)}, credits_posted` } }]);
    expect(job.schedule.split(' ')).toHaveLength(5);
  });

  async function pay(payer: Merchant): Promise<string> {
    const { body } = await payer.post('/v1/payments', { amount: '25.00', currency: 'USD', method: 'simulated' });
    await payer.post(`/v1/test/payments/${body.id}/pay`, {});
    return body.id as string;
  }

  async function book(of: Merchant): Promise<Names> {
    const payment = await pay(of);
    const client = of.credentials.clientId;
    const held = await runInContext(system, () => gateway.app.get(UnitOfWork).run((tx) => gateway.app.get(Ledger).hold(
      tx, { clientId: client, livemode: false }, 'USD', { amountMinor: 1000n, code: 'test_hold', referenceId: newId('wd') })));
    const transfer = (code: string) =>
      database.value<string>('select id from ledger_transfers where client_id = $1 and code = $2', [client, code]);
    const [paid, fee] = [await transfer('payment'), await transfer('fee')];
    const entry = (id: string, side: string) =>
      database.value<string>('select id from ledger_entries where client_id = $1 and transfer_id = $2 and side = $3', [client, id, side]);
    return {
      client, payment, paid, fee, held,
      paidDebit: await entry(paid, 'debit'), paidCredit: await entry(paid, 'credit'), feeDebit: await entry(fee, 'debit'),
    };
  }

  /** Changes the tables behind the application's back, past foreign keys, and puts back every row and constraint afterwards. */
  async function tamper(sql: string, look: () => Promise<unknown>): Promise<void> {
    const tables = ['ledger_accounts', 'ledger_transfers', 'ledger_entries', 'payments', 'payment_receipts'];
    const behind = (statements: string) => database.rows(`begin; set local session_replication_role = 'replica'; ${statements}; commit`);
    const constraint = `select pg_get_constraintdef(oid) from pg_constraint where conname = 'ledger_accounts_never_negative'`;
    const definition = await database.value<string>(constraint);
    for (const table of tables) await database.rows(`create table saved_${table} as table ${table}`);
    await behind(sql);
    try {
      await look();
    } finally {
      const putBack = (table: string) => `delete from ${table}; insert into ${table} table saved_${table}; drop table saved_${table}`;
      await behind(tables.map(putBack).join('; '));
      if (!(await database.value(constraint))) {
        await database.rows(`alter table ledger_accounts add constraint ledger_accounts_never_negative ${definition}`);
      }
    }
  }
});
