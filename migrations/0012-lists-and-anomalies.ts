import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whom the operator lets through or stops by name, and what looked wrong in a client's book and waits for people. */
export class ListsAndAnomalies1763600000012 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table risk_list_entries (
        id text collate "C" primary key,
        list text not null check (list in ('allow', 'block')),
        kind text collate "C" not null check (kind in ('ip', 'country', 'customer', 'email_domain', 'destination', 'card')),
        value text collate "C" not null check (length(value) between 1 and 255),
        -- How risk_list_hits finds it: by one index each, whatever the planner knows of the table.
        subject text collate "C" not null generated always as (kind || ' ' || value) stored,
        network inet generated always as (case when kind = 'ip' and removed_at is null then value::inet end) stored,
        client_id text collate "C",
        source text collate "C" not null check (length(source) between 1 and 64),
        reason text not null check (length(reason) between 1 and 500),
        expires_at timestamptz,
        created_by text collate "C",
        created_at timestamptz not null default now(),
        removed_at timestamptz,
        removed_by text collate "C",
        removed_because text check (length(removed_because) between 1 and 500),
        constraint risk_list_entries_are_narrow check (masklen(network) >= case family(network) when 4 then 8 else 16 end),
        constraint risk_list_entries_end_once check ((removed_at is null) = (removed_because is null))
      );
      comment on table risk_list_entries is 'Addresses, countries, payers, domains, destinations and cards that are let through or stopped by name.';
      comment on column risk_list_entries.client_id is 'The one client that it holds for; null for all.';
      comment on column risk_list_entries.network is 'Of an address or range on a list; null once it is off it.';
      create unique index risk_list_entries_once on risk_list_entries (subject, list, source, client_id) nulls not distinct
        where removed_at is null;
      create index risk_list_entries_by_network on risk_list_entries using spgist (network inet_ops) where network is not null;
      create index risk_list_entries_by_source on risk_list_entries (source, list, kind, id);
      create index risk_list_entries_removed on risk_list_entries (source, list, kind, removed_at) where removed_at is not null;

      create table anomalies (
        client_id text collate "C" not null references clients (id),
        livemode boolean not null,
        id text collate "C" not null,
        kind text collate "C" not null check (length(kind) between 1 and 100),
        group_key text collate "C" not null check (length(group_key) between 1 and 300),
        severity text not null check (severity in ('low', 'medium', 'high', 'critical')),
        status text not null default 'open' check (status in ('open', 'investigating', 'resolved', 'false_positive')),
        subject_type text not null check (length(subject_type) between 1 and 50),
        subject_id text collate "C" not null check (length(subject_id) between 1 and 200),
        title text not null check (length(title) between 1 and 200),
        figures jsonb not null default '{}',
        note text check (length(note) between 1 and 2000),
        count bigint not null default 1 check (count > 0),
        collects boolean not null default true,
        first_at timestamptz not null default now(),
        last_at timestamptz not null default now(),
        changed_by_type text check (changed_by_type in ('api_key', 'person', 'staff', 'operator', 'system')),
        changed_by text collate "C",
        changed_at timestamptz,
        revision bigint not null default 1,
        primary key (client_id, livemode, id),
        constraint anomalies_collect_while_open check (not collects or status in ('open', 'investigating'))
      );
      comment on column anomalies.collects is 'Further occurrences of its group are added to it: at most one of a group collects, see record_anomaly.';
      create unique index anomalies_one_collects on anomalies (client_id, livemode, kind, group_key) where collects;
      create index anomalies_by_status on anomalies (client_id, livemode, status, id);
      create index anomalies_queue on anomalies (status, livemode, id);
      create index anomalies_by_id on anomalies (id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table anomalies; drop table risk_list_entries');
  }
}
