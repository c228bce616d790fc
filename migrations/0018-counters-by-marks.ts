import type { MigrationInterface, QueryRunner } from 'typeorm';
import { without } from './functions-gone';

/** The arrays of a row, each with what it is a part of. */
const RINGS = { minutes: 'total', small: 'small_total', hours: 'total', days: 'total' } as const;
/** What takes or answers something else than before, and what is new; the version that follows makes its own. */
const CHANGED = ['payment_contexts', 'keep_assessments', 'running_counter', 'risk_ring'] as const;
const NEW = [
  'risk_marks', 'counted_since', 'elements', 'customer_noted', 'noted_times', 'customer_places', 'network_recent', 'listed', 'guard_blocks',
] as const;

/** What happened in a window is a difference of two totals, so that no bucket has to be added up, or written while its minute lasts. */
export class CountersByMarks1763600000018 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ${without(CHANGED)}
      alter table risk_counters
        add column total bigint not null default 0,
        add column small_total bigint not null default 0,
        ${Object.keys(RINGS).map((ring) => `alter column ${ring} type bigint[]`).join(', ')};
      update risk_counters set total = (select sum(n) from unnest(days) n), small_total = (select sum(n) from unnest(small) n);
      ${ringsAs((total, at) => `${total} - sum(n) over (order by ${at})`)}
      alter table risk_counters
        alter column total drop default, alter column small_total drop default,
        add constraint risk_counters_small_are_some check (total > 0 and small_total between 0 and total);
      comment on column risk_counters.total is 'All payments since it began.';
      comment on column risk_counters.minutes is 'The total before each minute, the newest first; what is missing at the end is as the last.';
      comment on column risk_counters.hours is 'The same for each hour.';
      comment on column risk_counters.days is 'The same for each day.';
      comment on column risk_counters.small is 'The total of small payments before each minute.';
      -- By the entity first: one search says whether anything is noted of somebody.
      alter table risk_sightings drop constraint risk_sightings_pkey, add primary key (client_id, livemode, entity, kind, at, subject_id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ${without([...CHANGED, ...NEW])}
      ${ringsAs((total, at) => `lag(n, 1, ${total}) over (order by ${at}) - n`)}
      alter table risk_counters
        drop constraint risk_counters_small_are_some, drop column total, drop column small_total,
        ${Object.keys(RINGS).map((ring) => `alter column ${ring} type integer[]`).join(', ')};
      comment on column risk_counters.small is 'The small payments among those of each minute.';
      comment on column risk_counters.minutes is null;
      comment on column risk_counters.hours is null;
      comment on column risk_counters.days is null;
      alter table risk_sightings drop constraint risk_sightings_pkey, add primary key (client_id, livemode, kind, entity, at, subject_id);
    `);
  }
}

/** Writes each array anew, element for element. */
function ringsAs(element: (total: string, at: string) => string): string {
  return Object.entries(RINGS).map(([ring, total]) => `
    update risk_counters set ${ring} = (
      select array_agg(e.mark order by e.at) from (select r.at, ${element(total, 'r.at')} as mark from unnest(${ring}) with ordinality as r (n, at)) e);`).join('');
}
