import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Double entry: accounts with four totals, two-phase transfers, and the entries that make up a statement. */
export class Ledger1763600000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table ledger_accounts (
        client_id text collate "C" not null,
        livemode boolean not null,
        currency text collate "C" not null,
        kind text collate "C" not null,
        normal_side text not null,
        debits_pending numeric(38, 0) not null default 0 check (debits_pending >= 0),
        debits_posted numeric(38, 0) not null default 0 check (debits_posted >= 0),
        credits_pending numeric(38, 0) not null default 0 check (credits_pending >= 0),
        credits_posted numeric(38, 0) not null default 0 check (credits_posted >= 0),
        entry_count bigint not null default 0 check (entry_count >= 0),
        last_entry_at timestamptz,
        primary key (client_id, livemode, currency, kind),
        check ((entry_count = 0) = (last_entry_at is null)),
        constraint ledger_accounts_kind check (
          (normal_side = 'debit' and kind in ('provider', 'owed', 'provider_fees'))
          or (normal_side = 'credit' and kind in ('available', 'pending', 'fees', 'payout', 'unmatched', 'disputed', 'adjustments'))
        ),
        -- An account never goes below zero on its normal side, and what is held cannot be spent twice.
        constraint ledger_accounts_never_negative check (
          case normal_side
            when 'credit' then debits_posted + debits_pending <= credits_posted
            else credits_posted + credits_pending <= debits_posted
          end
        )
      );

      create table ledger_transfers (
        client_id text collate "C" not null,
        livemode boolean not null,
        currency text collate "C" not null,
        id text collate "C" not null,
        debit_kind text collate "C" not null,
        credit_kind text collate "C" not null,
        amount_minor numeric(38, 0) not null check (amount_minor > 0),
        code text collate "C" not null,
        state text not null check (state in ('posted', 'pending', 'voided')),
        reference_id text collate "C" not null,
        created_at timestamptz not null default now(),
        settled_at timestamptz,
        primary key (client_id, id),
        foreign key (client_id, livemode, currency, debit_kind) references ledger_accounts (client_id, livemode, currency, kind),
        foreign key (client_id, livemode, currency, credit_kind) references ledger_accounts (client_id, livemode, currency, kind),
        check (debit_kind <> credit_kind),
        check ((state = 'pending') = (settled_at is null))
      );
      create index ledger_transfers_by_reference on ledger_transfers (client_id, reference_id, id);

      create table ledger_entries (
        client_id text collate "C" not null,
        livemode boolean not null,
        currency text collate "C" not null,
        kind text collate "C" not null,
        seq bigint not null check (seq > 0),
        id text collate "C" not null,
        transfer_id text collate "C" not null,
        side text not null check (side in ('debit', 'credit')),
        amount_minor numeric(38, 0) not null check (amount_minor > 0),
        balance_minor numeric(38, 0) not null constraint ledger_entries_never_negative check (balance_minor >= 0),
        created_at timestamptz not null,
        primary key (client_id, livemode, currency, kind, seq),
        foreign key (client_id, transfer_id) references ledger_transfers (client_id, id),
        foreign key (client_id, livemode, currency, kind) references ledger_accounts (client_id, livemode, currency, kind)
      );
      create unique index ledger_entries_statement on ledger_entries (client_id, livemode, kind, id);
      create unique index ledger_entries_statement_by_currency on ledger_entries (client_id, livemode, kind, currency, id);
      create unique index ledger_entries_by_transfer on ledger_entries (client_id, transfer_id, side);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table ledger_entries, ledger_transfers, ledger_accounts');
  }
}
