import type { MigrationInterface, QueryRunner } from 'typeorm';
import { without } from './functions-gone';

/** What takes something else than before; the version that follows makes its own. */
const CHANGED = ['keep_assessments', 'count_risk'] as const;

/** Signals are written with every payment and rarely read: they stay the text that was told, and nobody takes them apart to keep them. */
export class SignalsAsTold1763600000019 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`${without(CHANGED)} alter table risk_assessments alter column signals type json;`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`${without(CHANGED)} alter table risk_assessments alter column signals type jsonb;`);
  }
}
