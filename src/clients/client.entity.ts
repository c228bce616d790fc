import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A merchant: the owner of two books, one in test and one in live mode. */
@Entity('clients')
export class Client {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  status!: 'active' | 'suspended' | 'closed';

  @Column('boolean', { name: 'live_enabled' })
  liveEnabled!: boolean;

  @Column('integer', { name: 'fee_bps' })
  feeBps!: number;

  /** Multiplies the limit of each of its keys. */
  @Column('integer', { name: 'rate_multiplier' })
  rateMultiplier!: number;

  /** What the merchant decided for its test book. */
  @Column('jsonb', { name: 'test_settings' })
  testSettings!: Record<string, unknown>;

  /** What the merchant decided for its live book; a test key cannot touch it. */
  @Column('jsonb', { name: 'live_settings' })
  liveSettings!: Record<string, unknown>;

  /** Grows with every edit; a change that was decided on an older one is decided again. */
  @Column('bigint')
  revision!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
