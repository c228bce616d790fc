import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People who log in, their second factors and sessions; the addresses that are blocked; a client's branding. */
export class People1763600000006 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table people (
        id text collate "C" primary key,
        client_id text collate "C" references clients (id),
        email text collate "C" not null check (email = lower(email) and length(email) between 3 and 254),
        role text not null check (role in ('owner', 'developer', 'viewer', 'admin', 'approver', 'analyst', 'auditor')),
        status text not null check (status in ('invited', 'active', 'removed')),
        password_hash text,
        referral_code text collate "C" not null unique,
        referred_by text collate "C" references people (id),
        totp_secret text,
        totp_enabled_at timestamptz,
        totp_last_step bigint not null default 0,
        totp_pending text,
        signing_public_key text,
        revision bigint not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint staff_belong_to_no_client check ((client_id is null) = (role in ('admin', 'approver', 'analyst', 'auditor'))),
        check (status <> 'active' or password_hash is not null),
        check ((totp_secret is null) = (totp_enabled_at is null))
      );
      create unique index people_by_email on people (email) where status = 'active';
      -- An invitation is an offer: many may be made to one address, and none of them keeps its owner from another.
      create unique index people_invited on people (email, coalesce(client_id, 'staff')) where status = 'invited';
      create index people_by_client on people (client_id, id);
      create index people_by_referrer on people (referred_by) where referred_by is not null;
      comment on column people.totp_last_step is 'The newest time step whose code was accepted; only a later one is (RFC 6238, 5.2).';

      create table backup_codes (
        person_id text collate "C" not null references people (id),
        code_hash text not null check (code_hash ~ '^[0-9a-f]{64}$'),
        used_at timestamptz,
        primary key (person_id, code_hash)
      );

      create table sessions (
        id text collate "C" primary key,
        person_id text collate "C" not null references people (id),
        created_at timestamptz not null default now(),
        last_seen_at timestamptz not null default now(),
        expires_at timestamptz not null,
        revoked_at timestamptz,
        second_factor_at timestamptz,
        ip text,
        user_agent text
      );
      create index sessions_by_person on sessions (person_id, id);
      create index sessions_by_end on sessions (expires_at);

      create table refresh_tokens (
        token_hash text primary key check (token_hash ~ '^[0-9a-f]{64}$'),
        session_id text collate "C" not null references sessions (id) on delete cascade,
        created_at timestamptz not null default now(),
        used_at timestamptz
      );
      create index refresh_tokens_by_session on refresh_tokens (session_id);
      create index refresh_tokens_by_use on refresh_tokens (used_at) where used_at is not null;

      create table one_time_tokens (
        token_hash text primary key check (token_hash ~ '^[0-9a-f]{64}$'),
        purpose text not null check (purpose in ('registration', 'invitation', 'email_change', 'password_reset', 'second_factor')),
        person_id text collate "C" references people (id),
        data jsonb not null default '{}',
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        used_at timestamptz
      );
      create index one_time_tokens_by_person on one_time_tokens (person_id, purpose) where person_id is not null;
      create index one_time_tokens_by_end on one_time_tokens (expires_at);
      create index one_time_tokens_of_registration on one_time_tokens ((data ->> 'email')) where purpose = 'registration' and used_at is null;

      create table known_devices (
        person_id text collate "C" not null references people (id),
        device_hash text not null check (device_hash ~ '^[0-9a-f]{64}$'),
        created_at timestamptz not null default now(),
        last_seen_at timestamptz not null default now(),
        primary key (person_id, device_hash)
      );
      create index known_devices_by_use on known_devices (last_seen_at);

      create table captcha_uses (
        nonce text primary key,
        expires_at timestamptz not null
      );
      create index captcha_uses_by_end on captcha_uses (expires_at);

      create table ip_blocks (
        id text collate "C" primary key,
        network cidr not null,
        kind text not null check (kind in ('block', 'allow')),
        level integer not null default 0 check (level between 0 and 4),
        reason text not null check (length(reason) between 1 and 500),
        created_by text collate "C",
        created_at timestamptz not null default now(),
        expires_at timestamptz,
        released_at timestamptz,
        released_by text collate "C",
        changed_at timestamptz not null default clock_timestamp()
      );
      create index ip_blocks_by_change on ip_blocks (changed_at);
      create index ip_blocks_by_network on ip_blocks (network, id);
      comment on column ip_blocks.level is '0: set by a person. 1 to 4: set by the gateway, longer each time.';

      alter table clients add column branding jsonb not null default '{}';

      create index audit_events_by_actor on audit_events (actor_id, id) where actor_id is not null;
      create index security_events_by_actor on security_events (actor_id, id) where actor_id is not null;
      create index security_events_by_severity on security_events (severity, id);
      create index security_events_suspicious on security_events (id) where kind like 'suspicious.%';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      drop index audit_events_by_actor, security_events_by_actor, security_events_by_severity, security_events_suspicious;
      alter table clients drop column branding;
      drop table ip_blocks, captcha_uses, known_devices, one_time_tokens, refresh_tokens, sessions, backup_codes, people;
    `);
  }
}
