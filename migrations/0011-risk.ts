import type { MigrationInterface, QueryRunner } from 'typeorm';
import { RISK_DEFINITIONS } from './seeds/risk-definitions';

/** What the fraud rules are made of, what they look at, what they have decided, and what people said about it afterwards. */
export class Risk1763600000011 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table risk_definitions (
        kind text collate "C" not null check (kind in ('rule', 'guard', 'threshold')),
        name text collate "C" not null check (name ~ '^[a-z][a-z0-9_]{1,59}$'),
        version integer not null check (version > 0),
        revision bigint not null,
        body jsonb not null,
        note text not null check (length(note) between 1 and 500),
        changed_by text collate "C" not null,
        created_at timestamptz not null default clock_timestamp(),
        primary key (kind, name, version)
      );
      comment on table risk_definitions is 'Rules, guards and thresholds. A change is a new version; the newest one of a name is in force.';
      create unique index risk_definitions_by_revision on risk_definitions (revision);
      create trigger risk_definitions_append_only before update or delete on risk_definitions
        for each row execute function refuse_change();
      create trigger risk_definitions_no_truncate before truncate on risk_definitions
        for each statement execute function refuse_change();

      create table risk_sightings (
        client_id text collate "C" not null,
        livemode boolean not null,
        kind text collate "C" not null,
        entity text collate "C" not null,
        at timestamptz not null,
        subject_id text collate "C" not null,
        amount_minor numeric(38, 0),
        currency text,
        small boolean not null,
        peer text collate "C",
        country text,
        primary key (client_id, livemode, kind, entity, at, subject_id)
      );
      comment on table risk_sightings is
        'Each time that a client, customer, address, card, domain or destination was seen. A counter is a walk over the newest of one entity.';
      -- Only the clean-up reads by age. No block range index: what it frees is filled again, and soon every range would hold every day.
      create index risk_sightings_age on risk_sightings (at);

      create table risk_profiles (
        client_id text collate "C" not null,
        livemode boolean not null,
        subject text not null check (subject in ('payment')),
        currency text not null,
        count bigint not null check (count > 0),
        total_minor numeric not null check (total_minor >= 0),
        max_minor numeric(38, 0) not null check (max_minor >= 0),
        hours bigint[] not null check (cardinality(hours) = 24),
        updated_at timestamptz not null default now(),
        primary key (client_id, livemode, subject, currency)
      );
      comment on table risk_profiles is 'What is usual for a client: running figures of what has come to a good end.';

      create table risk_assessments (
        client_id text collate "C" not null,
        livemode boolean not null,
        subject_id text collate "C" not null,
        subject text not null check (subject in ('payment', 'withdrawal', 'refund', 'login', 'activation')),
        score numeric(3, 2) not null check (score between 0 and 1),
        decision text not null check (decision in ('allow', 'review', 'block')),
        reasons jsonb not null,
        signals jsonb not null,
        fired text[] not null,
        shadow jsonb,
        model jsonb,
        revision bigint not null,
        amount_minor numeric(38, 0),
        currency text,
        created_at timestamptz not null,
        primary key (client_id, livemode, subject_id)
      );
      -- A back-test replays the newest first; whoever looks for trouble, what was not simply allowed.
      create index risk_assessments_by_time on risk_assessments (created_at, subject_id);
      create index risk_assessments_noticed on risk_assessments (created_at) where decision <> 'allow';

      create table risk_guard_blocks (
        client_id text collate "C" not null,
        livemode boolean not null,
        guard text collate "C" not null,
        entity text collate "C" not null,
        failures integer not null check (failures > 0),
        reason text not null,
        blocked_until timestamptz not null,
        created_at timestamptz not null default now(),
        primary key (client_id, livemode, guard, entity)
      );
      comment on table risk_guard_blocks is 'Cards, customers and addresses that failed too often for one client, and until when they are stopped.';
      create index risk_guard_blocks_by_end on risk_guard_blocks (blocked_until);

      create table risk_reviews (
        client_id text collate "C" not null,
        livemode boolean not null,
        subject_id text collate "C" not null,
        subject text not null check (subject in ('payment', 'withdrawal')),
        status text not null default 'open' check (status in ('open', 'released', 'rejected', 'closed')),
        reason text,
        decided_by text collate "C",
        decided_at timestamptz,
        created_at timestamptz not null,
        primary key (client_id, livemode, subject_id),
        constraint risk_reviews_are_decided check ((status in ('released', 'rejected')) = (decided_by is not null and reason is not null))
      );
      create index risk_reviews_queue on risk_reviews (status, subject, subject_id);
      create index risk_reviews_by_subject on risk_reviews (subject_id);

      create table risk_labels (
        client_id text collate "C" not null,
        livemode boolean not null,
        subject_id text collate "C" not null,
        label text not null check (label in ('fraud', 'legitimate')),
        source text not null check (source in ('review', 'staff', 'dispute')),
        labelled_by text collate "C" not null,
        created_at timestamptz not null default clock_timestamp(),
        primary key (client_id, livemode, subject_id)
      );
      comment on table risk_labels is 'What something turned out to be, for learning: the last word on it.';
      create index risk_labels_by_time on risk_labels (created_at);

      alter table payments
        add column risk jsonb,
        add column review text check (review in ('held', 'released', 'rejected', 'lapsed')),
        add constraint payments_held_are_not_settled check (review is null or review in ('released', 'lapsed') or status <> 'succeeded'),
        add constraint payments_rejected_are_canceled check (review is distinct from 'rejected' or status = 'canceled');
      alter table withdrawals
        add column review text check (review in ('held', 'released', 'rejected')),
        add constraint withdrawals_held_are_not_approved
          check (review is null or review = 'released' or status not in ('approved', 'processing', 'completed'));

      -- Passwords and second factors that were changed, among the millions of events of a client.
      create index audit_events_of_credentials on audit_events (client_id, id)
        where kind in ('password.reset', 'password.changed', 'two_factor.disabled', 'two_factor.reset', 'email.changed', 'api_key.rotated');

      -- These take one thing more than before.
      drop function if exists create_payment(jsonb, jsonb, jsonb, jsonb, json);
      drop function if exists change_payment(jsonb, jsonb, jsonb, jsonb, jsonb, json, jsonb);
      drop function if exists quarantine_event(jsonb, jsonb);
      drop function if exists request_withdrawal(jsonb, jsonb, jsonb, jsonb, jsonb, json);
    `);
    await queryRunner.query(
      `insert into risk_definitions (kind, name, version, revision, body, note, changed_by)
       select d.kind, d.name, 1, d.n, d.body, 'as shipped', 'cpgateway'
         from rows from (jsonb_to_recordset($1) as (kind text, name text, body jsonb)) with ordinality as d (kind, name, body, n)`,
      [JSON.stringify(RISK_DEFINITIONS)],
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      drop index audit_events_of_credentials;
      alter table withdrawals drop column review;
      alter table payments drop column review, drop column risk;
      drop table risk_labels, risk_reviews, risk_guard_blocks, risk_assessments, risk_profiles, risk_sightings, risk_definitions;
    `);
  }
}
