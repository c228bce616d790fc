import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Deposit addresses that are watched on a chain, what was seen to arrive there, and the daily comparison of books and providers. */
export class Chain1763600000008 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create sequence deposit_address_index minvalue 0 start 0;

      create table watched_addresses (
        chain text not null check (chain = 'tron'),
        address text collate "C" not null,
        client_id text collate "C" not null,
        livemode boolean not null,
        payment_id text collate "C" not null,
        derivation_index bigint not null check (derivation_index between 0 and 2147483647),
        complete_until timestamptz not null,
        next_look_at timestamptz,
        created_at timestamptz not null default now(),
        primary key (chain, address),
        foreign key (client_id, livemode, payment_id) references payments (client_id, livemode, id)
      );
      comment on table watched_addresses is 'Routing: leads from an address on a chain to the payment that it was made for.';
      comment on column watched_addresses.complete_until is 'The stored cursor, in the chain''s own time: everything before it has been seen.';
      create index watched_addresses_due on watched_addresses (next_look_at) where next_look_at is not null;
      create index watched_addresses_by_payment on watched_addresses (client_id, livemode, payment_id);

      create table chain_transfers (
        chain text not null check (chain = 'tron'),
        hash text collate "C" not null check (hash ~ '^[0-9a-f]{64}$'),
        address text collate "C" not null,
        contract text collate "C" not null,
        state text not null check (state in ('seen', 'final', 'gone', 'reverted')),
        amount_minor numeric(78, 0) not null check (amount_minor > 0),
        from_address text collate "C" not null,
        failure text,
        block_time timestamptz not null,
        confirmations bigint not null,
        first_seen_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (chain, hash, address, contract)
      );
      comment on table chain_transfers is 'Routing: what a chain says has arrived at an address, by the transaction''s hash; never by its block, which can change.';
      comment on column chain_transfers.amount_minor is 'In the token''s own smallest unit; a uint256, and whoever makes a token chooses it.';
      create index chain_transfers_by_address on chain_transfers (address, block_time);
      create index chain_transfers_final on chain_transfers (block_time) where state = 'final';

      -- A token that only calls itself money can be sent in any amount that a uint256 holds; such a deposit is kept and never booked.
      alter table unmatched_deposits alter column amount_minor type numeric(78, 0);

      create table reconciliations (
        day date not null,
        livemode boolean not null,
        result jsonb not null,
        differences integer not null,
        made_at timestamptz not null default now(),
        primary key (day, livemode)
      );
      comment on table reconciliations is 'Each day''s comparison of the ledger with what providers and chains say, over all books.';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      alter table unmatched_deposits alter column amount_minor type numeric(38, 0);
      drop table reconciliations, chain_transfers, watched_addresses;
      drop sequence deposit_address_index;
    `);
  }
}
