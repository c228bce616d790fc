import { DataSource } from 'typeorm';
import { ACCOUNT_KINDS, type AccountKind } from '../../src/ledger/account-kinds';
import { LedgerCheck } from '../../src/ledger/ledger-check';
import { Ledger, type NewTransfer } from '../../src/ledger/ledger.service';
import { type Tx, UnitOfWork } from '../../src/platform/database/unit-of-work';
import { Problem } from '../../src/platform/http/problem';
import { runInContext } from '../../src/platform/http/request-context';
import { newId } from '../../src/platform/identifiers';
import type { Book } from '../../src/platform/outbox/outbox';
import { TestDatabase } from '../support/database';
import { Gateway } from '../support/gateway';

const WORKERS = 16;
const KINDS = Object.keys(ACCOUNT_KINDS) as AccountKind[];
const system = { requestId: 'test-ledger', actor: { type: 'system' as const }, startedAt: 0 };

/** A small generator with a printed seed (mulberry32), so that a failure can be played again. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

describe('the ledger under concurrency', () => {
  let database: TestDatabase;
  let gateway: Gateway;

  beforeAll(async () => {
    database = await TestDatabase.create();
    // A deadlock is found after this time; the default of a second would only make the test slow.
    await database.rows(`alter database ${new URL(database.url).pathname.slice(1)} set deadlock_timeout = '20ms'`);
    gateway = await Gateway.start({ database });
  });
  afterAll(async () => {
    await gateway.stop();
    await database.drop();
  });

  let attempts = 0;
  const inTx = <T>(work: (tx: Tx, ledger: Ledger) => Promise<T>): Promise<T> =>
    runInContext(system, () => gateway.app.get(UnitOfWork).run((tx) => {
      attempts += 1;
      return work(tx, gateway.app.get(Ledger));
    }));
  const codeOfError = (error: unknown) => (error instanceof Problem ? error.code : String(error));
  const codeOf = (work: Promise<unknown>) => work.then(() => 'done', codeOfError);
  /** The ledger's own rules: money is moved here between accounts whose owners, payments and deposits, know nothing of it. */
  const expectSound = async () => expect((await new LedgerCheck(gateway.app.get(DataSource)).run()).fault).toBeUndefined();
  const move = (debit: AccountKind, credit: AccountKind, amountMinor: bigint): NewTransfer =>
    ({ debit, credit, amountMinor, code: 'moved', referenceId: newId('pay') });
  const transfer = (book: Book, ...transfers: NewTransfer[]) => inTx((tx, ledger) => ledger.transfer(tx, book, 'USD', transfers));
  const fund = (book: Book, amountMinor: bigint) => transfer(book, move('provider', 'available', amountMinor));
  const hold = (book: Book, amountMinor: bigint) =>
    inTx((tx, ledger) => ledger.hold(tx, book, 'USD', { amountMinor, code: 'test_hold', referenceId: newId('wd') }));
  const totals = async (book: Book, kind: AccountKind) => {
    const [row] = await database.rows(
      `select debits_pending, debits_posted, credits_pending, credits_posted, entry_count from ledger_accounts
        where client_id = $1 and livemode = $2 and currency = 'USD' and kind = $3`, [book.clientId, book.livemode, kind]);
    return row;
  };
  const newBook = (livemode = false): Book => ({ clientId: newId('cli'), livemode });

  it.each([{ books: 1, bookings: 1 }, { books: 6, bookings: 1 }, { books: 2, bookings: 3 }])(
    'keeps $books book(s) exact under random transfers, $bookings booking(s) in a transaction',
    async ({ books, bookings }) => {
      const seed = Date.now() & 0xffff;
      const random = randomFrom(seed);
      const all = Array.from({ length: books }, (_, at) => newBook(at % 2 === 1));
      const posted = new Map<string, bigint>();
      const apply = (book: Book, transfers: readonly NewTransfer[]) => transfers.forEach(({ debit, credit, amountMinor }) => {
        for (const key of [`${book.clientId} ${debit} debits_posted`, `${book.clientId} ${credit} credits_posted`]) {
          posted.set(key, (posted.get(key) ?? 0n) + amountMinor);
        }
      });
      const someTransfers = (): NewTransfer[] => Array.from({ length: 1 + random(4) }, () => {
        const debit = KINDS[random(KINDS.length)];
        const credit = KINDS.filter((kind) => kind !== debit)[random(KINDS.length - 1)];
        return move(debit, credit, BigInt(1 + random(100)));
      });
      // Every account begins with something, so that most bookings can be done and some cannot.
      const beginning = KINDS.filter((kind) => kind !== 'provider' && kind !== 'available')
        .map((kind) => (ACCOUNT_KINDS[kind] === 'debit' ? move(kind, 'available', 300n) : move('provider', kind, 300n)));
      for (const book of all) {
        await transfer(book, ...beginning);
        apply(book, beginning);
      }
      attempts = 0;
      const outcomes = new Map<string, number>();
      await Promise.all(Array.from({ length: WORKERS }, async () => {
        for (let round = 0; round < 25; round += 1) {
          const book = all[random(books)];
          const batches = Array.from({ length: bookings }, someTransfers);
          const outcome = await codeOf(inTx(async (tx, ledger) => {
            for (const batch of batches) await ledger.transfer(tx, book, 'USD', batch);
          }));
          if (outcome === 'done') batches.forEach((batch) => apply(book, batch));
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        }
      }));
      const runs = [...outcomes.values()].reduce((sum, count) => sum + count, 0);
      const label = `seed ${seed}`;
      expect([label, ...[...outcomes.keys()].filter((outcome) => outcome !== 'done' && outcome !== 'insufficient_funds')]).toEqual([label]);
      expect(outcomes.get('done')).toBeGreaterThan(10);
      // Locks are taken in one order, so there is no deadlock that would have to be tried again.
      expect([label, attempts - runs]).toEqual([label, 0]);
      const stored = await database.rows<Record<string, string>>(
        'select client_id, kind, debits_posted, credits_posted from ledger_accounts where client_id = any($1)',
        [all.map(({ clientId }) => clientId)],
      );
      const found = new Map<string, bigint>();
      for (const { client_id: client, kind, ...sides } of stored) {
        for (const [side, sum] of Object.entries(sides)) if (sum !== '0') found.set(`${client} ${kind} ${side}`, BigInt(sum));
      }
      expect([label, found]).toEqual([label, posted]);
      await expectSound();
    },
  );

  it('lets exactly 10 of 40 parallel holds succeed on money for 10', async () => {
    const book = newBook();
    await fund(book, 1000n);
    await fund({ ...book, livemode: true }, 100_000n);
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => codeOf(hold(book, 100n))));
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(10);
    expect(outcomes.filter((outcome) => outcome === 'insufficient_funds')).toHaveLength(30);
    expect(await totals(book, 'available')).toMatchObject({ debits_pending: '1000', debits_posted: '0', credits_posted: '1000' });
    const pending = `select count(*)::int from ledger_transfers where client_id = $1 and state = 'pending'`;
    expect(await database.value(pending, [book.clientId])).toBe(10);
    await expectSound();
  });

  it('lets held money be neither spent nor held again, and gives it back when let go', async () => {
    const book = newBook();
    await fund(book, 100n);
    const spend = () => transfer(book, move('available', 'fees', 100n));
    const id = await hold(book, 1n);
    expect(await codeOf(spend())).toBe('insufficient_funds');
    expect(await inTx((tx, ledger) => ledger.void(tx, book, id))).toBe(true);
    expect(await codeOf(spend())).toBe('done');
    await expectSound();
  });

  it.each([
    { first: 'post', second: 'post', outcome: 'harmless', state: 'posted' },
    { first: 'void', second: 'void', outcome: 'harmless', state: 'voided' },
    { first: 'post', second: 'void', outcome: 'refused', state: 'posted' },
    { first: 'void', second: 'post', outcome: 'refused', state: 'voided' },
  ] as const)('after $first a $second is $outcome', async ({ first, second, outcome, state }) => {
    const book = newBook();
    await fund(book, 500n);
    const id = await hold(book, 200n);
    expect(await inTx((tx, ledger) => ledger[first](tx, book, id))).toBe(true);
    const before = await totals(book, 'available');
    const again = inTx((tx, ledger) => ledger[second](tx, book, id));
    if (outcome === 'harmless') expect(await again).toBe(false);
    else await expect(again).rejects.toMatchObject({ code: 'state_conflict', status: 409 });
    expect(await totals(book, 'available')).toEqual(before);
    const booked = state === 'posted' ? { debits_posted: '200', entry_count: '2' } : { debits_posted: '0', entry_count: '1' };
    expect(before).toMatchObject({ debits_pending: '0', ...booked });
    expect(await database.value('select state from ledger_transfers where client_id = $1 and id = $2', [book.clientId, id])).toBe(state);
    await expectSound();
  });

  it('gives one outcome to posts and voids that race', async () => {
    for (let round = 0; round < 10; round += 1) {
      const book = newBook();
      await fund(book, 500n);
      const id = await hold(book, 200n);
      const results = await Promise.all(Array.from({ length: 8 }, async (_, at) => {
        const action = at % 2 === 0 ? 'post' : 'void';
        const result = await inTx((tx, ledger) => ledger[action](tx, book, id)).catch(codeOfError);
        return { action, result };
      }));
      const winner = results.find(({ result }) => result === true)!;
      for (const { action, result } of results) {
        if (action === winner.action) expect(result).toBe(result === true);
        else expect(result).toBe('state_conflict');
      }
      expect(results.filter(({ result }) => result === true)).toHaveLength(1);
      expect(await totals(book, 'payout')).toMatchObject({ credits_pending: '0', credits_posted: winner.action === 'post' ? '200' : '0' });
    }
    await expectSound();
  });

  it('does not find a hold from another client or the other mode', async () => {
    const book = newBook();
    await fund(book, 500n);
    const id = await hold(book, 200n);
    for (const other of [{ ...book, livemode: true }, newBook()]) {
      expect(await codeOf(inTx((tx, ledger) => ledger.post(tx, other, id)))).toBe('state_conflict');
    }
    expect(await totals(book, 'available')).toMatchObject({ debits_pending: '200' });
  });

  it('refuses a booking whose step overdraws an account, even if a later one would make up for it', async () => {
    const book = newBook();
    await fund(book, 10n);
    const spend = move('available', 'fees', 20n);
    const earn = move('provider', 'available', 20n);
    expect(await codeOf(transfer(book, spend, earn))).toBe('insufficient_funds');
    expect(await codeOf(transfer(book, earn, spend))).toBe('done');
    await expectSound();
  });

  it.each<[string, Partial<NewTransfer>]>([
    ['nothing', { amountMinor: 0n }], ['less than nothing', { amountMinor: -5n }], ['to where it comes from', { credit: 'provider' }],
    ['to an account that there is not', { credit: 'pocket' as AccountKind }],
  ])('never moves %s, whoever asks', async (_, change) => {
    const book = newBook();
    const booked = transfer(book, { ...move('provider', 'available', 5n), ...change });
    await expect(booked).rejects.toMatchObject({ driverError: { code: '23514' } });
    expect(await totals(book, 'provider')).toBeUndefined();
  });
});
