import { z } from 'zod';
import { idSchema, metadataSchema, toFieldErrors, visibleText } from './validation';

const errorsOf = (schema: z.ZodType, value: unknown) => toFieldErrors(schema.safeParse(value).error?.issues ?? []);

describe('toFieldErrors', () => {
  const schema = z.strictObject({ name: z.string(), payer: z.strictObject({ ip: z.string() }).optional() });

  it('names fields by their path', () => {
    expect(errorsOf(schema, { name: 1, payer: { ip: 2 } }).map(({ field, code }) => [field, code])).toEqual([
      ['name', 'invalid_type'], ['payer.ip', 'invalid_type'],
    ]);
  });

  it('names an unknown field itself, each by itself', () => {
    expect(errorsOf(schema, { name: 'a', b: 1, payer: { ip: 'x', role: 2 } }).map(({ field, code }) => [field, code]).sort()).toEqual([
      ['b', 'unknown_field'], ['payer.role', 'unknown_field'],
    ]);
  });

  it('calls the whole "body"', () => {
    expect(errorsOf(schema, 7).map(({ field }) => field)).toEqual(['body']);
  });

  it('stops after twenty', () => {
    expect(errorsOf(schema, Object.fromEntries(Array.from({ length: 100 }, (_none, at) => [`f${at}`, 1])))).toHaveLength(20);
  });

  it('repeats a name neither at length nor with a secret in it', () => {
    const names = ['x'.repeat(10_000), '4242424242424242', `cpg_live_${'a'.repeat(40)}`];
    const text = JSON.stringify(errorsOf(schema, { name: 'a', ...Object.fromEntries(names.map((name) => [name, 1])) }));
    expect(text.length).toBeLessThan(1000);
    expect(text).not.toMatch(/4242424242424242|aaaaa/);
  });
});

describe('visibleText', () => {
  it.each(['a', 'Grüße', '😀', 'a b', '<b>', "'; --"])('takes %j', (text) => {
    expect(visibleText(1, 20).safeParse(text).success).toBe(true);
  });

  it.each(['', 'a\nb', 'a\rb', '\u0000', '\u001b[31m', '\u009b', '\ud800', 'x'.repeat(21), 7, null])('refuses %j', (text) => {
    expect(visibleText(1, 20).safeParse(text).success).toBe(false);
  });
});

describe('metadataSchema', () => {
  const entries = (count: number) => Object.fromEntries(Array.from({ length: count }, (_none, at) => [`key${at}`, 'value']));

  it.each([{}, entries(50), { ['k'.repeat(40)]: 'v'.repeat(500) }])('takes what is within bounds', (value) => {
    expect(metadataSchema.safeParse(value).success).toBe(true);
  });

  it.each([
    [entries(51)], [{ ['k'.repeat(41)]: 'v' }], [{ k: 'v'.repeat(501) }], [{ '': 'v' }], [{ k: 1 }], [{ k: null }], [{ k: {} }], [[]],
  ])('refuses the rest', (value) => {
    expect(metadataSchema.safeParse(value).success).toBe(false);
  });
});

describe('idSchema', () => {
  const id = `pay_${'0a'.repeat(16)}`;

  it('takes its own kind only', () => {
    expect(idSchema('pay').safeParse(id).success).toBe(true);
    for (const other of [id.replace('pay', 'key'), id.toUpperCase(), `${id}0`, id.slice(1), `${id}\n`]) expect(idSchema('pay').safeParse(other).success).toBe(false);
  });
});
