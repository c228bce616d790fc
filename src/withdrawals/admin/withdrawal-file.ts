import { z } from 'zod';
import { decisionRecord } from '../../auth/decisions/decision-records';
import { payoutRecord } from '../../payouts/payout-records';
import { adminWithdrawalObject } from '../withdrawal-presenter';

/** A withdrawal with everything that was decided and tried, for whoever has to understand it later. */
export const withdrawalFile = adminWithdrawalObject
  .extend({ decisions: z.array(decisionRecord), payouts: z.array(payoutRecord) })
  .meta({ id: 'WithdrawalFile' });
export type WithdrawalFile = z.output<typeof withdrawalFile>;
