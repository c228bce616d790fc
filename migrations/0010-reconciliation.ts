import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the daily comparison of books and providers finds its rows by. */
export class Reconciliation1763600000010 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- Only the report reads whole days, so the large tables have block range indexes, which cost an insert next to nothing. An event is
      -- written again when it is applied, perhaps among the events of other days; ranges of several values bear with that.
      create index payment_receipts_by_time on payment_receipts using brin (received_at) with (autosummarize = on);
      create index ledger_transfers_by_time on ledger_transfers using brin (created_at) with (autosummarize = on);
      create index inbox_events_by_time on inbox_events
        using brin (received_at timestamptz_minmax_multi_ops, applied_at timestamptz_minmax_multi_ops) with (autosummarize = on);
      create index ledger_transfers_paid_out on ledger_transfers (settled_at) where state = 'posted' and code in ('withdrawal', 'refund');
      create index unmatched_deposits_by_time on unmatched_deposits (received_at);
      create index payouts_completed on payouts (updated_at) where status = 'completed';

      alter table unmatched_deposits add column booked_for text collate "C";
      update unmatched_deposits set booked_for = payment_id where booked;
      comment on column unmatched_deposits.booked_for is
        'The payment that the ledger booked it under; it stays when the deposit is assigned to another one.';
      create index unmatched_deposits_booked_for on unmatched_deposits (client_id, booked_for) where booked_for is not null;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      alter table unmatched_deposits drop column booked_for;
      drop index payment_receipts_by_time, ledger_transfers_by_time, inbox_events_by_time, ledger_transfers_paid_out,
        unmatched_deposits_by_time, payouts_completed;
    `);
  }
}
