import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem } from '../../platform/http/problem';
import { OpenSession } from '../sessions/open-session';
import { hashOfToken } from '../tokens/opaque-token';
import { type FactorOwner, SecondFactorCodes } from '../two-factor/second-factor-codes';
import { type LoginOutcome, refuseChanged, rememberDevice } from './login';
import type { SecondStepBody } from './login.dto';

interface TicketRow extends FactorOwner {
  revision: string;
  knownDevice: boolean;
}

const FIND = `
  select p.id, p.client_id as "clientId", p.totp_secret as "totpSecret", p.totp_last_step as "totpLastStep", t.data ->> 'revision' as revision,
         d.person_id is not null as "knownDevice"
    from one_time_tokens t join people p on p.id = t.person_id left join known_devices d on d.person_id = p.id and d.device_hash = $2
   where t.token_hash = $1 and t.purpose = 'second_factor' and t.used_at is null and t.expires_at > now()`;
const USE = `
  with used as (update one_time_tokens set used_at = now() where token_hash = $1 and used_at is null and expires_at > now() returning 1)
  select 1 from used`;

/** The second step of logging in: a ticket and a code become tokens, both once. */
@Injectable()
export class FinishLogin {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly codes: SecondFactorCodes,
    private readonly sessions: OpenSession,
  ) {}

  /** 401 for a ticket that is unknown, used or older than five minutes; 403 `two_factor_invalid` for a wrong code. */
  async finish({ ticket, code }: SecondStepBody, device: string | undefined): Promise<LoginOutcome> {
    const ticketHash = hashOfToken(ticket, 'cpgt');
    const deviceHash = device === undefined ? undefined : hashOfToken(device, 'cpgd');
    const [person] = ticketHash ? await this.unitOfWork.read<TicketRow>('find_ticket', FIND, [ticketHash, deviceHash ?? '']) : [];
    if (!person) throw new Problem('unauthenticated', 'This ticket is not valid any more. Log in again.');
    const place = person.knownDevice ? `device ${person.id} ${deviceHash}` : undefined;
    return this.codes.use(person, code, async (tx, kind) => {
      await refuseChanged(tx, person);
      if ((await tx.query(USE, [ticketHash])).length === 0) throw new Problem('unauthenticated', 'This ticket has been used. Log in again.');
      return {
        answer: await this.sessions.open(tx, person, kind),
        device: await rememberDevice(tx, person, person.knownDevice ? deviceHash : undefined),
      };
    }, place);
  }
}
