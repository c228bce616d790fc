import { Injectable } from '@nestjs/common';
import type { Tx } from '../../platform/database/unit-of-work';
import type { Book } from '../../platform/outbox/outbox';

/** What can be held until people have looked at it. */
export type ReviewedKind = 'payment' | 'withdrawal';

/** A feature whose objects are held. Both act inside the decision's transaction and refuse with 409 what cannot be decided any more. */
export interface ReviewSubject {
  readonly kind: ReviewedKind;
  release(tx: Tx, book: Book, id: string): Promise<void>;
  reject(tx: Tx, book: Book, id: string, reason: string): Promise<void>;
}

/** The port between the queue, which knows what looks odd, and the features, which know what holding and letting go means. */
@Injectable()
export class ReviewSubjects {
  private readonly subjects = new Map<ReviewedKind, ReviewSubject>();

  /** Called once by each feature that holds something. */
  register(subject: ReviewSubject): void {
    this.subjects.set(subject.kind, subject);
  }

  /** The feature that holds objects of that kind. */
  of(kind: ReviewedKind): ReviewSubject {
    const subject = this.subjects.get(kind);
    if (!subject) throw new Error(`No feature has registered for reviews of a ${kind}.`);
    return subject;
  }
}
