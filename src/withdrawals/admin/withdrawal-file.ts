import { z } from 'zod';
import { DECISIONS, type Decision } from '../../auth/decisions/admin-signature';
import { PAYOUT_STATUSES, type PayoutPortName, type PayoutStatus } from '../../payouts/payout';
import { adminWithdrawalObject } from '../withdrawal-presenter';

/** A decision as its row holds it. */
export interface SignedDecision {
  decision: Decision;
  personId: string;
  revision: number;
  evidence: string | null;
  simulated: boolean;
  signature: string | null;
  publicKey: string | null;
  signedAt: Date | null;
  createdAt: Date;
}

/** An attempt to pay as its row holds it. */
export interface PayoutAttempt {
  id: string;
  attempt: number;
  port: PayoutPortName;
  status: PayoutStatus;
  sends: number;
  reference: string | null;
  begunBy: string | null;
  failure: string | null;
  createdAt: Date;
  updatedAt: Date;
}

/** A withdrawal with everything that was decided and tried, for whoever has to understand it later. */
export const withdrawalFile = adminWithdrawalObject.extend({
  decisions: z.array(z.object({
    decision: z.enum(DECISIONS),
    person: z.string(),
    revision: z.int(),
    evidence: z.string().nullable(),
    simulated: z.boolean(),
    signature: z.string().nullable(),
    public_key: z.string().nullable(),
    signed_at: z.string().nullable(),
    created_at: z.string(),
  })),
  payouts: z.array(z.object({
    id: z.string(),
    attempt: z.int(),
    port: z.enum(['manual', 'simulator']),
    status: z.enum(PAYOUT_STATUSES),
    sends: z.int(),
    reference: z.string().nullable(),
    begun_by: z.string().nullable(),
    failure: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })),
}).meta({ id: 'WithdrawalFile' });
export type WithdrawalFile = z.output<typeof withdrawalFile>;
