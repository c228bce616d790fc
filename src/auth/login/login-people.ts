import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import type { Person } from '../people/person.entity';

/** What a login needs to know of whoever has the e-mail. */
export type LoginPerson = Pick<Person, 'id' | 'clientId' | 'role' | 'passwordHash' | 'totpEnabledAt' | 'revision'> & { knownDevice: boolean };

const FIND = `
  select p.id, p.client_id as "clientId", p.role, p.password_hash as "passwordHash", p.totp_enabled_at as "totpEnabledAt", p.revision,
         d.person_id is not null as "knownDevice"
    from people p left join known_devices d on d.person_id = p.id and d.device_hash = $2
   where p.email = $1 and p.status = 'active'`;

/** Finds people by e-mail for logging in; one query whoever they are and whether they exist. */
@Injectable()
export class LoginPeople {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  async find(email: string, deviceHash: string | undefined): Promise<LoginPerson | undefined> {
    const [person] = await this.unitOfWork.read<LoginPerson>('find_login', FIND, [email, deviceHash ?? '']);
    return person;
  }
}
