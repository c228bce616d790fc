import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { ClientRegistry } from '../../clients/client-registry';
import { SQLSTATE, sqlStateOf } from '../../platform/database/database-errors';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { currentContext } from '../../platform/http/request-context';
import { AccountMail } from '../account-mail';
import { insertPerson } from '../people/new-person';
import { bookOf } from '../people/person-presenter';
import { SessionDirectoryService } from '../sessions/session-directory.service';
import { hashOfToken } from '../tokens/opaque-token';
import { deadLink, endLinks, spendLink } from '../tokens/one-time-tokens';
import type { PendingRegistration } from './register';
import type { ConfirmedEmail } from './registration.dto';

interface LinkRow {
  purpose: 'registration' | 'email_change';
  personId: string | null;
  data: PendingRegistration | { email: string };
}

const FIND = `
  select purpose, person_id as "personId", data from one_time_tokens
   where token_hash = $1 and purpose in ('registration', 'email_change') and used_at is null and expires_at > now()`;
/** Who registers has shown that the address is theirs; an invitation is only an offer, and must not keep them out. */
const LAPSE = `
  with lapsed as (
    update people set status = 'removed', revision = revision + 1, updated_at = now()
     where email = $1 and status = 'invited' returning id, client_id)
  select id, client_id as "clientId" from lapsed`;
const END_OTHERS = "update one_time_tokens set used_at = now() where purpose = 'registration' and data ->> 'email' = $1 and used_at is null";
const MOVE = `
  with before as (select email from people where id = $1 and status = 'active' for update), moved as (
    update people set email = $2, revision = revision + 1, updated_at = now() where id = $1 and exists (select 1 from before) returning client_id)
  select b.email as old, m.client_id as "clientId" from before b, moved m`;

/** What the link in a mail does: opens the account of a registration, or gives an account its new address. */
@Injectable()
export class ConfirmEmail {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clients: ClientRegistry,
    private readonly directory: SessionDirectoryService,
    private readonly audit: AuditLog,
    private readonly mail: AccountMail,
  ) {}

  /** 422 for a link that is unknown, used or expired; 409 when somebody has the address by now. */
  async confirm(token: string): Promise<ConfirmedEmail> {
    const hash = hashOfToken(token, 'cpgo');
    const [link] = hash ? await this.unitOfWork.read<LinkRow>('find_email_link', FIND, [hash]) : [];
    if (!hash || !link) throw deadLink();
    const { personId, data } = link;
    if (personId) await this.move(hash, personId, data.email);
    else await this.unitOfWork.run((tx) => this.open(tx, hash, data as PendingRegistration));
    return { status: 'confirmed', email: data.email };
  }

  private async open(tx: Tx, hash: string, { email, passwordHash, clientName, referredBy }: PendingRegistration): Promise<void> {
    await spendLink(tx, hash);
    for (const lapsed of await tx.query<{ id: string; clientId: string | null }>(LAPSE, [email])) {
      await this.audit.record(tx, bookOf(lapsed), {
        kind: 'person.removed', objectId: lapsed.id, after: { reason: 'registered instead of accepting' },
      });
    }
    const client = await this.clients.register(tx, clientName);
    const person = await insertPerson(tx, { clientId: client.id, email, role: 'owner', passwordHash, referredBy });
    if (!person) throw new Problem('state_conflict', 'There is an account with this e-mail address already. Log in, or reset its password.');
    await tx.query(END_OTHERS, [email]);
    currentContext().actor = { type: 'person', id: person.id };
    await this.audit.record(tx, { clientId: client.id }, {
      kind: 'person.registered', objectId: person.id, after: { email, role: person.role, referred_by: referredBy },
    });
  }

  private async move(hash: string, personId: string, email: string): Promise<void> {
    try {
      await this.unitOfWork.run(async (tx) => {
        await spendLink(tx, hash);
        const [moved] = await tx.query<{ old: string; clientId: string | null }>(MOVE, [personId, email]);
        if (!moved) throw deadLink();
        await endLinks(tx, personId, ['email_change', 'password_reset']);
        currentContext().actor = { type: 'person', id: personId };
        await this.audit.record(tx, bookOf(moved), {
          kind: 'email.changed', objectId: personId, before: { email: moved.old }, after: { email },
        });
        await this.mail.addressChanged(tx, moved.old);
      });
    } catch (error) {
      if (sqlStateOf(error) !== SQLSTATE.uniqueViolation) throw error;
      throw new Problem('state_conflict', 'Another account has this e-mail address by now. Yours keeps its old one.', { cause: error });
    }
    this.directory.forget(personId);
  }
}
