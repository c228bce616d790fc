import { z } from 'zod';
import type { UnitOfWork } from '../../platform/database/unit-of-work';
import type { Book } from '../../platform/outbox/outbox';
import { type Decision, DECISIONS } from './admin-signature';

/** A decision as it was taken, for whoever has to understand or verify it later. */
export const decisionRecord = z.object({
  decision: z.enum(DECISIONS),
  person: z.string(),
  revision: z.int().meta({ description: 'The revision that was signed.' }),
  evidence: z.string().nullable(),
  simulated: z.boolean(),
  signature: z.string().nullable(),
  public_key: z.string().nullable(),
  signed_at: z.iso.datetime().nullable(),
  created_at: z.iso.datetime(),
});
export type DecisionRecord = z.output<typeof decisionRecord>;

interface Row {
  decision: Decision;
  person: string;
  revision: number;
  evidence: string | null;
  simulated: boolean;
  signature: string | null;
  public_key: string | null;
  signed_at: Date | null;
  created_at: Date;
  [column: string]: unknown;
}

const OF_SUBJECT = `
  select decision, person_id as person, revision::int, evidence, simulated, signature, public_key, signed_at, created_at
    from decisions where client_id = $1 and livemode = $2 and subject_id = $3 order by created_at, person_id`;

/** What people have decided about an object, the first decision first. */
export async function decisionsOf(unitOfWork: UnitOfWork, { clientId, livemode }: Book, subjectId: string): Promise<DecisionRecord[]> {
  const rows = await unitOfWork.read<Row>('decisions_of', OF_SUBJECT, [clientId, livemode, subjectId]);
  return rows.map(({ signed_at: signedAt, created_at: createdAt, ...row }) => ({
    ...row, signed_at: signedAt?.toISOString() ?? null, created_at: createdAt.toISOString(),
  }));
}
