import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/database/unit-of-work';
import { deadlineError } from '../../../platform/security/network/send-error';
import { type AttemptResult, resultOfAnswer, resultOfSendError, TIMEOUT_MS } from './attempt-result';
import type { ClaimedDelivery } from './delivery-records';

/** Told in the log of attempts, so that nobody looks for these in the receiver's own log. */
const NOTE = 'Nothing was sent: this failure was asked for in test mode.';

/** What an attempt looks like that has failed in each way. Read by the same functions as real answers are, so it ends as real ones do. */
const FAILURES = {
  server_error: (failures: number) => resultOfAnswer(failures, answer(500)),
  timeout: (failures: number) => resultOfSendError(failures, deadlineError(TIMEOUT_MS), 0),
  gone: (failures: number) => resultOfAnswer(failures, answer(410)),
  redirect: (failures: number) => resultOfAnswer(failures, answer(302)),
} as const satisfies Record<string, (failures: number) => AttemptResult>;

export type FailureAtWill = keyof typeof FAILURES;
export const FAILURES_AT_WILL = Object.keys(FAILURES) as readonly FailureAtWill[];

/** One of those asked for is used up, by whichever attempt comes first, on any instance. */
const TAKE = `
  with taken as (
    update webhook_endpoints set test_failures_left = test_failures_left - 1
     where client_id = $1 and not livemode and id = $2 and test_failures_left > 0
    returning test_failure
  )
  select test_failure from taken`;

/** Failures that a merchant has asked for at a test endpoint. They are recorded instead of sent, and cost real deliveries nothing. */
@Injectable()
export class FailuresAtWill {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** How this attempt fails; undefined when others have used up what was asked for, and it is to be sent. */
  async take({ client_id: clientId, endpoint_id: endpointId, failures }: ClaimedDelivery): Promise<AttemptResult | undefined> {
    const [taken] = await this.unitOfWork.call<{ test_failure: FailureAtWill }>(() => ({
      name: 'take_test_failure', text: TAKE, values: [clientId, endpointId],
    }));
    if (!taken) return undefined;
    const result = FAILURES[taken.test_failure](failures);
    return { ...result, error: `${result.error} ${NOTE}` };
  }
}

function answer(status: number) {
  return { status, headers: {}, bodyExcerpt: '', durationMs: 0 };
}
