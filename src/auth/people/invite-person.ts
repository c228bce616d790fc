import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem, Problem } from '../../platform/http/problem';
import { currentContext } from '../../platform/http/request-context';
import type { Role } from '../../platform/http/roles';
import { rateLimited, RateLimiter } from '../../platform/security/limits/rate-limiter';
import { AccountMail } from '../account-mail';
import { accountDigest } from '../suspicious-activity';
import { endLinks, issueLink } from '../tokens/one-time-tokens';
import { insertPerson } from './new-person';
import type { Crowd } from './people-reader';
import { Person } from './person.entity';
import { bookOf, type PersonObject, presentPerson } from './person-presenter';

const CLIENT = 'select name, status from clients where id = $1 for share';
const OURS = "select 1 from people where email = $1 and client_id is not distinct from $2 and status = 'active'";
const AGAIN = `
  with again as (
    update people set role = $3, revision = revision + 1, updated_at = now()
     where email = $1 and client_id is not distinct from $2 and status = 'invited' returning id)
  select id from again`;

/** Invites somebody into a client or the staff: a person who becomes active by choosing a password. */
@Injectable()
export class InvitePerson {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
    private readonly mail: AccountMail,
  ) {}

  /**
   * Somebody who has not accepted yet gets a new link, and the old one is dead. 409 for one of the crowd itself; 404 for a client that is
   * unknown, 409 for a closed one; 429 from the fourth mail to one address in an hour on. Whether somebody has an account elsewhere is told to
   * the address alone: the answer is the same.
   */
  async invite(crowd: Crowd, email: string, role: Role): Promise<PersonObject> {
    const allowance = await this.limiter.countFor('account_mail', `invitation of ${accountDigest(email)}`, currentContext());
    if (allowance?.exceeded) throw rateLimited(allowance);
    return this.unitOfWork.run(async (tx) => {
      const where = crowd === null ? 'the staff of the gateway' : await this.nameOf(tx, crowd);
      const person = await this.findOrMake(tx, crowd, email, role);
      await endLinks(tx, person.id, ['invitation']);
      const elsewhere = await tx.query("select 1 from people where email = $1 and status = 'active'", [email]);
      if (elsewhere.length > 0) await this.mail.addressInUse(tx, email);
      else await this.mail.invitation(tx, email, await issueLink(tx, { purpose: 'invitation', personId: person.id }), { role, where });
      await this.audit.record(tx, bookOf(person), { kind: 'person.invited', objectId: person.id, after: { email, role } });
      return presentPerson(person);
    });
  }

  private async findOrMake(tx: Tx, crowd: Crowd, email: string, role: Role): Promise<Person> {
    const ours = await tx.query(OURS, [email, crowd]);
    if (ours.length > 0) throw new Problem('state_conflict', 'This address belongs to one of you already. Change their role instead.');
    const made = await insertPerson(tx, { clientId: crowd, email, role, passwordHash: null });
    if (made) return made;
    const [again] = await tx.query<{ id: string }>(AGAIN, [email, crowd, role]);
    if (!again) throw new Problem('state_conflict', 'The invitation was accepted or taken back at this moment. Look at your people again.');
    return tx.manager.findOneByOrFail(Person, { id: again.id });
  }

  private async nameOf(tx: Tx, clientId: string): Promise<string> {
    const [client] = await tx.query<{ name: string; status: string }>(CLIENT, [clientId]);
    if (!client) throw new NotFoundProblem('client');
    if (client.status === 'closed') throw new Problem('state_conflict', 'This client is closed for good; nobody can be invited into it.');
    return client.name;
  }
}
