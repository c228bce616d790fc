import { z } from 'zod';
import { idLowerBound, type IdPrefix } from '../identifiers';

/** RFC 3339 with a zone, as clients send it; kept as a Date. */
const instant = z.iso.datetime({ offset: true, error: 'must be an RFC 3339 time, for example 2026-01-31T09:30:00.000Z' });

/** How many objects a page has. */
export const pageLimit = z.string().regex(/^([1-9][0-9]?|100)$/, 'must be a whole number from 1 to 100').transform(Number).default(20);

/** The query of every list. Lists are newest first; a cursor is the id of the first or last object of the page at hand. */
export function listQuery<Fields extends z.ZodRawShape>(prefix: IdPrefix, filters: Fields) {
  const cursor = z.string().regex(new RegExp(`^${prefix}_[0-9a-f]{32}$`), `must be the identifier of an object of this list (${prefix}_…)`);
  return z
    .strictObject({
      limit: pageLimit,
      starting_after: cursor.optional(),
      ending_before: cursor.optional(),
      created_gte: instant.optional(),
      created_lt: instant.optional(),
      ...filters,
    })
    .refine((query) => !('starting_after' in query && 'ending_before' in query), {
      path: ['ending_before'],
      message: 'use starting_after or ending_before, not both',
    });
}

/** The part of a list query that pagination itself reads. */
export interface PageQuery {
  limit: number;
  starting_after?: string;
  ending_before?: string;
  created_gte?: string;
  created_lt?: string;
}

export interface Page<T> {
  object: 'list';
  data: T[];
  has_more: boolean;
}

/** The schema of a page of the given objects, for the published contract. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ object: z.literal('list'), data: z.array(item), has_more: z.boolean() });
}

/** The where, order and limit of a page. Identifiers carry their time, so a range of creation times is a range of the key. */
export interface KeysetClause {
  sql: string;
  values: unknown[];
}

/**
 * Writes the keyset clause of a list: equalities first, then the range of ids, one index scan at any depth.
 * Column names, and the fixed condition that may come on top (`also`), come from code, never from the caller; values are always parameters.
 */
export function keyset(prefix: IdPrefix, equalities: Readonly<Record<string, unknown>>, query: PageQuery, also?: string): KeysetClause {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const add = (condition: string, value: unknown) => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(`${condition} $${values.length}`);
  };
  for (const [column, value] of Object.entries(equalities)) add(`${column} =`, value);
  add('id <', query.starting_after);
  add('id >', query.ending_before);
  add('id >=', query.created_gte && idLowerBound(prefix, new Date(query.created_gte)));
  add('id <', query.created_lt && idLowerBound(prefix, new Date(query.created_lt)));
  if (also) conditions.push(also);
  const direction = query.ending_before ? 'asc' : 'desc';
  values.push(query.limit + 1);
  return { sql: `where ${conditions.join(' and ') || 'true'} order by id ${direction} limit $${values.length}`, values };
}

/** Cuts the extra row that tells whether there is more, and puts a page that was read backwards newest first again. */
export function toPage<Row, T>(rows: readonly Row[], query: PageQuery, present: (row: Row) => T): Page<T> {
  const kept = rows.slice(0, query.limit);
  if (query.ending_before) kept.reverse();
  return { object: 'list', data: kept.map(present), has_more: rows.length > query.limit };
}
