import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { keyset, type Page, type PageQuery, toPage } from '../../platform/http/pagination';
import { NotFoundProblem } from '../../platform/http/problem';
import type { Role } from '../../platform/http/roles';
import { type PersonObject, presentPerson } from './person-presenter';

const COLUMNS = `
  id, client_id as "clientId", email, role, status, referral_code as "referralCode", referred_by as "referredBy", totp_enabled_at as "totpEnabledAt",
  signing_public_key as "signingPublicKey", revision, created_at as "createdAt", updated_at as "updatedAt"`;
const GET = `select ${COLUMNS} from people where id = $1 and status <> 'removed' and ($2::text is null or client_id = $2)`;
type PersonRow = Parameters<typeof presentPerson>[0];

/** Whose people: those of one client, or the staff (null). */
export type Crowd = string | null;

/** Reads the people of a client, or the staff. Who was removed is not shown. */
@Injectable()
export class PeopleReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  async list(crowd: Crowd, { role, ...page }: PageQuery & { role?: Role }): Promise<Page<PersonObject>> {
    const staffOnly = crowd === null ? ' and client_id is null' : '';
    const clause = keyset('usr', { client_id: crowd ?? undefined, role }, page, `status <> 'removed'${staffOnly}`);
    const rows = await this.unitOfWork.read<PersonRow>('', `select ${COLUMNS} from people ${clause.sql}`, clause.values);
    return toPage(rows, page, presentPerson);
  }

  /** One person, whomever they belong to, or one of a client's only; 404 for any other. */
  async get(id: string, clientId?: string): Promise<PersonObject> {
    const [person] = await this.unitOfWork.read<PersonRow>('get_person', GET, [id, clientId ?? null]);
    if (!person) throw new NotFoundProblem('person');
    return presentPerson(person);
  }
}
