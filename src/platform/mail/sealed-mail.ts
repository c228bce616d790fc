import { randomUUID } from 'node:crypto';
import type { Envelope, SealedPlace } from '../security/crypto/envelope';

/** A mail on its way. It keeps its id and its date through every attempt, so that a copy is recognised as one. */
export interface Letter {
  readonly id: string;
  readonly writtenAt: Date;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** A letter as the job table holds it: nothing in it can be read without the encryption key. */
export interface SealedLetter {
  readonly id: string;
  readonly sealed: string;
}

/** Gives a mail its id and its date, and seals it: whoever reads the job table, or a copy of it, learns neither addresses nor links. */
export function sealLetter(envelope: Envelope, mail: Pick<Letter, 'to' | 'subject' | 'text'>): SealedLetter {
  const id = randomUUID();
  const { to, subject, text } = mail;
  return { id, sealed: envelope.seal(JSON.stringify({ writtenAt: new Date(), to, subject, text }), placeOf(id)) };
}

/**
 * Opens what `sealLetter` sealed.
 * @throws EnvelopeError when it was changed, belongs to another job, or its key is gone
 */
export function openLetter(envelope: Envelope, { id, sealed }: SealedLetter): Letter {
  const text = envelope.open(sealed, placeOf(id)).toString('utf8');
  const opened = JSON.parse(text) as Omit<Letter, 'id' | 'writtenAt'> & { writtenAt: string };
  return { ...opened, id, writtenAt: new Date(opened.writtenAt) };
}

/** The row's own number is not known before it is written, so an id inside the payload stands for the row. */
function placeOf(id: string): SealedPlace {
  return { table: 'graphile_worker.jobs', column: 'payload', row: id };
}
