import { Injectable } from '@nestjs/common';
import { GuardedSender } from '../../../platform/security/network/guarded-sender';
import { SendError } from '../../../platform/security/network/send-error';
import { EndpointSecrets } from '../endpoints/endpoint-secrets';
import { signStandardWebhook } from '../standard-webhooks';
import { type AttemptResult, resultOfAnswer, resultOfSendError, TIMEOUT_MS } from './attempt-result';
import type { ClaimedDelivery } from './delivery-records';
import { FailuresAtWill } from './failures-at-will';

/** Makes one attempt: signs the event, sends it, and reads the answer as Standard Webhooks has it. */
@Injectable()
export class DeliverySender {
  constructor(
    private readonly sender: GuardedSender,
    private readonly secrets: EndpointSecrets,
    private readonly failures: FailuresAtWill,
  ) {}

  /** Answers what came of it; throws only for faults of our own, such as a secret that does not open. */
  async attempt(delivery: ClaimedDelivery): Promise<AttemptResult> {
    return (delivery.fails_at_will && (await this.failures.take(delivery))) || this.send(delivery);
  }

  private async send(delivery: ClaimedDelivery): Promise<AttemptResult> {
    const body = bodyOf(delivery);
    const timestampSeconds = Math.floor(Date.now() / 1000);
    const signature = signStandardWebhook({ id: delivery.event_id, timestampSeconds, body, secrets: this.secretsOf(delivery) });
    const headers = { 'content-type': 'application/json', 'user-agent': 'CPGateway-Webhooks', ...signature };
    const startedAt = performance.now();
    try {
      return resultOfAnswer(delivery.failures, await this.sender.post({ url: delivery.url, headers, body, timeoutMs: TIMEOUT_MS }));
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      return resultOfSendError(delivery.failures, error, Math.round(performance.now() - startedAt));
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
