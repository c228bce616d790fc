import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The inbox of provider events, and merchants' endpoints with their deliveries and attempts. */
export class Webhooks1763600000005 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table inbox_events (
        source text collate "C" not null,
        event_id text collate "C" not null,
        type text not null,
        livemode boolean,
        fingerprint text not null,
        payload text not null,
        status text not null default 'received' check (status in ('received', 'applied', 'ignored', 'quarantined', 'failed')),
        outcome text,
        duplicates bigint not null default 0,
        attempts integer not null default 0,
        last_error text,
        received_at timestamptz not null default now(),
        applied_at timestamptz,
        primary key (source, event_id)
      );
      comment on table inbox_events is 'Routing: verified provider events, keyed by the provider''s own id, stored before they are applied.';
      create index inbox_events_open on inbox_events (status, received_at) where status in ('received', 'failed', 'quarantined');

      create table webhook_endpoints (
        client_id text collate "C" not null references clients (id),
        livemode boolean not null,
        id text collate "C" not null,
        url text not null check (length(url) <= 2048),
        description text,
        events text[] not null check (cardinality(events) between 1 and 50),
        secret text not null,
        previous_secret text,
        previous_secret_expires_at timestamptz,
        status text not null default 'enabled' check (status in ('enabled', 'disabled')),
        disabled_reason text,
        failing_since timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (client_id, livemode, id),
        check ((previous_secret is null) = (previous_secret_expires_at is null))
      );

      create table webhook_deliveries (
        client_id text collate "C" not null,
        livemode boolean not null,
        id text collate "C" not null,
        endpoint_id text collate "C" not null,
        event_id text collate "C" not null,
        event_type text not null,
        status text not null default 'pending' check (status in ('pending', 'delivered', 'failed', 'canceled')),
        attempts integer not null default 0 check (attempts >= 0),
        next_attempt_at timestamptz default now(),
        last_response_status integer,
        last_error text,
        delivered_at timestamptz,
        created_at timestamptz not null default now(),
        primary key (client_id, livemode, id),
        foreign key (client_id, livemode, event_id) references events (client_id, livemode, id),
        check ((status = 'pending') = (next_attempt_at is not null)),
        check ((status = 'delivered') = (delivered_at is not null))
      );
      -- The pump walks from endpoint to endpoint along this index, so a long queue of one costs the others nothing.
      create index webhook_deliveries_due on webhook_deliveries (client_id, livemode, endpoint_id, next_attempt_at)
        where status = 'pending';
      create index webhook_deliveries_by_endpoint on webhook_deliveries (client_id, livemode, endpoint_id, id);
      create index webhook_deliveries_by_event on webhook_deliveries (client_id, livemode, event_id, id);
      create index webhook_deliveries_by_status on webhook_deliveries (client_id, livemode, status, id);

      create table webhook_attempts (
        client_id text collate "C" not null,
        livemode boolean not null,
        delivery_id text collate "C" not null,
        attempt integer not null check (attempt > 0),
        started_at timestamptz not null default now(),
        duration_ms integer,
        response_status integer,
        error text,
        response_excerpt text,
        primary key (client_id, livemode, delivery_id, attempt),
        foreign key (client_id, livemode, delivery_id) references webhook_deliveries (client_id, livemode, id)
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table webhook_attempts, webhook_deliveries, webhook_endpoints, inbox_events');
  }
}
