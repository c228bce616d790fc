import { setImmediate as breathe } from 'node:timers/promises';
import { type ListKind, readListValue } from '../list-values';

/** What feeds bring. Countries, customers and cards are for people to decide on. */
export const FEED_KINDS = ['ip', 'email_domain', 'destination'] as const satisfies readonly ListKind[];
export type FeedKind = (typeof FEED_KINDS)[number];

export const MAX_FEED_BYTES = 10 * 1024 * 1024;
export const MAX_FEED_LINES = 200_000;
const MAX_LINE = 1_000;
const REFUSED_SHOWN = 20;
/** So many lines are read at once: some milliseconds, after which payments have their turn. */
const LINES_AT_ONCE = 2_000;

/** A feed that has been read: its values once each, and which lines hold none. */
export interface Feed {
  values: string[];
  refused: number;
  refusedLines: { line: number; reason: string }[];
}

/** A feed is too large to be taken at all. The message is for people. */
export class FeedTooLargeError extends Error {}

/**
 * Reads a feed: one value a line, or the first column of a CSV file; what follows # or ; is a comment. Lines that hold no value are counted
 * and the rest is taken: a feed of a hundred thousand lines is not worth less because one of them is broken.
 * @throws FeedTooLargeError beyond 10 MiB or 200,000 lines
 */
export async function readFeed(kind: FeedKind, text: string): Promise<Feed> {
  if (text.length > MAX_FEED_BYTES) throw new FeedTooLargeError('is larger than 10 MiB');
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > MAX_FEED_LINES) throw new FeedTooLargeError('has more than 200,000 lines');
  const values = new Set<string>();
  const refusedLines: Feed['refusedLines'] = [];
  let refused = 0;
  for (const [at, line] of lines.entries()) {
    if (at % LINES_AT_ONCE === LINES_AT_ONCE - 1) await breathe();
    const written = firstColumn(line);
    if (written === '') continue;
    const { value, refusal } = line.length > MAX_LINE ? { refusal: 'is too long' } : readListValue(kind, written);
    if (refusal === undefined) values.add(value!);
    else {
      refused += 1;
      if (refusedLines.length < REFUSED_SHOWN) refusedLines.push({ line: at + 1, reason: refusal });
    }
  }
  return { values: [...values], refused, refusedLines };
}

/** What stands before the comment and the first comma or tab, without quotes. */
function firstColumn(line: string): string {
  const [column] = line.slice(0, MAX_LINE).split(/[#;,\t]/, 1);
  return column.trim().replace(/^"(.*)"$/, '$1').trim();
}
