import { cardNumberErrors } from './card-number.guard';

const PAN = '4242424242424242';
const LONG_PAN = '4000000000000000006';

function fieldsOf(request: { body?: unknown; query?: object; params?: object; key?: string; raw?: string }): string[] {
  const raw = request.raw ?? JSON.stringify(request.body);
  return cardNumberErrors({
    body: request.raw === undefined ? request.body : JSON.parse(request.raw),
    query: request.query ?? {},
    params: request.params ?? {},
    headers: { 'idempotency-key': request.key },
    rawBody: raw === undefined ? undefined : Buffer.from(raw),
  }).map(({ field }) => field);
}

describe('a card number is found', () => {
  it.each<[string, Parameters<typeof fieldsOf>[0], string[]]>([
    ['in a text', { body: { description: `card ${PAN}` } }, ['description']],
    ['with spaces and deep below', { body: { metadata: { a: ['x', '4242 4242 4242 4242'] } } }, ['metadata.a.1']],
    ['as a name', { body: { metadata: { [PAN]: 'x' } } }, ['metadata.************4242']],
    ['as a number', { body: { customer: Number(PAN) } }, ['customer']],
    ['as a number that parsing has changed', { raw: `{"a":{"b":${LONG_PAN}},"c":"${PAN}"}` }, ['a.b', 'c']],
    ['behind percent-encoding', { body: { url: 'https://shop.example/?a=%20%34242424242424242' } }, ['url']],
    ['behind a JSON escape', { raw: `{"a":"\\u0034242424242424242"}` }, ['a']],
    ['in the query and the path', { query: { customer: PAN }, params: { id: PAN } }, ['id', 'customer']],
    ['in the idempotency key', { key: PAN }, ['Idempotency-Key']],
    ['in an exempt name that lies deeper', { body: { metadata: { password: PAN, hash: PAN, amount: PAN } } },
      ['metadata.password', 'metadata.hash', 'metadata.amount']],
    ['in an amount that is none', { body: { amount: '4242 4242 4242 4242' } }, ['amount']],
    ['in a body that is no object', { body: PAN }, ['']],
  ])('%s', (_where, request, fields) => expect(fieldsOf(request)).toEqual(fields));

  it('at most twenty times', () => expect(fieldsOf({ body: Array.from({ length: 50 }, () => PAN) })).toHaveLength(20));
});

describe('nothing is found', () => {
  it.each<[string, Parameters<typeof fieldsOf>[0]]>([
    ['in an ordinary payment', { body: { amount: '25.00', customer: 'c-1' }, params: { id: 'pay_019a9f0c2b7e4f3a9d1c5b8e7a6f0d21' } }],
    ['in an amount', { body: { amount: PAN } }],
    ['in passwords, hashes and solved CAPTCHAs', {
      body: { password: PAN, current_password: PAN, new_password: PAN, hash: PAN, captcha: PAN },
    }],
    ['in numbers that pass no check', { raw: `{"a":4000000000000000001,"b":1750000000000,"c":1e30,"d":0.4242424242424242}` }],
    ['without a body', {}],
  ])('%s', (_where, request) => expect(fieldsOf(request)).toEqual([]));
});

describe('a body of 256 KiB that is made to be slow costs what its length says', () => {
  const body = (unit: string, length: number) => ({ body: { a: unit.repeat(Math.floor(length / unit.length)) } });
  /** Microseconds of processor time. */
  const costOf = (request: Parameters<typeof fieldsOf>[0]) => {
    const started = process.cpuUsage();
    expect(fieldsOf(request)).toEqual([]);
    const { user, system } = process.cpuUsage(started);
    return user + system;
  };

  it.each(['4 ', '4-4 ', '50', 'DE12 3456 7890 1234 5678 ', '%34', '4242424242424241 '])('%j', (unit) => {
    const [eighth, whole] = [body(unit, 32_768), body(unit, 262_144)];
    // Side by side, and the least of some tries each: whatever else runs on the machine, it holds up both.
    const tries = Array.from({ length: 7 }, () => [costOf(eighth), costOf(whole)] as const);
    const least = (at: 0 | 1) => Math.min(...tries.map((costs) => costs[at]));
    // Eight times the text is eight times the work; what grows with the square would be sixty-four times as much.
    expect(least(1)).toBeLessThan(24 * least(0));
    expect(least(1)).toBeLessThan(150_000);
  });
});
