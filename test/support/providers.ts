import { createHmac, randomUUID } from 'node:crypto';
import Stripe from 'stripe';
import type { Answer } from './merchant';
import { TEST_SECRETS } from './gateway';
import { send } from './send';

const stripe = new Stripe('sk_test_not_used');

/** A delivery as it goes over the wire: to which source, the exact body, and the headers that sign it. */
export interface SignedWebhook {
  source: string;
  body: string;
  headers: Record<string, string>;
}

/** `secret` and `timestamp` (unix seconds) are what it is really signed with. */
export interface Signing {
  secret?: string;
  timestamp?: number;
}

export interface StripeIntentEvent {
  id?: string;
  type?: 'succeeded' | 'processing' | 'payment_failed';
  intent: string;
  paymentId?: string;
  /** Minor units, as Stripe counts. */
  amount: number;
  amountReceived?: number;
  currency?: string;
  livemode?: boolean;
  /** Of the card that was declined; as Stripe tells it, the same for the same card. */
  fingerprint?: string;
}

export interface GenericEvent {
  id?: string;
  type?: 'succeeded' | 'processing' | 'failed';
  paymentId: string;
  /** A decimal string. */
  amount: string;
  currency?: string;
  reference: string;
  createdAt?: Date;
}

export function secondsFromNow(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

/** An event about a PaymentIntent in the shape that Stripe sends (docs.stripe.com/api/events/object), signed by Stripe's own library. */
export function stripeWebhook(event: StripeIntentEvent, signing: Signing = {}): SignedWebhook {
  const { intent, paymentId, amount, type = 'succeeded' } = event;
  const status = { succeeded: 'succeeded', processing: 'processing', payment_failed: 'requires_payment_method' }[type];
  return signedByStripe(JSON.stringify({
    id: event.id ?? `evt_${randomUUID()}`,
    object: 'event',
    api_version: '2026-10-28.endive',
    created: secondsFromNow(0),
    livemode: event.livemode ?? false,
    pending_webhooks: 1,
    type: `payment_intent.${type}`,
    data: {
      object: {
        id: intent,
        object: 'payment_intent',
        amount,
        amount_received: event.amountReceived ?? (type === 'succeeded' ? amount : 0),
        currency: event.currency ?? 'usd',
        status,
        latest_charge: 'ch_1',
        metadata: paymentId ? { payment_id: paymentId } : {},
        last_payment_error: type === 'payment_failed' ? {
          type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds',
          payment_method: { id: 'pm_1', object: 'payment_method', type: 'card', card: { brand: 'visa', last4: '4242', fingerprint: event.fingerprint ?? null } },
        } : null,
      },
    },
  }), signing);
}

/** Any text with the header that Stripe's own library makes for it. */
export function signedByStripe(body: string, { secret = TEST_SECRETS.stripe, timestamp = secondsFromNow(0) }: Signing = {}): SignedWebhook {
  const signature = stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp });
  return { source: 'stripe', body, headers: { 'stripe-signature': signature } };
}

/** An event in the gateway's own scheme. */
export function genericWebhook(event: GenericEvent, signing: Signing = {}): SignedWebhook {
  return signedGenerically(JSON.stringify({
    id: event.id ?? randomUUID(),
    type: `payment.${event.type ?? 'succeeded'}`,
    created_at: (event.createdAt ?? new Date()).toISOString(),
    data: { payment_id: event.paymentId, amount: event.amount, currency: event.currency ?? 'USD', reference: event.reference },
  }), signing);
}

/** Any text signed in the gateway's own scheme, written here a second time on purpose: a mistake in ours must show. */
export function signedGenerically(body: string, { secret = TEST_SECRETS.generic, timestamp = secondsFromNow(0) }: Signing = {}): SignedWebhook {
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return { source: 'generic', body, headers: { 'x-webhook-timestamp': String(timestamp), 'x-webhook-signature': signature } };
}

/** The provider's id of the event that a delivery carries. */
export function eventIdOf({ body }: SignedWebhook): string {
  return (JSON.parse(body) as { id: string }).id;
}

/** Sends a delivery as a provider does; `headers` are added to those that sign it. */
export async function deliver(url: string, { source, body, headers }: SignedWebhook, more: Record<string, string> = {}): Promise<Answer> {
  const answer = await send(`${url}/v1/webhooks/${source}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers, ...more },
    body,
  });
  return { ...answer, body: JSON.parse(answer.text) as Record<string, unknown> };
}
