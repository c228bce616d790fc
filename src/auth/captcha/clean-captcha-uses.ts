import { Injectable } from '@nestjs/common';
import { deleteInBatches } from '../../platform/database/batches';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { Job, type JobHandler } from '../../platform/jobs/job-queue';

/** A use is kept past the end of its challenge, so that an instance whose clock lags cannot accept it a second time. */
const KEPT_MINUTES = 60;
const BATCH = 5_000;

/** In small transactions, so that nobody who solves a challenge waits for the clean-up. */
const CLEAN = `
  with old as (
    select nonce from captcha_uses where expires_at < now() - make_interval(mins => $1) limit $2 for update skip locked
  ), gone as (
    delete from captcha_uses u using old where u.nonce = old.nonce returning 1
  )
  select count(*)::int as gone from gone`;

/** Forgets uses of challenges that are accepted by nobody any more. */
@Injectable()
@Job('captcha.clean')
export class CleanCaptchaUses implements JobHandler {
  readonly job = 'captcha.clean';
  readonly schedule = '37 * * * *';

  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Deletes batch by batch until none is left. Running twice, or at the same time elsewhere, does no harm. */
  run(): Promise<void> {
    return deleteInBatches(this.unitOfWork, CLEAN, BATCH, KEPT_MINUTES);
  }
}
