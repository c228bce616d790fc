import type { AlertObject } from '../alerts.dto';

/** Every channel, in the order in which they are shown. */
export const CHANNELS = ['email', 'webhook', 'slack', 'pagerduty', 'telegram'] as const;
export type ChannelName = (typeof CHANNELS)[number];

/** Why a channel is told: the alert was raised, nobody took it in time, somebody took it, it is over. */
export const STAGES = ['trigger', 'escalation', 'acknowledge', 'resolve'] as const;
export type Stage = (typeof STAGES)[number];

/** What is sent in one piece. It keeps its id and its time through every attempt, so that a copy is recognised as one. */
export interface AlertMessage {
  readonly id: string;
  readonly stage: Stage;
  readonly writtenAt: Date;
  /** More than one only where the channel takes them together. Never empty. */
  readonly alerts: readonly AlertObject[];
}

/** How an attempt ended. Errors are fit to be stored and shown: they hold no secret. */
export type Outcome =
  | { state: 'sent' }
  /** It may be taken later; not before so many seconds, when the channel said so. */
  | { state: 'again'; error: string; afterSeconds?: number }
  /** It will never be taken like this. */
  | { state: 'refused'; error: string };

/** A way to tell people of alerts. */
export interface AlertChannel {
  readonly name: ChannelName;
  /** Whether the operator has set it up. */
  readonly isConfigured: boolean;
  /** Whether alerts that were raised together go as one message. */
  readonly takesMany: boolean;
  /** What it wants to be told of. */
  readonly stages: readonly Stage[];
  /** Makes one attempt within seconds; throws only for faults of our own. */
  send(message: AlertMessage): Promise<Outcome>;
}
