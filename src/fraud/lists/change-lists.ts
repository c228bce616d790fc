import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem, Problem } from '../../platform/http/problem';
import { currentContext } from '../../platform/http/request-context';
import { newId } from '../../platform/identifiers';
import { BY_STAFF, ENTRY_COLUMNS, type ListEntryObject, type ListEntryRow, presentEntry } from './list-entry';
import type { AddEntryBody } from './lists.dto';

const SAME = `subject = $1 and list = $2 and source = '${BY_STAFF}' and client_id is not distinct from $3 and removed_at is null`;
/** One that has ended by itself makes room for its successor. */
const END_EXPIRED = `
  update risk_list_entries set removed_at = now(), removed_because = 'expired' where ${SAME} and expires_at <= now()`;
const INSERT = `
  insert into risk_list_entries (id, list, kind, value, client_id, source, reason, expires_at, created_by)
  values ($1, $2, $3, $4, $5, '${BY_STAFF}', $6, $7, $8) on conflict do nothing returning ${ENTRY_COLUMNS}`;
const END = `
  with ended as (
    update risk_list_entries set removed_at = now(), removed_by = $2, removed_because = 'by staff' where id = $1 returning *
  )
  select ${ENTRY_COLUMNS} from ended`;

/** Puts somebody on a list, and takes them off it, by hand. Holds on all instances from the moment that it commits. */
@Injectable()
export class ChangeLists {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** 409 for what stands on that list already, for the same client or for all; 404 for a client that does not exist. */
  add({ list, kind, value, client, reason, expires_at: expiresAt }: AddEntryBody): Promise<ListEntryObject> {
    return this.unitOfWork.run(async (tx) => {
      if (client) await refuseUnknown(tx, client);
      const same = [`${kind} ${value}`, list, client ?? null];
      await tx.query(END_EXPIRED, same);
      const values = [newId('rle'), list, kind, value, client ?? null, reason, expiresAt ?? null, currentContext().actor?.id];
      const [row] = await tx.query<ListEntryRow>(INSERT, values);
      if (!row) throw await secondProblem(tx, same);
      const after = presentEntry(row);
      await this.audit.record(tx, bookOf(row), { kind: 'risk_list.entry_added', objectId: row.id, after });
      return after;
    });
  }

  /** What is off its list already stays as it is. What a feed has brought comes back with it; to let it through, allow it. */
  remove(id: string): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      const [row] = await tx.query<ListEntryRow>(`select ${ENTRY_COLUMNS} from risk_list_entries where id = $1 for update`, [id]);
      if (!row) throw new NotFoundProblem('entry');
      if (row.removed_at) return;
      const [ended] = await tx.query<ListEntryRow>(END, [id, currentContext().actor?.id]);
      const [before, after] = [presentEntry(row), presentEntry(ended)];
      await this.audit.record(tx, bookOf(row), { kind: 'risk_list.entry_removed', objectId: id, before, after });
    });
  }
}

/** An entry for one client stands in that client's log. */
function bookOf({ client_id: clientId }: ListEntryRow): { clientId: string } | undefined {
  return clientId === null ? undefined : { clientId };
}

async function refuseUnknown(tx: Tx, client: string): Promise<void> {
  const found = await tx.query('select from clients where id = $1', [client]);
  if (found.length === 0) throw new NotFoundProblem('client');
}

async function secondProblem(tx: Tx, same: unknown[]): Promise<Problem> {
  const [known] = await tx.query<{ id: string }>(`select id from risk_list_entries where ${SAME}`, same);
  return new Problem('state_conflict', `This stands on the list already. Remove ${known?.id ?? 'it'} first.`);
}
