import { z } from 'zod';
import { decisionRecord } from '../../../auth/decisions/decision-records';
import { payoutRecord } from '../../../payouts/payout-records';
import { adminRefundObject } from '../refund-presenter';

/** A refund with everything that was decided and tried, for whoever has to understand it later. */
export const refundFile = adminRefundObject
  .extend({ decisions: z.array(decisionRecord), payouts: z.array(payoutRecord) })
  .meta({ id: 'RefundFile' });
export type RefundFile = z.output<typeof refundFile>;
