import { z } from 'zod';
import type { UnitOfWork } from '../platform/database/unit-of-work';
import type { Book } from '../platform/outbox/outbox';
import { PAYOUT_STATUSES, payoutFromRow, type PayoutRow } from './payout';

/** An attempt to pay as it stands, for staff. */
export const payoutRecord = z.object({
  id: z.string(),
  attempt: z.int(),
  port: z.enum(['manual', 'simulator']),
  status: z.enum(PAYOUT_STATUSES),
  sends: z.int().meta({ description: 'How often it was handed to whoever pays it.' }),
  reference: z.string().nullable(),
  begun_by: z.string().nullable(),
  failure: z.string().nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type PayoutRecord = z.output<typeof payoutRecord>;

const OF_SUBJECT = 'select * from payouts where client_id = $1 and livemode = $2 and subject_id = $3 order by attempt';

/** The attempts to pay an object, the first one first. */
export async function payoutsOf(unitOfWork: UnitOfWork, { clientId, livemode }: Book, subjectId: string): Promise<PayoutRecord[]> {
  const rows = await unitOfWork.read<PayoutRow & Record<string, unknown>>('payouts_of', OF_SUBJECT, [clientId, livemode, subjectId]);
  return rows.map(payoutFromRow).map(({ id, attempt, port, status, sends, reference, begunBy, failure, createdAt, updatedAt }) => ({
    id, attempt, port, status, sends, reference, begun_by: begunBy, failure, created_at: createdAt.toISOString(), updated_at: updatedAt.toISOString(),
  }));
}
