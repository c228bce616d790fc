import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/unit-of-work';
import { newId } from '../identifiers';

/** Something that happened to an object of a client's book, told to its endpoints. */
export interface OutboundEvent {
  /** For example `payment.succeeded`. */
  type: string;
  objectId: string;
  /** The object as the API shows it at this moment. */
  data: object;
}

/** Which book an event belongs to. */
export interface Book {
  clientId: string;
  livemode: boolean;
}

/** Writes events in the transaction of the change that they tell; whoever delivers them reads rows, not memory. */
@Injectable()
export class Outbox {
  /** Emits events inside a transaction. */
  async emit(tx: Tx, book: Book, events: readonly OutboundEvent[]): Promise<void> {
    await tx.query('select emit_events($1, $2, $3)', [book.clientId, book.livemode, eventsParameter(events)]);
  }
}

/** Events as the SQL function emit_events takes them. */
export function eventsParameter(events: readonly OutboundEvent[], at = new Date()): string {
  return JSON.stringify(
    events.map(({ type, objectId, data }) => ({ id: newId('evt', at.getTime()), type, object_id: objectId, data, created_at: at.toISOString() })),
  );
}
