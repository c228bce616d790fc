import { Inject, Injectable } from '@nestjs/common';
import { sha256Hex } from '../crypto/digests';

const MINUTE_MS = 60_000;

/** After `limit` failures in a row, none further apart than the window, a subject waits one window, then twice as long each time. */
export interface AttemptRule {
  limit: number;
  windowMs: number;
}

/** Whose failed attempts are counted, and how many there may be. Each rule counts by itself. */
export const ATTEMPT_RULES = {
  login_ip: { limit: 5, windowMs: 5 * MINUTE_MS },
  login_account: { limit: 5, windowMs: 5 * MINUTE_MS },
  login_device: { limit: 5, windowMs: 5 * MINUTE_MS },
  second_factor: { limit: 5, windowMs: 5 * MINUTE_MS },
} as const satisfies Record<string, AttemptRule>;

export type AttemptRuleName = keyof typeof ATTEMPT_RULES;

/** The longest that anybody is made to wait. */
export const MAX_WAIT_MS = 60 * MINUTE_MS;
/** Who has failed too often is remembered for so long after the last attempt that was let in. */
export const FORGET_MS = 24 * 60 * MINUTE_MS;
/** So many failures are told apart; by then every wait has long been the longest. */
export const MAX_FAILURES = 20;

/** What became of an attempt. `failures` counts this one too, when it was let in. */
export interface Taken {
  allowed: boolean;
  failures: number;
  /** Whole seconds until an attempt is let in again; 0 when this one was. */
  retryAfterSeconds: number;
}

/** Where failed attempts are kept. A key names one subject under one rule. */
export interface AttemptStore {
  take(key: string, rule: AttemptRule): Promise<{ allowed: boolean; failures: number; waitMs: number }>;
  giveBack(key: string, rule: AttemptRule): Promise<void>;
  forgive(key: string): Promise<void>;
  failures(key: string, rule: AttemptRule): Promise<number>;
}
export const ATTEMPT_STORE = Symbol('ATTEMPT_STORE');

/**
 * Exponential back-off for guesses. An attempt counts as failed from the moment it is let in, so that many at once cannot all
 * slip through before the first has failed; whoever succeeds gives theirs back.
 *
 * Failures below the limit are forgotten one window after the last of them. From the limit on a subject waits one window, is let
 * in once, and waits twice as long after each further failure, an hour at most. A refused attempt does not count and does not
 * lengthen the wait; a day without an attempt forgets everything.
 */
@Injectable()
export class Attempts {
  constructor(@Inject(ATTEMPT_STORE) private readonly store: AttemptStore) {}

  /** Lets an attempt in, counted as failed in advance, or refuses it. Of many at once exactly as many get in as are left. */
  async take(rule: AttemptRuleName, subject: string): Promise<Taken> {
    const { allowed, failures, waitMs } = await this.store.take(keyOf(rule, subject), ATTEMPT_RULES[rule]);
    return { allowed, failures, retryAfterSeconds: Math.ceil(waitMs / 1000) };
  }

  /** Takes back one attempt that was let in and did not fail. The subject's other failures stay. */
  async giveBack(rule: AttemptRuleName, subject: string): Promise<void> {
    await this.store.giveBack(keyOf(rule, subject), ATTEMPT_RULES[rule]);
  }

  /** Forgets all failures of a subject. */
  async forgive(rule: AttemptRuleName, subject: string): Promise<void> {
    await this.store.forgive(keyOf(rule, subject));
  }

  /** How many failures count at present. */
  async failures(rule: AttemptRuleName, subject: string): Promise<number> {
    return this.store.failures(keyOf(rule, subject), ATTEMPT_RULES[rule]);
  }
}

/** Subjects may be e-mail addresses: only their digest is kept. */
function keyOf(rule: AttemptRuleName, subject: string): string {
  return `${rule}:${sha256Hex(subject)}`;
}
