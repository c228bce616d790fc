import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Scope } from '../platform/http/policy';

/** A merchant's key. The key itself is never stored: its prefix finds it, its hash proves it. */
@Entity('api_keys')
export class ApiKey {
  @PrimaryColumn('text', { name: 'client_id' })
  clientId!: string;

  @PrimaryColumn('text')
  id!: string;

  @Column('boolean')
  livemode!: boolean;

  @Column('text')
  name!: string;

  @Column('text')
  prefix!: string;

  @Column('text', { name: 'key_hash' })
  keyHash!: string;

  /** Sealed; see SigningSecret in key-material.ts. */
  @Column('text', { name: 'signing_secret' })
  signingSecret!: string;

  @Column('text', { array: true })
  scopes!: Scope[];

  @Column('text', { name: 'allowed_ips', array: true })
  allowedIps!: string[];

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  @Column('text', { name: 'replaced_by', nullable: true })
  replacedBy!: string | null;

  @Column('bigint')
  revision!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
