import { UnitOfWork } from '../src/platform/database/unit-of-work';
import { newId } from '../src/platform/identifiers';
import { destinationOf, fund } from './support/funds';
import { Gateway } from './support/gateway';
import type { Answer, Merchant } from './support/merchant';
import { staff, type TestPerson } from './support/people';

const CSV = { accept: 'text/csv' };
type Listed = { data: Record<string, unknown>[] };

/** The cells of a file, by line; good enough for texts without line breaks. */
function cellsOf({ text }: Answer): string[][] {
  return text.trimEnd().split('\r\n').map((line) =>
    [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain));
}

describe('lists as CSV', () => {
  let gateway: Gateway;
  let merchant: Merchant;
  let auditor: TestPerson;

  beforeAll(async () => {
    gateway = await Gateway.start({ environment: { RATE_LIMITING_ENABLED: 'false' } });
    merchant = await gateway.merchant();
    auditor = await staff(gateway, 'auditor');
    for (const amount of ['10.00', '20.00', '30.00']) {
      const { body } = await merchant.post<{ id: string }>('/v1/payments', {
        amount, currency: 'USD', method: 'simulated', description: '=HYPERLINK("https://evil.example")', metadata: { note: 'a "b", c' },
      });
      await merchant.post(`/v1/test/payments/${body.id}/pay`);
      if (amount !== '30.00') await merchant.post('/v1/refunds', { payment: body.id, amount: '1.00', reason: '+1' });
    }
    await fund(gateway, merchant, 100_000_000n, 'USDT');
    const destination = await destinationOf(gateway, merchant);
    for (const amount of ['1', '2']) await merchant.post('/v1/withdrawals', { amount, currency: 'USDT', destination });
    await gateway.database.rows(
      `insert into unmatched_deposits (id, provider, reference, amount_minor, currency, reason, wish, received_at, details)
       select new_id('dep'), 'stripe', 'pi_' || n, n, 'USD', 'no_payment', 'review', now(), '{}' from generate_series(1, 3) n`,
    );
  });
  afterAll(() => gateway.stop());

  const lists: [string, string, number][] = [
    ['/v1/payments', 'payments', 3], ['/v1/refunds', 'refunds', 2], ['/v1/withdrawals', 'withdrawals', 2],
    ['/v1/admin/payments', 'payments', 3], ['/v1/admin/refunds', 'refunds', 2], ['/v1/admin/withdrawals', 'withdrawals', 2],
    ['/v1/admin/unmatched-deposits', 'unmatched-deposits', 3],
  ];
  const ask = (path: string, headers: Record<string, string> = {}): Promise<Answer<Listed>> =>
    path.startsWith('/v1/admin/') ? auditor.get(path, headers) : merchant.get(path, { headers });

  it.each(lists)('has all of %s, the oldest first, with the same fields', async (path, name, count) => {
    const { data } = (await ask(path)).body;
    expect(data).toHaveLength(count);
    const answer = await ask(path, CSV);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
    expect([answer.headers.get('vary'), answer.headers.get('content-disposition')]).toEqual(['accept', `attachment; filename="${name}.csv"`]);
    expect((await ask(path)).headers.get('vary')).toBe('accept');
    const [names, ...lines] = cellsOf(answer);
    expect([...names].sort()).toEqual(Object.keys(data[0]).filter((field) => field !== 'object').sort());
    const column = (field: string) => lines.map((cells) => cells[names.indexOf(field)]);
    expect(column('id')).toEqual(data.map(({ id }) => id).toReversed());
    expect(column('amount')).toEqual(data.map(({ amount }) => amount).toReversed());
    expect(lines.every((cells) => cells.length === names.length)).toBe(true);
  });

  it('writes what has parts as JSON, nothing as nothing, and runs no formula', async () => {
    const [names, first] = cellsOf(await ask('/v1/payments', CSV));
    const cell = (field: string) => first[names.indexOf(field)];
    expect(cell('description')).toBe('\'=HYPERLINK("https://evil.example")');
    expect(JSON.parse(cell('metadata'))).toEqual({ note: 'a "b", c' });
    expect([cell('livemode'), cell('deposit_address'), cell('customer')]).toEqual(['false', '', '']);
    const refunds = await ask('/v1/refunds', CSV);
    expect(refunds.text).toContain(`,'+1,`);
  });

  it('keeps the filters, ends where it was asked to, and refuses cursors', async () => {
    const { data } = (await ask('/v1/payments')).body;
    const ids = async (query: string) => cellsOf(await ask(`/v1/payments${query}`, CSV)).slice(1).map(([id]) => id);
    expect(await ids('?status=expired')).toEqual([]);
    const from = new Date(Number.parseInt(String(data[1].id).slice(4, 16), 16));
    const inAnotherZone = encodeURIComponent(new Date(from.getTime() + 7_200_000).toISOString().replace('Z', '+02:00'));
    expect(await ids(`?created_gte=${from.toISOString()}`)).toEqual([data[1].id, data[0].id]);
    expect(await ids(`?created_lt=${inAnotherZone}&limit=1`)).toEqual([data[2].id]);
    for (const [path, , ] of lists) {
      const cursor = (await ask(path)).body.data[0].id;
      expect((await ask(`${path}?starting_after=${String(cursor)}`, CSV)).body).toMatchObject({ code: 'validation_failed' });
    }
    expect((await auditor.get('/v1/admin/withdrawals?currency=USDT&amount_gte=x', CSV)).body).toMatchObject({ code: 'validation_failed' });
    expect(cellsOf(await auditor.get('/v1/admin/withdrawals?currency=USDT&amount_gte=2', CSV))).toHaveLength(2);
  });

  it('shows a merchant its own book only', async () => {
    const other = await gateway.merchant();
    for (const path of ['/v1/payments', '/v1/refunds', '/v1/withdrawals']) {
      expect(cellsOf(await other.get(path, { headers: CSV }))).toHaveLength(1);
    }
  });

  it('is noted in the audit log when staff do it, and only then', async () => {
    const noted = () => gateway.database.rows("select object_id, actor_id, after from audit_events where kind = 'export.created' order by id");
    const before = (await noted()).length;
    await ask('/v1/payments', CSV);
    await ask('/v1/admin/payments');
    expect(await noted()).toHaveLength(before);
    await ask('/v1/admin/payments?livemode=false&status=succeeded', CSV);
    expect((await noted()).slice(before)).toEqual([
      { object_id: 'payments', actor_id: auditor.id, after: { filters: { livemode: false, status: 'succeeded' } } },
    ]);
  });

  it('spans many pages without a gap, a page at a time', async () => {
    const many = await gateway.merchant();
    const { clientId } = many.credentials;
    const ids = Array.from({ length: 2_500 }, (_, at) => newId('pay', Date.now() - 5_000 + at)).sort();
    await gateway.database.rows(
      `insert into payments (client_id, livemode, id, status, amount_minor, currency, pay_amount_minor, pay_currency, amount_received_minor,
                             amount_refunded_minor, fee_minor, fee_bps, method, metadata, expires_at, created_at, updated_at, revision)
       select $1, false, id, 'pending', 100, 'USD', 100, 'USD', 0, 0, 0, 0, 'simulated', '{}', now() + interval '1 hour', now(), now(), 1
         from unnest($2::text[]) id`, [clientId, ids],
    );
    const read = jest.spyOn(gateway.app.get(UnitOfWork), 'read');
    const own = cellsOf(await many.get('/v1/payments', { headers: CSV })).slice(1).map(([id]) => id);
    const pages = await Promise.all(read.mock.results.map(({ value }) => value as Promise<unknown[]>));
    read.mockRestore();
    expect(own).toEqual(ids);
    // Sweeps read a few rows of their own meanwhile.
    expect(pages.map((rows) => rows.length).filter((rows) => rows >= 500)).toEqual([1_001, 1_001, 500]);
    const all = cellsOf(await auditor.get(`/v1/admin/payments?client=${clientId}&livemode=false`, CSV)).slice(1).map(([id]) => id);
    expect(all).toEqual(ids);
    const eitherMode = cellsOf(await auditor.get(`/v1/admin/payments?client=${clientId}`, CSV)).slice(1).map(([id]) => id);
    expect(eitherMode).toEqual(ids);
  });
});
