import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import type { Tx } from '../../platform/database/unit-of-work';
import { AREAS, type ChangeSwitchBody, presentSwitch, type SwitchRow } from './switches.dto';

/** A switch before and after it was turned. */
export interface TurnedSwitch {
  before: SwitchRow;
  after: SwitchRow;
  /** False when it stood like this already, for the same reason; nothing was written then. */
  changed: boolean;
}

const UPSERT = `
  insert into switches (id, paused, reason, changed_by) values ($1, $2, $3, $4)
  on conflict (id) do update set paused = excluded.paused, reason = excluded.reason, changed_by = excluded.changed_by,
                                 changed_at = clock_timestamp()
  returning *`;

/** The switches themselves, turned by staff and by the circuit breaker. What they pause reads their rows: see check_running. */
@Injectable()
export class Switchboard {
  constructor(private readonly audit: AuditLog) {}

  /** Reads a switch and keeps everybody else from turning it until the transaction ends. */
  async lock(tx: Tx, target: string): Promise<SwitchRow> {
    // One that was never turned has no row that could be locked.
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('switches ' || $1, 0))`, [target]);
    const [row] = await tx.query<SwitchRow>('select * from switches where id = $1', [target]);
    return row ?? { id: target, paused: false, reason: null, changed_by: null, changed_at: null };
  }

  /** Turns a switch inside a change and records it. Works on every instance from the moment that the change commits. */
  async turn(tx: Tx, { target, paused, reason }: ChangeSwitchBody, by: string): Promise<TurnedSwitch> {
    const before = await this.lock(tx, target);
    if (before.paused === paused && before.reason === reason) return { before, after: before, changed: false };
    const [after] = await tx.query<SwitchRow>(UPSERT, [target, paused, reason, by]);
    const book = isArea(target) ? undefined : { clientId: target };
    const [was, is] = [presentSwitch(before), presentSwitch(after)];
    await this.audit.record(tx, book, { kind: 'switch.changed', objectId: target, before: was, after: is });
    return { before, after, changed: true };
  }
}

/** Tells an area from a client. */
export function isArea(target: string): boolean {
  return (AREAS as readonly string[]).includes(target);
}
