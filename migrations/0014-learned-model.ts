import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Learned models with how well they did, which of them is in force, and the daily tallies that they look at. */
export class LearnedModel1763600000014 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table risk_models (
        version integer primary key check (version > 0),
        body jsonb not null,
        figures jsonb not null,
        trained_on text not null check (length(trained_on) between 1 and 500),
        created_by text collate "C" not null,
        created_at timestamptz not null default clock_timestamp()
      );
      comment on table risk_models is 'Trained models as they were stored. Which one is in force says the newest definition of the kind model.';
      create trigger risk_models_append_only before update or delete on risk_models
        for each row execute function refuse_change();
      create trigger risk_models_no_truncate before truncate on risk_models
        for each statement execute function refuse_change();

      alter table risk_definitions drop constraint risk_definitions_kind_check;
      alter table risk_definitions add constraint risk_definitions_kind_check check (kind in ('rule', 'guard', 'threshold', 'model'));
      insert into risk_definitions (kind, name, version, revision, body, note, changed_by)
      select 'model', 'model', 1, coalesce(max(revision), 0) + 1,
             '{"mode": "off", "model_version": null, "review_from": 0.5, "score": 0.5}', 'as shipped', 'cpgateway'
        from risk_definitions;

      create table risk_client_days (
        client_id text collate "C" not null,
        livemode boolean not null,
        day date not null,
        payments integer not null check (payments > 0),
        known_frauds integer not null check (known_frauds between 0 and payments),
        ordinary_frauds integer not null check (ordinary_frauds between 0 and known_frauds),
        primary key (client_id, livemode, day)
      );
      comment on table risk_client_days is 'What each client took on each finished day (UTC) of the last sixty, and what of it is known as fraud by now.';
      -- Which days were counted already.
      create index risk_client_days_by_day on risk_client_days (day);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      drop table risk_client_days, risk_models;
      alter table risk_definitions disable trigger risk_definitions_append_only;
      delete from risk_definitions where kind = 'model';
      alter table risk_definitions enable trigger risk_definitions_append_only;
      alter table risk_definitions drop constraint risk_definitions_kind_check;
      alter table risk_definitions add constraint risk_definitions_kind_check check (kind in ('rule', 'guard', 'threshold'));
    `);
  }
}
