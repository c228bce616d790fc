import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Failures that a merchant has asked for at an endpoint of its test book, so that its retries and its end can be tried. */
export class TestReceiver1763600000009 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      alter table webhook_endpoints
        add column test_failure text check (test_failure in ('server_error', 'timeout', 'gone', 'redirect')),
        add column test_failures_left integer not null default 0 check (test_failures_left between 0 and 20),
        add constraint webhook_endpoints_fail_at_will_in_test_mode
          check (test_failures_left = 0 or (not livemode and test_failure is not null));
      -- It answers one column more now, which its text, applied after this, cannot say of a function that is there already.
      drop function if exists claim_deliveries(jsonb, jsonb);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      drop function if exists claim_deliveries(jsonb, jsonb);
      alter table webhook_endpoints drop column test_failure, drop column test_failures_left;
    `);
  }
}
