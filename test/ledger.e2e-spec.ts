import { ACCOUNT_KINDS, type AccountKind } from '../src/ledger/account-kinds';
import type { EntryObject } from '../src/ledger/ledger.dto';
import { Ledger, type NewTransfer } from '../src/ledger/ledger.service';
import { statementPage } from '../src/ledger/statement-reader';
import type { CurrencyCode } from '../src/money/currency';
import { type Tx, UnitOfWork } from '../src/platform/database/unit-of-work';
import { runInContext } from '../src/platform/http/request-context';
import { newId } from '../src/platform/identifiers';
import { Gateway } from './support/gateway';
import type { Merchant } from './support/merchant';

interface EntryPage {
  object: 'list';
  data: EntryObject[];
  has_more: boolean;
}

const system = { requestId: 'test-ledger', actor: { type: 'system' as const }, startedAt: 0 };

describe('ledger', () => {
  let gateway: Gateway;
  let merchant: Merchant;

  beforeAll(async () => {
    gateway = await Gateway.start();
  });
  beforeEach(async () => {
    merchant = await gateway.merchant({ feeBps: 250 });
  });
  afterAll(() => gateway.stop());

  const inTx = <T>(work: (tx: Tx, ledger: Ledger) => Promise<T>): Promise<T> =>
    runInContext(system, () => gateway.app.get(UnitOfWork).run((tx) => work(tx, gateway.app.get(Ledger))));
  const bookOf = ({ credentials: { clientId } }: Merchant, livemode = false) => ({ clientId, livemode });
  const move = (debit: AccountKind, credit: AccountKind, amountMinor: bigint, code = 'payment', referenceId = newId('pay')): NewTransfer =>
    ({ debit, credit, amountMinor, code, referenceId });
  const credit = (amountMinor: bigint, currency: CurrencyCode = 'USD', book = bookOf(merchant)) =>
    inTx((tx, ledger) => ledger.transfer(tx, book, currency, [move('provider', 'available', amountMinor)]));
  const pay = async (amount: string, currency = 'USD'): Promise<string> => {
    const { body } = await merchant.post('/v1/payments', { amount, currency, method: 'simulated' });
    expect((await merchant.post(`/v1/test/payments/${body.id}/pay`, {})).body).toMatchObject({ status: 'succeeded' });
    return body.id as string;
  };
  const entries = async (query = '', of = merchant) => (await of.get<EntryPage>(`/v1/ledger/entries${query}`)).body;
  const csv = (query = '', of = merchant) => of.get(`/v1/ledger/entries${query}`, { headers: { accept: 'text/csv' } });

  it('names the same kinds and normal sides as the database', async () => {
    await inTx((tx) => tx.query(
      `insert into ledger_accounts (client_id, livemode, currency, kind, normal_side)
       select $1, true, 'USD', key, value from jsonb_each_text($2)`,
      [merchant.credentials.clientId, JSON.stringify(ACCOUNT_KINDS)],
    ));
    const constraint = await gateway.database.value<string>(
      `select pg_get_constraintdef(oid) from pg_constraint where conname = 'ledger_accounts_kind'`,
    );
    const kinds = [...constraint.matchAll(/'([a-z_]+)'/g)].map(([, word]) => word).filter((word) => word !== 'debit' && word !== 'credit');
    expect(kinds.sort()).toEqual(Object.keys(ACCOUNT_KINDS).sort());
  });

  describe('GET /v1/balances', () => {
    it('is empty for a client that never had money', async () => {
      const answer = await merchant.get('/v1/balances');
      expect([answer.status, answer.body]).toEqual([200, { object: 'balance', balances: [] }]);
    });

    it('tells what is available, awaited and held, in all decimals of each currency', async () => {
      await pay('25.00');
      await credit(500n, 'JPY');
      await inTx((tx, ledger) => ledger.transfer(tx, bookOf(merchant), 'ETH', [move('provider', 'pending', 1_500_000_000_000_000_000n)]));
      const hold = { amountMinor: 1000n, code: 'test_hold', referenceId: newId('wd') };
      await inTx((tx, ledger) => ledger.hold(tx, bookOf(merchant), 'USD', hold));
      expect((await merchant.get('/v1/balances')).body).toEqual({
        object: 'balance',
        balances: [
          { currency: 'ETH', available: '0.000000000000000000', pending: '1.500000000000000000', held: '0.000000000000000000' },
          { currency: 'JPY', available: '500', pending: '0', held: '0' },
          { currency: 'USD', available: '14.37', pending: '0.00', held: '10.00' },
        ],
      });
    });

    it('keeps clients apart, and test from live', async () => {
      const other = await gateway.merchant();
      await credit(100n);
      await credit(900n, 'USD', bookOf(merchant, true));
      expect((await other.get('/v1/balances')).body).toEqual({ object: 'balance', balances: [] });
      expect((await merchant.get<{ balances: object[] }>('/v1/balances')).body.balances).toMatchObject([{ available: '1.00' }]);
    });
  });

  describe('GET /v1/ledger/entries', () => {
    it('shows each movement of the balance with the balance after it, newest first', async () => {
      const id = await pay('25.00');
      const { data, ...page } = await entries();
      expect(page).toEqual({ object: 'list', has_more: false });
      const common = { object: 'ledger_entry', account: 'available', currency: 'USD', reference: id };
      expect(data).toEqual([
        { ...common, id: expect.stringMatching(/^ent_[0-9a-f]{32}$/), transfer: expect.stringMatching(/^tr_/), type: 'debit',
          amount: '0.63', balance_after: '24.37', code: 'fee', created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/) },
        { ...common, id: expect.any(String), transfer: expect.any(String), type: 'credit', amount: '25.00',
          balance_after: '25.00', code: 'payment', created_at: expect.any(String) },
      ]);
      const fee = { account: 'fees', type: 'credit', amount: '0.63', transfer: data[0].transfer };
      expect((await entries('?account=fees')).data).toMatchObject([fee]);
    });

    it('walks both ways through pages that neither skip nor repeat', async () => {
      const moves = Array.from({ length: 23 }, (_, at) => move('provider', 'available', BigInt(at + 1)));
      await inTx((tx, ledger) => ledger.transfer(tx, bookOf(merchant), 'USD', moves));
      const seen: EntryObject[] = [];
      for (let query = '?limit=10', more = true; more; query = `?limit=10&starting_after=${seen.at(-1)!.id}`) {
        const page = await entries(query);
        seen.push(...page.data);
        more = page.has_more;
      }
      expect(seen.map(({ amount }) => Number(amount) * 100).map(Math.round)).toEqual(Array.from({ length: 23 }, (_, at) => 23 - at));
      const back = await entries(`?limit=5&ending_before=${seen[12].id}`);
      expect(back).toEqual({ object: 'list', has_more: true, data: seen.slice(7, 12) });
    });

    it('filters by currency and by time', async () => {
      await credit(100n);
      await credit(200n, 'EUR');
      expect((await entries('?currency=EUR')).data).toMatchObject([{ currency: 'EUR', balance_after: '2.00' }]);
      expect((await entries('?currency=EUR&account=pending')).data).toEqual([]);
      const [{ created_at: at }] = (await entries('?currency=EUR')).data;
      expect((await entries(`?currency=EUR&created_gte=${at}`)).data).toHaveLength(1);
      expect((await entries(`?currency=EUR&created_lt=${at}`)).data).toEqual([]);
    });

    it.each([
      'account=provider', 'account=adjustments', 'currency=usd', 'limit=0', 'sort=amount',
      'starting_after=pay_019a9f0c2b7e4f3a9d1c5b8e7a6f0d21', `starting_after=${encodeURIComponent("ent_' or 1=1 --")}`,
      'account=available&account=fees',
    ])('refuses ?%s', async (query) => {
      expect((await merchant.get(`/v1/ledger/entries?${query}`)).status).toBe(422);
    });

    it('hides what belongs to another client or to the other mode', async () => {
      const other = await gateway.merchant();
      await credit(100n);
      await credit(900n, 'USD', bookOf(merchant, true));
      const { data } = await entries();
      expect(data).toMatchObject([{ amount: '1.00' }]);
      expect((await entries('', other)).data).toEqual([]);
      expect((await csv('', other)).text.split('\r\n')).toHaveLength(2);
      expect((await entries(`?ending_before=${idBefore(data[0].id)}`, other)).data).toEqual([]);
    });

    it('needs the scope balances:read', async () => {
      const narrow = `update api_keys set scopes = '{payments:read}', revision = revision + 1 where client_id = $1`;
      await gateway.database.rows(narrow, [merchant.credentials.clientId]);
      for (const path of ['/v1/balances', '/v1/ledger/entries']) {
        expect(await merchant.get(path)).toMatchObject({ status: 403, body: { code: 'scope_missing' } });
      }
    });

    it('sorts entries as they were booked even when the clock steps back', async () => {
      await credit(100n);
      await gateway.database.rows(
        `with ahead as (
           update ledger_accounts set last_entry_at = last_entry_at + interval '10 minutes' where client_id = $1 returning last_entry_at
         ), later as (select max(last_entry_at) as at from ahead)
         update ledger_entries
            set id = 'ent_' || lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || right(id, 20), created_at = at
           from later where client_id = $1`,
        [merchant.credentials.clientId],
      );
      await credit(200n);
      await credit(300n);
      const { data } = await entries();
      expect(data.map(({ balance_after: balance }) => balance)).toEqual(['6.00', '3.00', '1.00']);
      expect(new Set(data.map(({ created_at: at }) => at)).size).toBe(1);
    });
  });

  describe('as CSV', () => {
    it('writes every entry, currency by currency and the oldest first', async () => {
      const reference = await pay('25.00');
      await credit(500n, 'JPY');
      const answer = await csv();
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
      expect(answer.headers.get('vary')).toBe('accept');
      expect(answer.headers.get('content-disposition')).toBe('attachment; filename="statement-available.csv"');
      const lines = answer.text.split('\r\n').map((line) => line.split(','));
      expect(lines[0].join()).toBe('id,transfer,account,currency,type,amount,balance_after,code,reference,created_at');
      expect(lines.slice(1).map((cells) => cells.slice(2, 8).join())).toEqual([
        'available,JPY,credit,500,500,payment', 'available,USD,credit,25.00,25.00,payment', 'available,USD,debit,0.63,24.37,fee', '',
      ]);
      expect(lines[2][8]).toBe(reference);
      const { data } = await entries('?currency=USD&limit=1');
      expect(lines[3].join()).toBe(Object.entries(data[0]).filter(([name]) => name !== 'object').map(([, value]) => value).join());
    });

    it('keeps cells from being run as formulas', async () => {
      const formulas = move('provider', 'available', 100n, '=1+1', '@SUM(A1,"x")');
      await inTx((tx, ledger) => ledger.transfer(tx, bookOf(merchant), 'USD', [formulas]));
      expect((await csv()).text).toContain(`,'=1+1,"'@SUM(A1,""x"")",`);
    });

    it('spans many pages without a gap, within the times asked for', async () => {
      await fill(gateway, merchant.credentials.clientId, 3500);
      const numbers = (text: string) => text.trim().split('\r\n').slice(1).map((line) => Number(line.split(',')[6].replace('.', '')));
      expect(numbers((await csv()).text)).toEqual(Array.from({ length: 3500 }, (_, at) => at + 1));
      const { data } = await entries('?limit=100');
      const part = await csv(`?created_gte=${data[99].created_at}&created_lt=${data[9].created_at}`);
      expect(numbers(part.text)).toEqual(Array.from({ length: 90 }, (_, at) => 3401 + at));
      expect(numbers((await csv('?created_gte=2020-01-01T00:00:00Z&created_lt=2020-01-02T00:00:00Z')).text)).toEqual([]);
    });

    it('breaks off visibly when the database fails on the way', async () => {
      await fill(gateway, merchant.credentials.clientId, 3500);
      const unitOfWork = gateway.app.get(UnitOfWork);
      const read = unitOfWork.read.bind(unitOfWork);
      let pages = 0;
      const spy = jest.spyOn(unitOfWork, 'read').mockImplementation((name, text, values) => {
        if (name === 'exported_entries' && (pages += 1) === 3) return Promise.reject(new Error('connection lost'));
        return read(name, text, values) as never;
      });
      try {
        await expect(csv()).rejects.toThrow();
      } finally {
        spy.mockRestore();
      }
      expect((await csv()).status).toBe(200);
    });

    it('refuses cursors, which it would have to ignore', async () => {
      await credit(100n);
      const { data } = await entries();
      const answer = await csv(`?starting_after=${data[0].id}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([422, 'application/problem+json; charset=utf-8']);
    });
  });

  it('finds a page deep in a long statement by index', async () => {
    const { clientId } = merchant.credentials;
    await fill(gateway, clientId, 100_000);
    await gateway.database.rows('analyze ledger_entries; analyze ledger_transfers');
    const deep = await gateway.database.value<string>('select id from ledger_entries where client_id = $1 and seq = 500', [clientId]);
    for (const currency of [undefined, 'USD'] as const) {
      const { sql, values } = statementPage(bookOf(merchant), { account: 'available', currency, limit: 100, starting_after: deep });
      const [{ Plan: plan }] = await gateway.database.value<{ Plan: PlanNode }[]>(`explain (format json) ${sql}`, values);
      const nodes = allNodes(plan);
      const scan = nodes.find((node) => node['Relation Name'] === 'ledger_entries')!;
      expect(scan['Index Name']).toMatch(/^ledger_entries_statement/);
      expect(scan['Index Cond']).toContain('(id < ');
      expect(nodes.filter((node) => node['Node Type'] === 'Seq Scan' && node['Relation Name'])).toEqual([]);
    }
  });
});

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  Plans?: PlanNode[];
}

function allNodes(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(allNodes)];
}

function idBefore(id: string): string {
  return `ent_${(BigInt(`0x${id.slice(4)}`) - 1n).toString(16).padStart(32, '0')}`;
}

/** A long history of one cent each, a millisecond apart, without the cost of booking it. */
async function fill(gateway: Gateway, clientId: string, count: number): Promise<void> {
  const connection = await gateway.database.pool.connect();
  const at = Date.now();
  try {
    await connection.query("set session_replication_role = 'replica'");
    await connection.query(
      `insert into ledger_accounts (client_id, livemode, currency, kind, normal_side, credits_posted, entry_count, last_entry_at)
       values ($1, false, 'USD', 'available', 'credit', $2::bigint, $2::bigint, now())`, [clientId, count]);
    await connection.query(
      `insert into ledger_transfers (client_id, livemode, currency, id, debit_kind, credit_kind, amount_minor, code, state, reference_id,
                                     settled_at)
       select $1, false, 'USD', 'tr_' || lpad(to_hex(n), 32, '0'), 'provider', 'available', 1, 'payment', 'posted', 'pay_' || n, now()
         from generate_series(1, $2::bigint) n`, [clientId, count]);
    await connection.query(
      `insert into ledger_entries (client_id, livemode, currency, kind, seq, id, transfer_id, side, amount_minor, balance_minor, created_at)
       select $1, false, 'USD', 'available', n, 'ent_' || lpad(to_hex($3::bigint + n), 12, '0') || lpad(to_hex(n), 20, '0'),
              'tr_' || lpad(to_hex(n), 32, '0'), 'credit', 1, n, to_timestamp(($3::bigint + n) / 1000.0)
         from generate_series(1, $2::bigint) n`, [clientId, count, at - count]);
  } finally {
    await connection.query('reset session_replication_role');
    connection.release();
  }
}
