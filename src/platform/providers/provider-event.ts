import { Injectable } from '@nestjs/common';

/** What an event means for a payment; `ignored` is everything that the gateway does not act on. */
export type ProviderEventKind = 'payment.processing' | 'payment.succeeded' | 'payment.failed' | 'ignored';

/** What an event is about, in the provider's words. Nothing here has been compared with our own payment yet. */
export interface ProviderEventSubject {
  /** The provider's own id of the payment, for example a PaymentIntent's `pi_…`. */
  readonly reference: string | undefined;
  /** Our id of the payment, when the provider was given it and sends it back. */
  readonly paymentId: string | undefined;
  /** In minor units: what arrived when the payment succeeded, else what it is meant to be. */
  readonly amountMinor: bigint | undefined;
  /** In minor units: what the provider was asked to collect, when it says so besides what arrived. */
  readonly expectedAmountMinor: bigint | undefined;
  /** Upper case. May be a currency that the gateway does not know; the amount is then in the provider's smallest unit. */
  readonly currency: string | undefined;
}

/** What the gateway needs to know of any provider's event. */
export interface ProviderEvent {
  readonly source: string;
  readonly eventId: string;
  /** The provider's own word for it. */
  readonly type: string;
  readonly kind: ProviderEventKind;
  /** Undefined when the provider does not tell test from live. */
  readonly livemode: boolean | undefined;
  readonly occurredAt: Date;
  readonly subject: ProviderEventSubject;
  /** Why the payment failed, in the provider's words. */
  readonly failureCode?: string;
  /** The provider's own fingerprint of the card that failed; never the card's number. */
  readonly cardFingerprint?: string;
}

/** How a provider's event ended: it changed something, it had nothing to say, or it was put aside for people. */
export interface ProviderEventResult {
  status: 'applied' | 'ignored' | 'quarantined';
  /** One line for people: what was done, or why nothing was. */
  outcome: string;
}

/**
 * Applies one verified event exactly once. The handler settles the event (settle_inbox) in the transaction of its change;
 * a result that it returns has been committed already.
 */
export type ProviderEventHandler = (event: ProviderEvent) => Promise<ProviderEventResult>;

/** The port between the inbox, which knows providers, and the feature whose events these are, which knows money. */
@Injectable()
export class ProviderEvents {
  private handler?: ProviderEventHandler;

  /** Called once by the feature that acts on payment events. */
  register(handler: ProviderEventHandler): void {
    if (this.handler) throw new Error('Provider events have a handler already.');
    this.handler = handler;
  }

  /** Hands an event to its feature. */
  apply(event: ProviderEvent): Promise<ProviderEventResult> {
    if (!this.handler) throw new Error('No feature has registered for provider events.');
    return this.handler(event);
  }
}
