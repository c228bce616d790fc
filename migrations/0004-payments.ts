import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Payments, what arrived for them, what matched nothing, and the routing from a provider's name to a book. */
export class Payments1763600000004 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table payments (
        client_id text collate "C" not null,
        livemode boolean not null,
        id text collate "C" not null,
        status text not null check (status in ('pending', 'processing', 'succeeded', 'expired', 'canceled', 'failed')),
        exception text check (exception in ('unknown', 'under_review', 'paid_late', 'underpaid', 'overpaid')),
        amount_minor numeric(38, 0) not null check (amount_minor > 0),
        currency text not null,
        pay_amount_minor numeric(38, 0) not null check (pay_amount_minor > 0),
        pay_currency text not null,
        amount_received_minor numeric(38, 0) not null check (amount_received_minor >= 0),
        amount_refunded_minor numeric(38, 0) not null check (amount_refunded_minor >= 0),
        fee_minor numeric(38, 0) not null check (fee_minor >= 0),
        fee_bps integer not null check (fee_bps between 0 and 10000),
        method text not null check (method in ('card', 'usdt_trc20', 'simulated')),
        provider_reference text,
        customer text,
        payer jsonb,
        description text,
        return_url text,
        metadata jsonb not null,
        expires_at timestamptz not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        revision bigint not null,
        primary key (client_id, livemode, id),
        constraint payments_fee_within_received check (fee_minor <= amount_received_minor),
        constraint payments_refund_within_received check (amount_refunded_minor <= amount_received_minor),
        constraint payments_success_has_money check (status <> 'succeeded' or amount_received_minor > 0),
        constraint payments_simulated_is_test check (method <> 'simulated' or not livemode)
      );
      create index payments_by_status on payments (client_id, livemode, status, id);
      create index payments_by_method on payments (client_id, livemode, method, id);
      create index payments_by_currency on payments (client_id, livemode, currency, id);
      create index payments_by_customer on payments (client_id, livemode, customer, id) where customer is not null;
      create index payments_to_expire on payments (expires_at) where status = 'pending';

      create table payment_receipts (
        client_id text collate "C" not null,
        livemode boolean not null,
        provider text collate "C" not null,
        reference text collate "C" not null,
        payment_id text collate "C" not null,
        amount_minor numeric(38, 0) not null check (amount_minor > 0),
        credited_minor numeric(38, 0) not null check (credited_minor >= 0 and credited_minor <= amount_minor),
        currency text not null,
        received_at timestamptz not null,
        primary key (client_id, livemode, provider, reference),
        foreign key (client_id, livemode, payment_id) references payments (client_id, livemode, id)
      );
      create index payment_receipts_by_payment on payment_receipts (client_id, livemode, payment_id);

      create table provider_references (
        provider text collate "C" not null,
        reference text collate "C" not null,
        client_id text collate "C" not null,
        livemode boolean not null,
        payment_id text collate "C" not null,
        primary key (provider, reference)
      );
      comment on table provider_references is 'Routing: leads from a name that a provider uses for a payment to its book.';

      create table unmatched_deposits (
        provider text collate "C" not null,
        reference text collate "C" not null,
        client_id text collate "C",
        livemode boolean,
        payment_id text collate "C",
        amount_minor numeric(38, 0) not null check (amount_minor > 0),
        currency text not null,
        reason text not null check (reason in (
          'no_payment', 'wrong_mode', 'wrong_method', 'wrong_amount', 'wrong_currency',
          'late', 'underpaid', 'overpaid', 'closed_payment')),
        wish text not null check (wish in ('review', 'refund')),
        status text not null default 'open' check (status in ('open', 'assigned', 'refunded')),
        received_at timestamptz not null,
        primary key (provider, reference)
      );
      comment on table unmatched_deposits is 'Money that matched no payment, or more than one asked for. Keyed by the provider''s name for it; nothing is dropped.';
      create index unmatched_deposits_open on unmatched_deposits (received_at) where status = 'open';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table unmatched_deposits, provider_references, payment_receipts, payments');
  }
}
