import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../../platform/http/roles';

export type PersonStatus = 'invited' | 'active' | 'removed';

/** Someone who logs in: one of a client's people, or of the operator's staff. */
@Entity('people')
export class Person {
  @PrimaryColumn('text')
  id!: string;

  /** null for staff. */
  @Column('text', { name: 'client_id', nullable: true })
  clientId!: string | null;

  /** In lower case; one person at a time has it. */
  @Column('text')
  email!: string;

  @Column('text')
  role!: Role;

  @Column('text')
  status!: PersonStatus;

  /** bcrypt. null until an invitation is accepted. */
  @Column('text', { name: 'password_hash', nullable: true })
  passwordHash!: string | null;

  /** What a new merchant may name when registering. */
  @Column('text', { name: 'referral_code' })
  referralCode!: string;

  @Column('text', { name: 'referred_by', nullable: true })
  referredBy!: string | null;

  /** Sealed; see totpSecretPlace. */
  @Column('text', { name: 'totp_secret', nullable: true })
  totpSecret!: string | null;

  @Column('timestamptz', { name: 'totp_enabled_at', nullable: true })
  totpEnabledAt!: Date | null;

  /** The newest time step whose code was accepted; only a later one is (RFC 6238, 5.2). */
  @Column('bigint', { name: 'totp_last_step' })
  totpLastStep!: string;

  /** Sealed: a secret that was offered and not verified yet. */
  @Column('text', { name: 'totp_pending', nullable: true })
  totpPending!: string | null;

  /** Base64 of the 32 bytes of an Ed25519 public key; staff sign decisions with its private half. */
  @Column('text', { name: 'signing_public_key', nullable: true })
  signingPublicKey!: string | null;

  /** Grows with every change of what the person may do; open sessions are looked at again. */
  @Column('bigint')
  revision!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
