import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Idempotency records, outbound events, and the two logs: what was changed (audit) and what was refused (security). */
export class Platform1763600000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table idempotency_keys (
        client_id text collate "C" not null,
        livemode boolean not null,
        route text collate "C" not null,
        key text collate "C" not null,
        fingerprint text not null,
        status smallint,
        body text,
        sealed boolean not null default false,
        created_at timestamptz not null default now(),
        primary key (client_id, livemode, route, key),
        check (status between 200 and 299)
      );
      -- Only the clean-up reads by age; a block range index costs the insert next to nothing.
      create index idempotency_keys_age on idempotency_keys using brin (created_at);

      create table events (
        client_id text collate "C" not null,
        livemode boolean not null,
        id text collate "C" not null,
        type text collate "C" not null,
        object_id text collate "C" not null,
        data json not null,
        created_at timestamptz not null,
        primary key (client_id, livemode, id)
      );
      create index events_by_object on events (client_id, livemode, object_id, id);
      create index events_by_type on events (client_id, livemode, type, id);

      create table audit_events (
        id text collate "C" primary key,
        occurred_at timestamptz not null default now(),
        client_id text collate "C",
        livemode boolean,
        kind text collate "C" not null,
        actor_type text not null check (actor_type in ('api_key', 'provider', 'operator', 'system', 'person')),
        actor_id text collate "C",
        object_id text collate "C",
        ip text,
        user_agent text,
        request_id text,
        api_version text,
        before jsonb,
        after jsonb
      );
      create index audit_events_by_client on audit_events (client_id, id);
      create index audit_events_by_object on audit_events (object_id, id);
      -- The change history of a client, among its millions of payments.
      create index audit_events_of_client_changes on audit_events (client_id, id)
        where split_part(kind, '.', 1) in ('client', 'api_key', 'webhook_endpoint');

      create function refuse_change() returns trigger language plpgsql as $$
      begin
        raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
      end $$;
      create trigger audit_events_append_only before update or delete on audit_events
        for each row execute function refuse_change();
      create trigger audit_events_no_truncate before truncate on audit_events
        for each statement execute function refuse_change();

      create table security_events (
        id text collate "C" primary key,
        minute timestamptz not null,
        kind text collate "C" not null,
        severity text not null check (severity in ('low', 'medium', 'high', 'critical')),
        source text collate "C" not null,
        client_id text collate "C",
        actor_id text collate "C",
        route text,
        user_agent text,
        request_id text,
        api_version text,
        action text not null,
        mitigated boolean not null default true,
        details jsonb not null default '{}',
        count bigint not null default 1 check (count > 0),
        occurred_at timestamptz not null default now(),
        last_at timestamptz not null default now(),
        -- A flood of one kind from one source is one row a minute: it can be read, and it cannot fill the disk.
        unique (minute, kind, source)
      );
      -- Which instance runs which of the queue's workers, so that the jobs of a killed one are freed at once.
      create table job_workers (
        worker_id text collate "C" primary key,
        instance integer not null
      );

      create index security_events_by_kind on security_events (kind, id);
      create index security_events_by_client on security_events (client_id, id) where client_id is not null;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table job_workers, security_events, audit_events, events, idempotency_keys; drop function refuse_change()');
  }
}
