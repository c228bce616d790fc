import { withoutCardNumbers } from './card-free-payload';

const PAN = '4242424242424242';
const KEPT = [['id'], ['data', 'amount']];
const masked = (value: unknown) => JSON.parse(withoutCardNumbers(JSON.stringify(value), KEPT)) as unknown;

describe('withoutCardNumbers', () => {
  it('masks texts, names and numbers at every depth', () => {
    expect(masked({ a: `card ${PAN}!`, [PAN]: 1, list: [{ b: '4242-4242-4242-4242' }, Number(PAN)] })).toEqual({
      a: 'card ************4242!', '************4242': 1, list: [{ b: '************4242' }, '[masked]'],
    });
  });

  it('keeps what an event is known and counted by, at its own place only', () => {
    const event = { id: PAN, data: { amount: Number(PAN), id: PAN }, 'data.amount': PAN };
    expect(masked(event)).toEqual({ id: PAN, data: { amount: Number(PAN), id: '************4242' }, 'data.amount': '************4242' });
  });

  it.each(['{"a" : 1e2}', '{"at":1763600000,"id":"pi_019a9f0c2b7e4f3a9d1c5b8e7a6f0d21"}', `{"n":${'1'.repeat(11)}, "x":"\\u00e9"}`, `{"id":"${PAN}"}`])(
    'leaves %s as it came, byte for byte', (json) => expect(withoutCardNumbers(json, KEPT)).toBe(json),
  );

  it('finds digits behind escapes, and trusts no whole number that parsing has changed', () => {
    expect(withoutCardNumbers(`{"a":"\\u0034242424242424242","b":4000000000000000006}`, KEPT)).toBe('{"a":"************4242","b":"[masked]"}');
  });

  it('takes nesting that would exhaust the stack', () => {
    const deep = `{"a":${'['.repeat(50_000)}"${PAN}"${']'.repeat(50_000)}}`;
    expect(withoutCardNumbers(deep, KEPT)).not.toContain(PAN);
  });
});
