import type { Pool } from 'pg';

/** A year in which the given clients were paid so often: payments, what was thought of each, and what still counts of it. */
export async function fillPast(pool: Pool, clientIds: readonly string[], payments: number, say: (line: string) => void): Promise<void> {
  const timed = async (what: string, work: () => Promise<unknown>) => {
    const started = performance.now();
    await work();
    say(`  ${what}: ${Math.round((performance.now() - started) / 1000)} s`);
  };
  const indexes = await withoutIndexes(pool, ['payments', 'risk_assessments']);
  for (const [what, sql] of Object.entries(PAST)) await timed(what, () => pool.query(sql, [clientIds, payments]));
  await timed('indexes', async () => {
    await pool.query("set maintenance_work_mem = '512MB'");
    for (const definition of indexes) await pool.query(definition);
  });
  await timed('vacuum', async () => {
    for (const table of ['payments', 'risk_counters', 'risk_assessments']) await pool.query(`vacuum analyze ${table}`);
  });
}

/** Drops what can be built again in a tenth of the time when all rows are there. Answers how. */
async function withoutIndexes(pool: Pool, tables: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<{ name: string; definition: string }>(
    `select c.relname as name, pg_get_indexdef(i.indexrelid) as definition from pg_index i join pg_class c on c.oid = i.indexrelid
      where i.indrelid = any ($1::regclass[]) and not i.indisunique`, [tables],
  );
  for (const { name } of rows) await pool.query(`drop index ${name}`);
  return rows.map(({ definition }) => definition);
}

/** Payment n: at a time, by a customer and from an address that follow from n. Every customer has some ten, and so has every address. */
const NTH = `
  select n, ($1::text[])[1 + n % cardinality($1::text[])] as client_id, now() - interval '365 days' * (($2::bigint - n)::float8 / $2::bigint) as at,
         'pay_' || lpad(to_hex((extract(epoch from now() - interval '365 days' * (($2::bigint - n)::float8 / $2::bigint)) * 1000)::bigint), 12, '0')
           || lpad(to_hex(n), 20, '0') as id,
         'customer-' || (hashint8(n) & 1048575) as customer,
         '10.' || (hashint8(n + 7) & 15) || '.' || ((hashint8(n + 7) >> 4) & 255) || '.' || ((hashint8(n + 7) >> 12) & 255) as ip
    from generate_series(1, $2::bigint) n`;

const PAST: Readonly<Record<string, string>> = {
  payments: `
    insert into payments (client_id, livemode, id, status, amount_minor, currency, pay_amount_minor, pay_currency, amount_received_minor,
                          amount_refunded_minor, fee_minor, fee_bps, method, customer, payer, payer_network, metadata, expires_at, created_at, updated_at, revision)
    select client_id, true, id, 'expired', 2500, 'USD', 2500, 'USD', 0, 0, 0, 250, 'card', customer, jsonb_build_object('ip', ip), ip, '{}',
           at + interval '30 minutes', at, at, 2 from (${NTH}) p`,
  assessments: `
    insert into risk_assessments (client_id, livemode, subject_id, subject, score, decision, reasons, signals, fired, revision, amount_minor, currency, created_at)
    select client_id, true, id, 'payment', 0, 'allow', '[]', '{"amount_units": 25, "client_payments_10m": 3}', '{}', 1, 2500, 'USD', at from (${NTH}) p`,
  counters: `
    insert into risk_counters (client_id, livemode, kind, entity, since, seen_on, upto, total, small_total, minutes, small, hours, days)
    select c, true, e.kind, e.entity, now() - interval '365 days', current_date, floor(extract(epoch from now()) / 60)::bigint, 365 * e.daily, 0,
           array(select 365 * e.daily - m from generate_series(1, 60) m), '{0}',
           array(select 365 * e.daily - h * (1 + (e.daily - 1) / 24) from generate_series(1, 24) h), array(select (365 - d) * e.daily from generate_series(1, 30) d)
      from unnest($1::text[]) c
     cross join lateral (
       select 'client' as kind, c as entity, 1 + ($2::bigint / 365 / 8)::bigint as daily
       union all
       select 'email_domain', 'mail' || d || '.example', 1 + ($2::bigint / 365 / 8 / 1024)::bigint from generate_series(0, 1023) d) e
    on conflict (client_id, livemode, kind, entity) do update
      set total = excluded.total, small_total = 0, minutes = excluded.minutes, small = excluded.small, hours = excluded.hours, days = excluded.days`,
  profiles: `
    insert into risk_profiles (client_id, livemode, subject, currency, count, total_minor, max_minor, hours)
    select c, true, 'payment', 'USD', $2::bigint / 8 + 1, ($2::bigint / 8 + 1) * 2500, 9900, array_fill(1 + $2::bigint / 192, array[24]) from unnest($1::text[]) c`,
};
