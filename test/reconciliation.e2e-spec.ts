import { randomUUID } from 'node:crypto';
import type { ReconciliationObject, ReconciliationPart } from '../src/operations/reconciliation/reconciliations.dto';
import { dayBefore } from '../src/operations/reconciliation/report-day';
import { tronEnvironment } from './support/chain-payments';
import { DayOfMoney } from './support/day-of-money';
import { DAY_MS, dayWithRoom } from './support/day-with-room';
import { FakeTron } from './support/fake-tron';
import { checkLedger, fund, SOME_ADDRESS } from './support/funds';
import { Gateway } from './support/gateway';
import { staff, type TestPerson } from './support/people';
import { stripeWebhook } from './support/providers';

/** Longer than this suite runs. */
const SUITE_MS = 90_000;

type Part = ReconciliationPart;

/** What of a row is looked at: where, and how much of it differs. */
function shown({ source, what, currency, provider_amount, ledger_amount, count, differences }: Part): unknown[] {
  return [source, what, currency, provider_amount, ledger_amount, count, differences];
}

describe('the daily reconciliation', () => {
  let tron: FakeTron;
  let gateway: Gateway;
  let auditor: TestPerson;
  let today: string;
  let yesterday: string;
  let money: DayOfMoney;

  const rows = (sql: string, values?: unknown[]) => gateway.database.rows(sql, values);
  const value = <T>(sql: string, values?: unknown[]) => gateway.database.value<T>(sql, values);
  const make = async (livemode = false, day = today) => {
    const { status, body, text } = await auditor.post<ReconciliationObject>('/v1/admin/reports/reconciliations', { day, livemode });
    if (status !== 201) throw new Error(text);
    return body;
  };
  /** Every difference by name: source, kind, reference, object. */
  const differences = async (livemode = false) => {
    const made = await make(livemode);
    const named = made.parts.flatMap(({ source, what, details }) => details.map(({ kind, reference, object }) => [`${source}: ${what}`, kind, reference, object]));
    expect(made.differences).toBe(named.length);
    return named;
  };

  beforeAll(async () => {
    today = await dayWithRoom(SUITE_MS);
    yesterday = dayBefore(new Date());
    tron = await FakeTron.start();
    gateway = await Gateway.start({ environment: { ...tronEnvironment(tron), RATE_LIMITING_ENABLED: 'false' } });
    auditor = await staff(gateway, 'auditor');
    money = new DayOfMoney(gateway, tron);
    await money.run();
  }, SUITE_MS + 60_000);
  afterAll(async () => {
    await gateway.stop();
    await tron.stop();
  });

  /** Takes rows away, or changes them, for as long as something is looked at. */
  const without = async (table: string, where: string, look: () => Promise<void>) => {
    const taken = await gateway.database.rows<{ row: object }>(`with gone as (delete from ${table} where ${where} returning *) select to_jsonb(gone) as row from gone`);
    expect(taken.length).toBeGreaterThan(0);
    await look().finally(async () => {
      for (const { row } of taken) await rows(`insert into ${table} select * from jsonb_populate_record(null::${table}, $1)`, [row]);
    });
  };
  const changed = async (change: string, undo: string, look: () => Promise<void>) => {
    await rows(change);
    await look().finally(() => rows(undo));
  };

  const TOLD = 'arrivals that the provider has told of';
  const SEEN = 'arrivals that the watcher has seen';
  const REREAD = 'arrivals read again from the chain';
  const PAID = 'payouts that were made';
  const BOOKED = 'money that was booked as received';

  describe('while all agree', () => {
    it('adds up what was told and booked in test mode, whichever way it took', async () => {
      expect(await checkLedger(gateway)).toMatchObject({ ok: true });
      const made = await make();
      expect(made).toMatchObject({ id: `${today}-test`, object: 'reconciliation', day: today, livemode: false, differences: 0 });
      expect(made.parts.map(shown)).toEqual([
        ['generic', TOLD, 'USD', '21.00', '21.00', 3, 0],
        ['stripe', TOLD, 'USD', '20.00', '20.00', 3, 0],
        ['tron', SEEN, 'USDT', '15.000000', '15.000000', 2, 0],
        ['payouts', PAID, 'USD', '1.00', '1.00', 1, 0],
        ['payouts', PAID, 'USDT', '1.000000', '1.000000', 1, 0],
        ['ledger', BOOKED, 'USD', '50.00', '50.00', expect.any(Number), 0],
        ['ledger', BOOKED, 'USDT', '15.000000', '15.000000', 1, 0],
        ['tron', REREAD, 'USDT', '15.000000', '15.000000', 2, 0],
      ]);
      expect(made.parts.every(({ difference, details }) => Number(difference) === 0 && details.length === 0)).toBe(true);
    });

    it('does so in live mode, with what nobody tells the mode of', async () => {
      const { parts, differences: none } = await make(true);
      expect(none).toBe(0);
      expect(parts.map(shown)).toEqual([
        ['generic', TOLD, 'USD', '6.00', '6.00', 1, 0],
        ['tron', SEEN, 'USDT', '50.000000', '50.000000', 1, 0],
        ['payouts', PAID, 'USDT', '10.000000', '10.000000', 1, 0],
        ['ledger', BOOKED, 'USDT', '50.000000', '50.000000', 1, 0],
        ['tron', REREAD, 'USDT', '50.000000', '50.000000', 1, 0],
        ['payouts', 'payouts read again from the chain', 'USDT', '10.000000', '10.000000', 1, 0],
      ]);
    });

    it('says nothing of another day, and tells nobody', async () => {
      expect(await make(false, dayBefore(new Date(Date.now() - DAY_MS)))).toMatchObject({ differences: 0, parts: [] });
      expect(await rows("select * from security_events where kind = 'reconciliation.difference'")).toEqual([]);
    });
  });

  describe('names', () => {
    it('a receipt that is gone', () => without('payment_receipts', `reference = '${money.stripeReference}'`, async () => {
      const payment = await value('select payment_id from provider_references where reference = $1', [money.stripeReference]);
      expect(await differences()).toEqual([
        [`stripe: ${TOLD}`, 'missing_in_ledger', money.stripeReference, null], [`ledger: ${BOOKED}`, 'missing_at_provider', payment, payment],
      ]);
    }));

    it('a receipt of another amount, with both', async () => {
      const change = (minor: number) => `update payment_receipts set amount_minor = ${minor} where reference = '${money.genericReference}'`;
      await changed(change(600), change(500), async () => {
        const { parts, differences: count } = await make();
        expect(count).toBe(1);
        const [part] = parts;
        expect(shown(part)).toEqual(['generic', TOLD, 'USD', '21.00', '22.00', 3, 1]);
        expect(part).toMatchObject({ difference: '-1.00', details: [{ kind: 'other_amount', reference: money.genericReference, provider_amount: '5.00', ledger_amount: '6.00' }] });
      });
    });

    it('money of which no event tells, as of a payment that people forced', () => without('inbox_events', `payload like '%${money.stripeReference}%'`, async () => {
      const payment = await value('select payment_id from payment_receipts where reference = $1', [money.stripeReference]);
      expect(await differences()).toEqual([[`stripe: ${TOLD}`, 'missing_at_provider', money.stripeReference, payment]]);
    }));

    it('an event that was never applied, and one that cannot be read', async () => {
      const [tale, torn] = [`pi_${randomUUID()}`, randomUUID()];
      const add = (id: string, payload: string) => rows(
        `insert into inbox_events (source, event_id, type, livemode, fingerprint, payload, status)
         values ('stripe', $1, 'payment_intent.succeeded', false, $1, $2, 'failed')`, [id, payload]);
      await add(tale, stripeWebhook({ intent: tale, amount: 4200 }).body);
      await add(torn, '{"id":"torn"');
      expect(await differences()).toEqual([
        ['inbox: stored events', 'unverified', `stripe:${torn}`, null], [`stripe: ${TOLD}`, 'not_applied', tale, null],
      ]);
      await rows('delete from inbox_events where event_id = any ($1)', [[tale, torn]]);
    });

    it('an unmatched deposit that is gone', () => without('unmatched_deposits', `reference = '${money.referenceOfNobody}'`, async () => {
      expect(await differences(true)).toEqual([[`generic: ${TOLD}`, 'missing_in_ledger', money.referenceOfNobody, null]]);
    }));

    it('money on the chain that no book holds', () => without('payment_receipts', `reference like '${money.chainHash}%'`, async () => {
      const reference = `${money.chainHash}:${money.chainPayment.address}`;
      expect(await differences()).toEqual([
        [`tron: ${SEEN}`, 'missing_in_ledger', reference, null],
        [`ledger: ${BOOKED}`, 'other_amount', money.chainPayment.id, money.chainPayment.id],
        [`tron: ${REREAD}`, 'missing_in_ledger', reference, null],
      ]);
    }));

    it('money on the chain that the watcher never saw', async () => {
      const unwatched = await money.bench.payment(money.liveMerchant);
      await rows('update watched_addresses set next_look_at = null where address = $1', [unwatched.address]);
      const hash = tron.chain.transfer({ to: unwatched.address, amountMinor: 10_000_000n });
      tron.chain.confirm(hash);
      expect(await differences(true)).toEqual([[`tron: ${REREAD}`, 'missing_in_ledger', `${hash}:${unwatched.address}`, null]]);
      await money.bench.watch(unwatched);
      expect(await differences(true)).toEqual([]);
    });

    it('a chain that tells another amount, or nothing, of what was credited', async () => {
      const reference = `${money.chainHash}:${money.chainPayment.address}`;
      tron.lie(money.chainHash, { amountMinor: 9_000_000n });
      const { parts } = await make();
      expect(parts.filter((part) => part.differences > 0)).toMatchObject([{
        what: REREAD, provider_amount: '14.000000', ledger_amount: '15.000000',
        details: [{ kind: 'other_amount', reference, object: money.chainPayment.id, provider_amount: '9.000000', ledger_amount: '10.000000' }],
      }]);
      tron.lie(money.chainHash, { unknown: true });
      expect(await differences()).toEqual([[`tron: ${REREAD}`, 'missing_at_provider', reference, money.chainPayment.id]]);
      tron.lie(money.chainHash, {});
    });

    it('what nobody could verify, and reads no further while the sources are away', async () => {
      tron.fail({ mode: 'status500' });
      const few = (await make()).parts.filter((part) => part.differences > 0);
      expect(few).toMatchObject([{
        what: REREAD, differences: 1, details: [{ kind: 'unverified', reference: money.chainPayment.address, note: 'not verified: too few sources of the chain answer' }],
      }]);
      tron.heal();
      const many = await gateway.merchant({ rateMultiplier: 1000 });
      await Promise.all(Array.from({ length: 120 }, () => money.bench.payment(many)));
      expect(await differences()).toEqual([]);
      tron.fail({ mode: 'status500' });
      const away = (await make()).parts.find((part) => part.differences > 0);
      tron.heal();
      expect(away).toMatchObject({ what: REREAD, differences: 100, details: expect.arrayContaining([expect.objectContaining({ note: expect.stringMatching(/the rest of the day was not read$/) })]) });
    });

    it('a payout without its hold, and a hold without its payout', async () => {
      const change = (state: string) => `update ledger_transfers set state = '${state}' where reference_id = '${money.withdrawal}'`;
      await changed(change('voided'), change('posted'), async () =>
        expect(await differences()).toEqual([[`payouts: ${PAID}`, 'missing_in_ledger', money.withdrawal, money.withdrawal]]));
      await without('payouts', `subject_id = '${money.withdrawal}'`, async () =>
        expect(await differences()).toEqual([[`payouts: ${PAID}`, 'missing_at_provider', money.withdrawal, money.withdrawal]]));
    });

    it('a second payout of the same withdrawal', async () => {
      await rows(`drop index payouts_one_alive; insert into payouts
        select (p).* from (select jsonb_populate_record(null::payouts, to_jsonb(p) || '{"id": "po_second", "attempt": 2}') as p from payouts p where subject_id = '${money.withdrawal}') x`);
      expect(await differences()).toEqual([[`payouts: ${PAID}`, 'other_amount', money.withdrawal, money.withdrawal]]);
      await rows(`delete from payouts where id = 'po_second'`);
    });

    it('a payout that the chain does not show any more', async () => {
      tron.lie(money.payoutHash, { succeeded: false });
      expect(await differences(true)).toEqual([
        ['payouts: payouts read again from the chain', 'missing_at_provider', `${money.payoutHash}:${SOME_ADDRESS}`, expect.stringMatching(/^wd_/)],
      ]);
      tron.lie(money.payoutHash, {});
    });

    it('money in the ledger that came from nowhere', async () => {
      const stranger = await gateway.merchant({ live: true });
      await fund(gateway, stranger, 100n, 'EUR', true);
      const { parts } = await make(true);
      expect(parts.filter((part) => part.differences > 0).map(shown)).toEqual([['ledger', BOOKED, 'EUR', '0.00', '1.00', 1, 1]]);
      await rows(`update ledger_transfers set created_at = created_at - interval '3 days' where client_id = $1`, [stranger.credentials.clientId]);
      expect(await differences(true)).toEqual([]);
    });

    it('the first twenty of many, and counts all', async () => {
      const { body } = stripeWebhook({ intent: 'pi_many', amount: 100 });
      await rows(
        `insert into inbox_events (source, event_id, type, livemode, fingerprint, payload, status)
         select 'stripe', 'many' || n, 'payment_intent.succeeded', false, '', replace($1, 'pi_many', 'pi_many' || n), 'received' from generate_series(1001, 1450) n`, [body]);
      const { differences: count, parts } = await make();
      await rows("delete from inbox_events where event_id like 'many%'");
      expect(count).toBe(450);
      const part = parts.find(({ source }) => source === 'stripe')!;
      expect(shown(part)).toEqual(['stripe', TOLD, 'USD', '470.00', '20.00', 453, 450]);
      expect(part.details.map(({ reference }) => reference)).toEqual(Array.from({ length: 20 }, (_, at) => `pi_many${1001 + at}`));
    });
  });

  describe('is not misled', () => {
    it('by clocks that differ about midnight', async () => {
      const move = (table: string, columns: string[], condition: string, to: string) => rows(
        `update ${table} set ${columns.map((column) => `${column} = ${to}`).join(', ')} where ${condition}`);
      const event = `payload like '%${money.stripeReference}%'`;
      await move('inbox_events', ['received_at', 'applied_at'], event, `'${today}T00:00:05Z'`);
      await move('payment_receipts', ['received_at'], `reference = '${money.stripeReference}'`, `'${yesterday}T23:59:55Z'`);
      expect(await differences()).toEqual([]);
      const before = await make(false, yesterday);
      await move('payment_receipts', ['received_at'], `reference = '${money.stripeReference}'`, `'${today}T00:00:05Z'`);
      expect(before.parts.map(shown)).toEqual([['ledger', BOOKED, 'USD', '10.00', '10.00', 1, 0]]);
    });

    it('by deposits that are assigned days later', async () => {
      const kept = "(select reference from unmatched_deposits where status = 'assigned' and provider = 'stripe')";
      const shift = async (by: string) => {
        await rows(`update inbox_events set received_at = received_at + $1::interval, applied_at = applied_at + $1::interval
                     where source = 'stripe' and payload::json #>> '{data,object,id}' in ${kept}`, [by]);
        await rows(`update unmatched_deposits set received_at = received_at + $1::interval where reference in ${kept}`, [by]);
      };
      await shift('-1 day');
      expect(await differences()).toEqual([]);
      const before = await make(false, yesterday);
      await shift('1 day');
      expect(before.parts.map(shown)).toEqual([
        ['stripe', TOLD, 'USD', '10.00', '10.00', 2, 0],
        ['ledger', BOOKED, 'USD', '7.00', '7.00', 1, 0],
      ]);
    });

    it('by a payment that is paid on two days', async () => {
      const second = "currency = 'USDT' and amount_minor = 5000000";
      await changed(`update payment_receipts set received_at = received_at - interval '1 day' where ${second}`,
        `update payment_receipts set received_at = received_at + interval '1 day' where ${second}`, async () => {
          const booked = async (day: string) => (await make(false, day)).parts.filter(({ what, currency }) => what === BOOKED && currency === 'USDT').map(shown);
          expect(await booked(today)).toEqual([['ledger', BOOKED, 'USDT', '10.000000', '10.000000', 1, 0]]);
          expect(await booked(yesterday)).toEqual([['ledger', BOOKED, 'USDT', '5.000000', '5.000000', 1, 0]]);
        });
    });

    it('by payments that are paid long after they were open', async () => {
      await rows("update payments set expires_at = now() - interval '2 days' where id = $1", [money.chainPayment.id]);
      tron.lie(money.chainHash, { amountMinor: 9_000_000n });
      expect(await differences()).toEqual([[`tron: ${REREAD}`, 'other_amount', `${money.chainHash}:${money.chainPayment.address}`, money.chainPayment.id]]);
      tron.lie(money.chainHash, {});
      expect(await differences()).toEqual([]);
    });
  });
});
