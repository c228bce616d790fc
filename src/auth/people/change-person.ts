import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { accessParameter, type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem, Problem, ValidationProblem } from '../../platform/http/problem';
import { currentContext, currentSession } from '../../platform/http/request-context';
import { CLIENT_ROLES, type Role, STAFF_ROLES } from '../../platform/http/roles';
import { isStaff } from '../../platform/security/person-rules';
import { endSessions } from '../sessions/own-sessions';
import { SessionDirectoryService } from '../sessions/session-directory.service';
import { endLinks } from '../tokens/one-time-tokens';
import { Person } from './person.entity';
import { bookOf, type PersonObject, presentPerson } from './person-presenter';

const CHANGE = 'update people set role = $2, revision = revision + 1, updated_at = now() where id = $1';
/** What was needed for logging in goes with the person; what others did or wrote refers to the row, which stays. */
const REMOVE = `
  update people set status = 'removed', password_hash = null, totp_secret = null, totp_enabled_at = null, totp_pending = null,
                    revision = revision + 1, updated_at = now()
   where id = $1`;
/** Always in the same order, so that two who change each other wait and do not deadlock. */
const LOCK_KEEPERS = `
  select id from people where client_id is not distinct from $1 and role = $2 and status = 'active' order by id for update`;

/** Changes what people may do, or removes them. Holds for their next call, on this instance at once. */
@Injectable()
export class ChangePerson {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly directory: SessionDirectoryService,
    private readonly audit: AuditLog,
  ) {}

  /** `clientId` keeps to the people of one client: 404 for others. 409 for the last owner or admin, 403 for one's own role. */
  async changeRole(id: string, role: Role, clientId?: string): Promise<PersonObject> {
    const changed = await this.unitOfWork.run(async (tx) => {
      const person = await this.lock(tx, id, clientId);
      if (isStaff(role) !== isStaff(person.role)) {
        const fitting = person.clientId ? CLIENT_ROLES : STAFF_ROLES;
        throw new ValidationProblem([{ field: 'role', code: 'does_not_fit', message: `must be one of ${fitting.join(', ')} for this person` }]);
      }
      if (person.role === role) return person;
      await refuseLast(tx, person);
      if (id === currentSession().personId) throw new Problem('forbidden', 'Nobody changes their own role. Ask somebody else with your role.');
      await tx.query(CHANGE, [id, role]);
      await this.audit.record(tx, bookOf(person), { kind: 'person.role_changed', objectId: id, before: { role: person.role }, after: { role } });
      return tx.manager.findOneByOrFail(Person, { id });
    });
    this.directory.forget(id);
    return presentPerson(changed);
  }

  /** Ends the person's sessions and links, and frees the address. 404 for people of others, 409 for the last owner or admin. */
  async remove(id: string, clientId?: string): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      const person = await this.lock(tx, id, clientId);
      await refuseLast(tx, person);
      await tx.query(REMOVE, [id]);
      await tx.query('delete from backup_codes where person_id = $1', [id]);
      await tx.query('delete from known_devices where person_id = $1', [id]);
      await endSessions(tx, id);
      await endLinks(tx, id, ['password_reset', 'email_change', 'invitation']);
      await this.audit.record(tx, bookOf(person), { kind: 'person.removed', objectId: id, before: { email: person.email, role: person.role } });
    });
    this.directory.forget(id);
  }

  /** Ends every session of somebody, for a stolen one or a lost device; they log in again. 404 for nobody. */
  async endSessions(id: string): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      const person = await tx.manager.findOneBy(Person, { id });
      if (!person || person.status === 'removed') throw new NotFoundProblem('person');
      const ended = await endSessions(tx, id);
      await this.audit.record(tx, bookOf(person), { kind: 'session.revoked', objectId: id, after: { sessions: ended } });
    });
    this.directory.forget(id);
  }

  /** Locks those who must not all go, then the person. Whoever waited here is asked again whether they still may. */
  private async lock(tx: Tx, id: string, clientId: string | undefined): Promise<Person> {
    const found = await tx.manager.findOneBy(Person, { id });
    if (!found || found.status === 'removed' || (clientId !== undefined && found.clientId !== clientId)) throw new NotFoundProblem('person');
    await keepersOf(tx, found);
    await tx.query('select check_access($1)', [accessParameter(currentContext())]);
    const person = await tx.manager.findOne(Person, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (!person || person.status === 'removed') throw new NotFoundProblem('person');
    return person;
  }
}

/** The active owners of the person's client, or the active admins. */
async function keepersOf(tx: Tx, { clientId }: Person): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(LOCK_KEEPERS, [clientId, clientId ? 'owner' : 'admin']);
  return rows.map(({ id }) => id);
}

async function refuseLast(tx: Tx, person: Person): Promise<void> {
  const keepers = await keepersOf(tx, person);
  if (keepers.length > 1 || !keepers.includes(person.id)) return;
  throw new Problem('state_conflict', `This is the last ${person.role}. Make somebody else ${person.role} first.`);
}
