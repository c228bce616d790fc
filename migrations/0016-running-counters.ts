import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Counters of what may be busy, a client and a domain of e-mails: one row that is added to, whatever it counts, instead of a walk over sightings. */
export class RunningCounters1763600000016 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table risk_counters (
        client_id text collate "C" not null,
        livemode boolean not null,
        kind text collate "C" not null check (kind in ('client', 'email_domain')),
        entity text collate "C" not null,
        since timestamptz not null,
        seen_on date not null,
        upto bigint not null,
        minutes integer[] not null check (cardinality(minutes) <= 60),
        small integer[] not null check (cardinality(small) <= 60),
        hours integer[] not null check (cardinality(hours) <= 24),
        days integer[] not null check (cardinality(days) <= 30),
        primary key (client_id, livemode, kind, entity)
      ) with (fillfactor = 70);
      comment on table risk_counters is 'How many payments a client had, and each domain of e-mails there, by minute, hour and day back from the newest.';
      comment on column risk_counters.upto is 'The minute of the newest, counted from 1970. The first of the minutes, hours and days are the ones that it is in.';
      comment on column risk_counters.small is 'The small payments among those of each minute.';
      -- Only the clean-up reads by age; the day changes once in many updates, which so stay within their page.
      create index risk_counters_by_age on risk_counters (seen_on);
      delete from risk_sightings where kind in ('payment.client', 'payment.email_domain');
      -- Nothing is looked for by these, so nothing has to be known of what is in them; and what is only appended to needs no cleaning up.
      alter table risk_assessments
        alter column signals set statistics 0, alter column reasons set statistics 0, alter column shadow set statistics 0,
        alter column model set statistics 0, alter column fired set statistics 0,
        set (autovacuum_vacuum_insert_threshold = 100000, autovacuum_analyze_threshold = 20000);
      alter table risk_sightings set (autovacuum_vacuum_insert_threshold = 100000, autovacuum_analyze_threshold = 20000);
      -- By the day, so that no plan for one entity can take this way round.
      drop index risk_sightings_age;
      create index risk_sightings_age on risk_sightings (((at at time zone 'UTC')::date));
      create index risk_sightings_small on risk_sightings (client_id, livemode, kind, entity, at) where small;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      alter table risk_sightings reset (autovacuum_vacuum_insert_threshold, autovacuum_analyze_threshold);
      alter table risk_assessments
        alter column signals set statistics -1, alter column reasons set statistics -1, alter column shadow set statistics -1,
        alter column model set statistics -1, alter column fired set statistics -1,
        reset (autovacuum_vacuum_insert_threshold, autovacuum_analyze_threshold);
      drop index risk_sightings_small, risk_sightings_age;
      create index risk_sightings_age on risk_sightings (at);
      -- It takes a row of the table; forgotten as well, so that the way up makes it again.
      delete from schema_functions where name = 'running_counter';
      drop function if exists running_counter(risk_counters, timestamptz);
      drop table risk_counters;
    `);
  }
}
