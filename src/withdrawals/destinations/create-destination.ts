import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { SecurityLog } from '../../audit/security-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem, ValidationProblem } from '../../platform/http/problem';
import { type BookAccess, currentAccess, currentContext } from '../../platform/http/request-context';
import { newId } from '../../platform/identifiers';
import { type Book, Outbox } from '../../platform/outbox/outbox';
import { type DestinationObject, type DestinationRow, presentDestination } from './destination';
import { DestinationAlerts } from './destination-alerts';
import type { CreateDestinationBody } from './destinations.dto';
import { cooloffSeconds } from './withdrawal-settings';

const MAX_DESTINATIONS = 100;

/** Changes of one client's destinations take turns, so that each counts the others, and the cool-off is the one in force now. */
const TAKE_TURN = `
  select case when $2 then live_settings else test_settings end as settings from clients where id = $1 for no key update`;
const INSERT = `
  insert into destinations (client_id, livemode, id, type, address, iban, holder, created_by, active_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(secs => $9))
      on conflict (client_id, livemode, whole) where deleted_at is null do nothing
  returning *`;
const SAME = `
  select id from destinations where client_id = $1 and livemode = $2 and deleted_at is null and whole = coalesce($3, $4 || ' ' || $5)`;
const COUNT = 'select count(*)::int as count from destinations where client_id = $1 and livemode = $2 and deleted_at is null';

/** Saves where withdrawals may go. It can be used when the cool-off is over, and the client's people are told at once. */
@Injectable()
export class CreateDestination {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
    private readonly outbox: Outbox,
    private readonly alerts: DestinationAlerts,
    private readonly securityLog: SecurityLog,
  ) {}

  /** 422 for a deposit address of ours, 409 for a destination that is there already and for one too many. */
  async create(body: CreateDestinationBody): Promise<DestinationObject> {
    const created = await this.unitOfWork.run(async (tx) => {
      const { clientId, livemode } = currentAccess();
      const book = { clientId, livemode };
      if (body.type === 'tron_address') await refuseOwnAddress(tx, body.address);
      const destination = presentDestination(await insert(tx, currentAccess(), body));
      await refuseTooMany(tx, book);
      await this.audit.record(tx, book, { kind: 'destination.created', objectId: destination.id, after: destination });
      await this.outbox.emit(tx, book, [{ type: 'destination.created', objectId: destination.id, data: destination }]);
      if (livemode) await this.alerts.tellOwners(tx, clientId, destination);
      return destination;
    });
    await this.note(created);
    return created;
  }

  private note({ id, livemode, active_at }: DestinationObject): Promise<void> {
    const { actor, ip, userAgent, method, route } = currentContext();
    const { clientId } = currentAccess();
    return this.securityLog.write({
      kind: 'destination.created',
      severity: 'medium',
      source: actor?.id ?? clientId,
      clientId,
      actorId: actor?.id,
      route: `${method} ${route}`,
      userAgent,
      action: livemode ? 'owners told' : 'noted',
      details: { ip, destination: id, livemode, active_at },
    });
  }
}

async function insert(tx: Tx, { clientId, livemode }: BookAccess, body: CreateDestinationBody): Promise<DestinationRow> {
  const { address = null, iban = null, holder = null } = { address: undefined, iban: undefined, holder: undefined, ...body };
  const [{ settings }] = await tx.query<{ settings: Record<string, unknown> }>(TAKE_TURN, [clientId, livemode]);
  const [row] = await tx.query<DestinationRow>(INSERT, [
    clientId, livemode, newId('dst'), body.type, address, iban, holder, currentContext().actor?.id, cooloffSeconds(settings, livemode),
  ]);
  if (row) return row;
  const [same] = await tx.query<{ id: string }>(SAME, [clientId, livemode, address, iban, holder]);
  throw new Problem('state_conflict', `This destination is there already: ${same.id}.`);
}

/** What is paid to a deposit address belongs to the payment that it was made for, whoever sends it. */
async function refuseOwnAddress(tx: Tx, address: string): Promise<void> {
  const ours = await tx.query("select 1 from watched_addresses where chain = 'tron' and address = $1", [address]);
  if (ours.length === 0) return;
  const message = 'is a deposit address of this gateway; withdrawals go to an address of your own';
  throw new ValidationProblem([{ field: 'address', code: 'own_deposit_address', message }]);
}

/** Called with the turn taken. */
async function refuseTooMany(tx: Tx, { clientId, livemode }: Book): Promise<void> {
  const [{ count }] = await tx.query<{ count: number }>(COUNT, [clientId, livemode]);
  if (count > MAX_DESTINATIONS) {
    throw new Problem('state_conflict', `There are ${MAX_DESTINATIONS} destinations in this mode. Delete one that is not used first.`);
  }
}
