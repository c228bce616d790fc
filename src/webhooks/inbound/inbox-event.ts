/** Names one stored event of a provider. */
export interface InboxEventKey {
  readonly source: string;
  /** The provider's own id of the event. */
  readonly event_id: string;
}

/** What the job that applies a stored event is given (see receive_webhook.sql): the event's name and its text as it came. */
export interface ApplyInboxEventJob extends InboxEventKey {
  readonly payload: string;
}

/** The job that applies a stored event. */
export const APPLY_JOB = 'inbox.apply';

/**
 * `received` and `failed` are still to be applied (`failed` was tried at least once); the others are settled. An event is
 * `quarantined` when it was believed but fits no payment, and people must look at it.
 */
export type InboxStatus = 'received' | 'applied' | 'ignored' | 'quarantined' | 'failed';
