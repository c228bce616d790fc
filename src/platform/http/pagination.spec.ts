import { z } from 'zod';
import { newId } from '../identifiers';
import { keyset, listQuery, toPage } from './pagination';

const query = listQuery('pay', { status: z.enum(['pending', 'succeeded']).optional() });
const id = newId('pay');
const fieldsOf = (value: unknown) => query.safeParse(value).error?.issues.flatMap(({ path, code }) => (path.length > 0 ? path : [code]));

describe('listQuery', () => {
  it('has a default of 20 and reads numbers from text', () => {
    expect(query.parse({})).toEqual({ limit: 20 });
    expect(query.parse({ limit: '100', status: 'pending', starting_after: id })).toEqual({ limit: 100, status: 'pending', starting_after: id });
  });

  it.each([
    ['limit', '0'], ['limit', '101'], ['limit', '01'], ['limit', '1.0'],
    ['limit', '1e1'], ['limit', ' 1'], ['limit', ['1', '2']], ['limit', ''],
    ['starting_after', newId('key')], ['starting_after', id.toUpperCase()], ['starting_after', `${id}'--`], ['ending_before', ''],
    ['created_gte', '2026-01-31'], ['created_gte', '2026-01-31T00:00:00'], ['created_lt', '2026-02-30T00:00:00Z'], ['created_lt', 'now'],
    ['status', 'PENDING'],
  ])('refuses %s = %j', (field, value) => {
    expect(fieldsOf({ [field]: value })).toEqual([field]);
  });

  it('refuses unknown filters and two cursors', () => {
    expect(fieldsOf({ sort: 'id' })).toEqual(['unrecognized_keys']);
    expect(fieldsOf({ starting_after: id, ending_before: id })).toEqual(['ending_before']);
  });

  it('reads times with any offset', () => {
    expect(query.parse({ created_gte: '2026-01-31T09:30:00+02:00' })).toMatchObject({ created_gte: '2026-01-31T09:30:00+02:00' });
  });
});

describe('keyset', () => {
  it('puts every value into a parameter', () => {
    const evil = `'; drop table payments; --`;
    const { sql, values } = keyset('pay', { client_id: evil, livemode: false, customer: undefined }, { limit: 5, starting_after: id });
    expect(sql).toBe('where client_id = $1 and livemode = $2 and id < $3 order by id desc limit $4');
    expect(values).toEqual([evil, false, id, 6]);
  });

  it('reads backwards for a page before', () => {
    const { sql, values } = keyset('pay', { client_id: 'c' }, { limit: 1, ending_before: id });
    expect(sql).toBe('where client_id = $1 and id > $2 order by id asc limit $3');
    expect(values).toEqual(['c', id, 2]);
  });

  it('makes a range of ids of a range of times', () => {
    const page = { limit: 1, created_gte: '2026-01-01T01:00:00+01:00', created_lt: '2026-01-02T00:00:00Z' };
    const { sql, values } = keyset('pay', { client_id: 'c' }, page);
    expect(sql).toBe('where client_id = $1 and id >= $2 and id < $3 order by id desc limit $4');
    const first = newId('pay', Date.parse('2026-01-01T00:00:00Z'));
    expect(String(values[1]) <= first && first < String(values[2])).toBe(true);
    expect(newId('pay', Date.parse('2025-12-31T23:59:59.999Z')) < String(values[1])).toBe(true);
    expect(newId('pay', Date.parse('2026-01-02T00:00:00Z')) >= String(values[2])).toBe(true);
  });
});

describe('toPage', () => {
  const present = (row: number) => `#${row}`;

  it('tells that there is more, and cuts it', () => {
    expect(toPage([3, 2, 1], { limit: 2 }, present)).toEqual({ object: 'list', data: ['#3', '#2'], has_more: true });
    expect(toPage([3, 2], { limit: 2 }, present)).toEqual({ object: 'list', data: ['#3', '#2'], has_more: false });
    expect(toPage([], { limit: 2 }, present)).toEqual({ object: 'list', data: [], has_more: false });
  });

  it('turns a page that was read backwards', () => {
    expect(toPage([4, 5, 6], { limit: 2, ending_before: id }, present)).toEqual({ object: 'list', data: ['#5', '#4'], has_more: true });
  });
});
