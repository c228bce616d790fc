import { Injectable } from '@nestjs/common';
import { GuardedSender, type GuardedResponse } from '../../../platform/security/network/guarded-sender';
import { SendError } from '../../../platform/security/network/send-error';
import { EndpointSecrets } from '../endpoints/endpoint-secrets';
import { delayAfterFailureMs, parseRetryAfter } from '../retry-schedule';
import { signStandardWebhook } from '../standard-webhooks';
import type { AttemptResult, ClaimedDelivery } from './delivery-records';

/** For the whole exchange, from the name to the end of the answer. */
const TIMEOUT_MS = 15_000;
const GONE = 410;

/** Makes one attempt: signs the event, sends it, and reads the answer as Standard Webhooks has it. */
@Injectable()
export class DeliverySender {
  constructor(
    private readonly sender: GuardedSender,
    private readonly secrets: EndpointSecrets,
  ) {}

  /** Answers what came of it; throws only for faults of our own, such as a secret that does not open. */
  async attempt(delivery: ClaimedDelivery): Promise<AttemptResult> {
    const body = bodyOf(delivery);
    const timestampSeconds = Math.floor(Date.now() / 1000);
    const signature = signStandardWebhook({ id: delivery.event_id, timestampSeconds, body, secrets: this.secretsOf(delivery) });
    const headers = { 'content-type': 'application/json', 'user-agent': 'CPGateway-Webhooks', ...signature };
    const startedAt = performance.now();
    try {
      return resultOf(delivery, await this.sender.post({ url: delivery.url, headers, body, timeoutMs: TIMEOUT_MS }));
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      return {
        delivered: false,
        gone: false,
        durationMs: Math.round(performance.now() - startedAt),
        responseStatus: null,
        error: `${error.kind}: ${error.message}`,
        responseExcerpt: null,
        retryInMs: delayAfterFailureMs(delivery.failures + 1),
      };
    }
  }

  private secretsOf({ secret, previous_secret: previous, client_id: clientId, endpoint_id: id }: ClaimedDelivery): string[] {
    const current = this.secrets.open(secret, 'secret', clientId, id);
    return previous ? [current, this.secrets.open(previous, 'previous_secret', clientId, id)] : [current];
  }
}

/** The same text on every attempt: the data goes in as it was stored, not as this version would write it. */
function bodyOf({ event_type: type, event_created_at: createdAt, event_data: data }: ClaimedDelivery): string {
  return `{"type":${JSON.stringify(type)},"timestamp":${JSON.stringify(createdAt)},"data":${data}}`;
}

function resultOf({ failures }: ClaimedDelivery, { status, headers, bodyExcerpt, durationMs }: GuardedResponse): AttemptResult {
  const answered = { durationMs, responseStatus: status, responseExcerpt: bodyExcerpt };
  if (status >= 200 && status < 300) return { ...answered, delivered: true, gone: false, error: null };
  const redirect = status >= 300 && status < 400;
  return {
    ...answered,
    delivered: false,
    gone: status === GONE,
    error: redirect
      ? `redirect: The receiver answered ${status}. Redirects are not followed; enter the address that it leads to.`
      : `status: The receiver answered ${status} instead of 2xx.`,
    retryInMs: delayAfterFailureMs(failures + 1, parseRetryAfter(headers['retry-after'], new Date())),
  };
}
