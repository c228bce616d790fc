import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the figures for operators find their rows by: metrics every ten seconds, and the summary over up to a month. */
export class Figures1763600000015 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- Answered from the index alone; being seen changes neither column.
      create index sessions_open on sessions (person_id, expires_at) where revoked_at is null;
      create index ip_blocks_in_force on ip_blocks (expires_at) where kind = 'block' and released_at is null;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop index sessions_open, ip_blocks_in_force');
  }
}
