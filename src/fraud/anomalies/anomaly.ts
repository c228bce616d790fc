import { z } from 'zod';
import { ANOMALY_STATUSES, type AnomalyStatus } from './anomaly-state';

export const ANOMALY_SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type AnomalySeverity = (typeof ANOMALY_SEVERITIES)[number];

const CHANGERS = ['api_key', 'person', 'staff', 'operator', 'system'] as const;

/** An anomaly as it is stored. */
export interface AnomalyRow {
  client_id: string;
  livemode: boolean;
  id: string;
  kind: string;
  severity: AnomalySeverity;
  status: AnomalyStatus;
  subject_type: string;
  subject_id: string;
  title: string;
  figures: Record<string, unknown>;
  note: string | null;
  count: string;
  first_at: Date;
  last_at: Date;
  changed_by_type: Changer['type'] | null;
  changed_by: string | null;
  changed_at: Date | null;
  revision: string;
}

/** Who has changed an anomaly. Clients are not told who of the staff it was. */
export const changer = z.object({ type: z.enum(CHANGERS), id: z.string().nullable() });
export type Changer = z.output<typeof changer>;

const time = z.iso.datetime();
const change = z.object({
  by: changer,
  at: time,
  before: z.object({ status: z.enum(ANOMALY_STATUSES), note: z.string().nullable() }),
  after: z.object({ status: z.enum(ANOMALY_STATUSES), note: z.string().nullable() }),
});
/** What somebody has made of an anomaly: who, when, before and after. */
export type AnomalyChange = z.output<typeof change>;

const fields = {
  id: z.string(),
  object: z.literal('anomaly'),
  livemode: z.boolean(),
  kind: z.string().meta({ examples: ['payments.velocity'] }),
  severity: z.enum(ANOMALY_SEVERITIES),
  status: z.enum(ANOMALY_STATUSES),
  subject: z.object({ type: z.string().meta({ examples: ['payment'] }), id: z.string() }).meta({ description: 'What it is about.' }),
  title: z.string(),
  figures: z.record(z.string(), z.unknown()).meta({ description: 'What made it stand out, secrets masked.' }),
  note: z.string().nullable().meta({ description: 'What people have written to its last status.' }),
  count: z.int().meta({ description: 'How often it was seen; what comes within a day of the last time is added, while nobody has closed it.' }),
  first_at: time,
  last_at: time,
  changed_by: changer.nullable().meta({ description: 'Who has changed its status or note last; null when nobody has.' }),
  changed_at: time.nullable(),
  revision: z.int().meta({ description: 'Grows with each change that people make.' }),
};
export const anomalyObject = z.object(fields).meta({ id: 'Anomaly' });
export type AnomalyObject = z.output<typeof anomalyObject>;

const history = z.array(change).meta({ description: 'What people have made of it, the latest first, at most 100.' });
export const anomalyFile = z.object({ ...fields, history }).meta({ id: 'AnomalyWithHistory' });
export type AnomalyFile = z.output<typeof anomalyFile>;

const client = z.string().meta({ description: 'Whose book it is in.' });
export const adminAnomalyObject = z.object({ ...fields, client }).meta({ id: 'StaffAnomaly' });
export type AdminAnomalyObject = z.output<typeof adminAnomalyObject>;
export const adminAnomalyFile = z.object({ ...fields, client, history }).meta({ id: 'StaffAnomalyWithHistory' });
export type AdminAnomalyFile = z.output<typeof adminAnomalyFile>;

/** Shows an anomaly to its client. */
export function presentAnomaly(row: AnomalyRow): AnomalyObject {
  return present(row, shownToClient);
}

/** Shows an anomaly to staff. */
export function presentAnomalyToStaff(row: AnomalyRow): AdminAnomalyObject {
  return { ...present(row, (by) => by), client: row.client_id };
}

/** Who it was, as the client may know it. */
export function shownToClient({ type, id }: Changer): Changer {
  return { type, id: type === 'api_key' || type === 'person' ? id : null };
}

function present(row: AnomalyRow, shown: (by: Changer) => Changer): AnomalyObject {
  return {
    id: row.id,
    object: 'anomaly',
    livemode: row.livemode,
    kind: row.kind,
    severity: row.severity,
    status: row.status,
    subject: { type: row.subject_type, id: row.subject_id },
    title: row.title,
    figures: row.figures,
    note: row.note,
    count: Number(row.count),
    first_at: row.first_at.toISOString(),
    last_at: row.last_at.toISOString(),
    changed_by: row.changed_by_type && shown({ type: row.changed_by_type, id: row.changed_by }),
    changed_at: row.changed_at?.toISOString() ?? null,
    revision: Number(row.revision),
  };
}
