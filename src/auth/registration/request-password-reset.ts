import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { currentContext } from '../../platform/http/request-context';
import { Job, type JobHandler, JobQueue } from '../../platform/jobs/job-queue';
import { Envelope, type SealedPlace } from '../../platform/security/crypto/envelope';
import { RateLimiter } from '../../platform/security/limits/rate-limiter';
import { AccountMail } from '../account-mail';
import { accountDigest } from '../suspicious-activity';
import { issueLink } from '../tokens/one-time-tokens';
import { ACCEPTED, type Accepted } from './registration.dto';

const JOB = 'password_reset.send';

/** The address that a link was asked for, as the job table holds it. */
interface ResetRequest {
  id: string;
  sealed: string;
}

/**
 * Takes the wish for a new password. Who has the address is looked up by a job: the answer takes the same time whether somebody
 * has it or not, because nothing on its way depends on that.
 */
@Injectable()
export class RequestPasswordReset {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly jobs: JobQueue,
    private readonly envelope: Envelope,
    private readonly limiter: RateLimiter,
  ) {}

  /** Always the same answer. From the fourth request for an address in an hour on nothing is sent, and nobody is told. */
  async ask(email: string): Promise<Accepted> {
    const allowance = await this.limiter.countFor('password_reset', accountDigest(email), currentContext());
    if (allowance?.exceeded) return ACCEPTED;
    const id = randomUUID();
    const request: ResetRequest = { id, sealed: this.envelope.seal(email, placeOf(id)) };
    await this.unitOfWork.run((tx) => this.jobs.add(tx, JOB, request));
    return ACCEPTED;
  }
}

/** Sends the link to whoever has the address. A repetition sends another one, which does no harm. */
@Injectable()
@Job(JOB)
export class SendPasswordReset implements JobHandler<ResetRequest> {
  readonly job = JOB;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly envelope: Envelope,
    private readonly mail: AccountMail,
  ) {}

  async run({ id, sealed }: ResetRequest): Promise<void> {
    const email = this.envelope.open(sealed, placeOf(id)).toString('utf8');
    await this.unitOfWork.run(async (tx) => {
      const [person] = await tx.query<{ id: string }>("select id from people where email = $1 and status = 'active' for share", [email]);
      if (person) await this.mail.resetPassword(tx, email, await issueLink(tx, { purpose: 'password_reset', personId: person.id }));
    });
  }
}

function placeOf(id: string): SealedPlace {
  return { table: 'graphile_worker.jobs', column: 'payload', row: id };
}
