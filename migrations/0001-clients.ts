import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Merchants, their API keys, and the routing table that leads from a key's prefix to its client's book. */
export class Clients1763600000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table clients (
        id text collate "C" primary key,
        name text not null check (length(name) between 1 and 200),
        status text not null default 'active' check (status in ('active', 'suspended', 'closed')),
        live_enabled boolean not null default false,
        fee_bps integer not null default 0 check (fee_bps between 0 and 10000),
        rate_multiplier integer not null default 1 check (rate_multiplier between 1 and 10000),
        test_settings jsonb not null default '{}',
        live_settings jsonb not null default '{}',
        revision bigint not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
      );
      create index clients_by_status on clients (status, id);

      create table api_keys (
        client_id text collate "C" not null references clients (id),
        id text collate "C" not null,
        livemode boolean not null,
        name text not null check (length(name) between 1 and 100),
        prefix text collate "C" not null,
        key_hash text not null check (key_hash ~ '^[0-9a-f]{64}$'),
        signing_secret text not null,
        scopes text[] not null check (cardinality(scopes) > 0),
        allowed_ips text[] not null default '{}',
        expires_at timestamptz,
        revoked_at timestamptz,
        last_used_at timestamptz,
        replaced_by text collate "C",
        warned_at_days integer not null default 0 check (warned_at_days in (0, 76, 90)),
        revision bigint not null default 1,
        created_at timestamptz not null default now(),
        primary key (client_id, id)
      );
      create index api_keys_to_warn on api_keys (created_at) where revoked_at is null and replaced_by is null and warned_at_days < 90;
      comment on column api_keys.warned_at_days is 'The age at which the client was last told that the key is getting old.';

      create table api_key_prefixes (
        prefix text collate "C" primary key,
        client_id text collate "C" not null,
        key_id text collate "C" not null,
        foreign key (client_id, key_id) references api_keys (client_id, id)
      );
      comment on table api_key_prefixes is 'Routing: leads from the prefix of a presented key to the book it opens.';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table api_key_prefixes, api_keys, clients');
  }
}
