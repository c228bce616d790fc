import { Readable } from 'node:stream';
import { applyDecorators, Header, StreamableFile } from '@nestjs/common';
import { ApiProduces } from '@nestjs/swagger';
import type { z } from 'zod';
import { idLowerBound, type IdPrefix } from '../identifiers';
import { csvLine } from './csv';
import type { PageQuery } from './pagination';
import { ValidationProblem } from './problem';

/** Rows of an export that are in memory at a time. */
const ROWS_AT_ONCE = 1_000;

/** A list that can be had whole. */
export interface ExportedList<Row, T extends object> {
  /** What the file is called, without its ending. */
  name: string;
  prefix: IdPrefix;
  columns: readonly (keyof T & string)[];
  /** The rows of a page as the list itself reads them, in the order of the query; one more than `limit` where there is more. */
  rows: (page: PageQuery) => Promise<Row[]>;
  present: (row: Row) => T;
}

/** For a handler that answers a list: `Accept: text/csv` gets all of it, so caches must tell the two apart. */
export function AlsoCsv(): MethodDecorator {
  return applyDecorators(Header('vary', 'accept'), ApiProduces('application/json', 'text/csv'));
}

/** The columns of objects: every field in the order of the schemas, but for the word that says what the object is. */
export function columnsOf<T extends z.ZodRawShape>(...schemas: readonly z.ZodObject<T>[]): (keyof T & string)[] {
  return schemas.flatMap(({ shape }) => Object.keys(shape)).filter((name) => name !== 'object');
}

/**
 * Everything that a list's filters let through, as CSV, the oldest first: read in pages by the list's own query and sent while it is read.
 * The end is fixed when the export starts; what is made meanwhile is the next one's. `limit` does not apply.
 *
 * @throws ValidationProblem for a cursor, because an export has no pages
 */
export function exportList<Row extends { id: string }, T extends object>(list: ExportedList<Row, T>, query: PageQuery): StreamableFile {
  refuseCursors(query);
  return csvFile(list.name, linesOf(list, query));
}

/** A CSV file that is sent while its lines are made. */
export function csvFile(name: string, lines: AsyncIterable<string>): StreamableFile {
  return new StreamableFile(Readable.from(lines, { objectMode: false }), {
    type: 'text/csv; charset=utf-8',
    disposition: `attachment; filename="${name}.csv"`,
  });
}

/** @throws ValidationProblem for a cursor, which an export would have to ignore */
export function refuseCursors(query: Pick<PageQuery, 'starting_after' | 'ending_before'>): void {
  const cursor = (['starting_after', 'ending_before'] as const).find((name) => query[name] !== undefined);
  if (!cursor) return;
  const message = 'a CSV export is whole; narrow it with created_gte and created_lt';
  throw new ValidationProblem([{ field: cursor, code: 'not_available', message }]);
}

async function* linesOf<Row extends { id: string }, T extends object>(
  list: ExportedList<Row, T>, query: PageQuery,
): AsyncGenerator<string> {
  const { prefix, columns, present } = list;
  yield csvLine(columns);
  const now = Date.now() + 1;
  const end = query.created_lt === undefined ? now : Math.min(now, Date.parse(query.created_lt));
  const whole = { ...query, limit: ROWS_AT_ONCE, created_lt: new Date(end).toISOString() };
  // A page before which nothing stands is read backwards, from the oldest on.
  let last = idLowerBound(prefix, new Date(0));
  for (let more = true; more;) {
    const rows = await list.rows({ ...whole, ending_before: last });
    more = rows.length > ROWS_AT_ONCE;
    const kept = rows.slice(0, ROWS_AT_ONCE);
    if (kept.length === 0) return;
    last = kept.at(-1)!.id;
    yield kept.map((row) => csvLine(cellsOf(present(row), columns))).join('');
  }
}

function cellsOf<T extends object>(object: T, columns: readonly (keyof T & string)[]): string[] {
  return columns.map((name) => cellOf(object[name]));
}

/** Nothing is an empty cell; what has parts is JSON. */
function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
