import { Inject, Injectable } from '@nestjs/common';
import type { ProviderEvent } from '../../platform/providers/provider-event';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { Problem, type ProblemCode } from '../../platform/http/problem';
import { currentContext } from '../../platform/http/request-context';
import { Metrics } from '../../platform/observability/metrics';
import { maskCardNumbers } from '../../platform/security/crypto/masking';
import { inAnyCidr } from '../../platform/security/network/address-rules';
import { SECURITY_EVENTS, type SecurityEvents } from '../../platform/security/security-events';
import { withoutCardNumbers } from './card-free-payload';
import { type ConfiguredSource, InboundSources } from './inbound-sources';
import type { WebhookReceipt } from './inbound-webhooks.dto';
import type { SignedDelivery, VerificationFailure } from './sources/inbound-source';
import { contentFingerprint, MalformedEventError } from './sources/provider-event';

const NOTHING = Buffer.alloc(0);

/** What a sender is told of a delivery that is not believed; the security log keeps the failure under its own name. */
const UNBELIEVED: Readonly<Record<VerificationFailure, { code: ProblemCode; detail: string }>> = {
  signature_missing: { code: 'signature_invalid', detail: 'The event is not signed. Send the signature header of this source.' },
  signature_malformed: { code: 'signature_invalid', detail: 'The signature or its time is not in the form of this source.' },
  timestamp_out_of_window: { code: 'signature_expired', detail: 'The signed time is more than 300 s from the gateway\'s clock.' },
  signature_mismatch: { code: 'signature_invalid', detail: 'The signature does not match this time and body. Sign the raw bytes with the shared secret.' },
};

/**
 * Takes in a provider's event: checks it from the cheapest question to the dearest, stores it with the job that will apply
 * it, and answers. One round trip to the database; what the event does to a payment happens later.
 */
@Injectable()
export class ReceiveWebhook {
  constructor(
    private readonly sources: InboundSources,
    private readonly unitOfWork: UnitOfWork,
    @Inject(SECURITY_EVENTS) private readonly securityEvents: SecurityEvents,
    private readonly metrics: Metrics,
  ) {}

  /** Answers once the event is committed. Throws Problem; a delivery that is refused leaves nothing in the inbox. */
  async receive(name: string, headers: SignedDelivery['headers'], rawBody: Buffer = NOTHING): Promise<WebhookReceipt> {
    try {
      const receipt = await this.checkAndStore(name, headers, rawBody);
      this.metrics.increment('cpgateway_webhooks_received_total', { source: name, outcome: receipt.duplicate ? 'duplicate' : 'accepted' });
      return receipt;
    } catch (error) {
      this.countRefusal(name, error);
      throw error;
    }
  }

  private async checkAndStore(name: string, headers: SignedDelivery['headers'], rawBody: Buffer): Promise<WebhookReceipt> {
    const configured = this.sources.receiving(name);
    if (!configured) throw new Problem('not_found', 'There is no such webhook source.', { refusal: 'webhook_unknown_source' });
    checkAddress(configured);
    checkSignature(configured, headers, rawBody);
    const event = readEvent(configured, rawBody);
    const came = rawBody.toString('utf8');
    const kept = withoutCardNumbers(came, configured.source.keptFields);
    if (kept !== came) await this.noteCardNumber(name);
    return this.store(event, kept);
  }

  private async store(event: ProviderEvent, payload: string): Promise<WebhookReceipt> {
    const [row] = await this.unitOfWork.once<{ outcome: 'received' | 'duplicate' | 'conflict' }>({
      name: 'receive_webhook',
      text: 'select receive_webhook($1, $2, $3, $4, $5, $6) as outcome',
      values: [event.source, event.eventId, maskCardNumbers(event.type), event.livemode ?? null, contentFingerprint(event), payload],
    });
    if (row?.outcome === 'conflict') {
      throw new Problem('event_conflict', 'An event with this id but another type, object or amount was received before. Nothing was changed.');
    }
    return row?.outcome === 'duplicate' ? { received: true, duplicate: true } : { received: true };
  }

  /** What is no refusal is a fault of ours: the sender will try again, and its event was not looked at as wrong. */
  private countRefusal(source: string, error: unknown): void {
    const refused = error instanceof Problem;
    this.metrics.increment('cpgateway_webhooks_received_total', { source, outcome: refused ? 'refused' : 'failed' });
    if (!refused) return;
    this.metrics.increment('cpgateway_webhook_verification_failures_total', { source, reason: error.refusal.replace(/^webhook_/, '') });
  }

  private noteCardNumber(source: string): Promise<void> {
    const { ip, method, route, userAgent } = currentContext();
    return this.securityEvents.write({
      kind: 'pci.card_number', severity: 'high', source: `webhook:${source}`, route: `${method} ${route}`, userAgent,
      action: 'masked before it was stored', details: { ip },
    });
  }
}

function checkAddress({ allowedIps }: ConfiguredSource): void {
  const { ip } = currentContext();
  if (allowedIps.length === 0 || (ip && inAnyCidr(ip, allowedIps))) return;
  throw new Problem('ip_not_allowed', 'This source does not send from this address.', { refusal: 'webhook_ip_not_allowed' });
}

function checkSignature({ source, secrets }: ConfiguredSource, headers: SignedDelivery['headers'], rawBody: Buffer): void {
  const verified = source.verify({ rawBody, headers, nowSeconds: Math.floor(Date.now() / 1000), secrets });
  if (verified.ok) return;
  const { code, detail } = UNBELIEVED[verified.failure];
  throw new Problem(code, detail, { refusal: `webhook_${verified.failure}` });
}

function readEvent({ source }: ConfiguredSource, rawBody: Buffer): ProviderEvent {
  try {
    return source.parse(rawBody);
  } catch (error) {
    if (!(error instanceof MalformedEventError)) throw error;
    throw new Problem('malformed_request', error.message, { refusal: 'webhook_malformed', cause: error });
  }
}
