import type { AlertObject } from './alerts.dto';

/** An alert as it is stored. */
export interface AlertRow {
  id: string;
  rule: string;
  group_key: string;
  severity: AlertObject['severity'];
  title: string;
  description: string;
  figures: Record<string, unknown>;
  count: string;
  first_at: Date;
  last_at: Date;
  raised_at: Date;
  quiet_until: Date;
  status: AlertObject['status'];
  acknowledged_by: string | null;
  acknowledged_at: Date | null;
  resolved_by: string | null;
  resolved_at: Date | null;
  note: string | null;
  escalation_level: number;
  next_escalation_at: Date | null;
}

/** An alert as the API and the channels show it. */
export function presentAlert(row: AlertRow): AlertObject {
  const { id, rule, severity, title, description, figures, status, note } = row;
  return {
    id, object: 'alert', rule, group: row.group_key || null, severity, title, description, figures, count: Number(row.count), status,
    first_at: row.first_at.toISOString(),
    last_at: row.last_at.toISOString(),
    raised_at: row.raised_at.toISOString(),
    acknowledged_by: row.acknowledged_by,
    acknowledged_at: row.acknowledged_at?.toISOString() ?? null,
    resolved_by: row.resolved_by,
    resolved_at: row.resolved_at?.toISOString() ?? null,
    note,
    escalation_level: row.escalation_level,
    next_escalation_at: row.next_escalation_at?.toISOString() ?? null,
  };
}
