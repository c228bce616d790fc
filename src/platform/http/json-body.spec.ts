import { parseJsonBody } from './json-body';
import { Problem } from './problem';

const parse = (text: string) => parseJsonBody(Buffer.from(text));

describe('parseJsonBody', () => {
  it.each([
    '{}', '[]', '0', 'null', '"text"', ' {"a": [1, {"b": null}], "c": "é"} ', '{"a:b":"{\\"c\\":1}","d":"\\\\"}', '{"a":{"x":1},"b":{"x":1}}',
    '{"":1}', '{"0":1,"1":2}', '[{"a":1},{"a":1}]', '{"a":"]}:::{["}', '{"proto":1,"Constructor":2}',
  ])('reads %s as JSON.parse does', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it('takes a byte order mark for what it is', () => {
    expect(parse('\ufeff{"a":1}')).toEqual({ a: 1 });
  });

  it('reads 32 levels and refuses the 33rd', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(() => parse(nested(32))).not.toThrow();
    expect(() => parse(nested(33))).toThrow('deeper than 32');
  });

  it.each([
    ['nothing', ''], ['white space', ' \n'], ['a name twice', '{"a":1,"a":1}'], ['a name twice, once escaped', '{"a":1,"\\u0061":1}'],
    ['a name twice, further in', '{"b":[{"a":1,"a":1}]}'],
    ['__proto__', '{"__proto__":1}'], ['an escaped __proto__', '{"__\\u0070roto__":1}'],
    ['constructor', '{"a":{"constructor":1}}'], ['prototype', '[{"prototype":1}]'],
    ['an open string', '{"a":"'], ['a trailing comma', '{"a":1,}'],
    ['a number as a name', '{1:1}'], ['NaN', '{"a":NaN}'], ['deep nesting without an end', '{"a":'.repeat(45_000)],
    ['U+0000', '{"a":"x\\u0000"}'], ['U+0000 in a name', '{"a\\u0000":1}'],
    ['half a surrogate pair', '["\\ud83d"]'], ['a pair the wrong way round', '["\\ude00\\ud83d"]'],
  ])('refuses %s', (_what, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'malformed_request' }) as Error);
  });

  it('keeps a whole surrogate pair', () => {
    expect(parse('["\\ud83d\\ude00"]')).toEqual(['😀']);
  });

  it.each([
    [[0xff]], [[0xc3, 0x28]], [[0xed, 0xa0, 0x80]], [[0xf8, 0x88, 0x80, 0x80, 0x80]], [[0xc0, 0x80]],
  ])('refuses the bytes %j, which are not UTF-8', (bytes) => {
    const raw = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')]);
    expect(() => parseJsonBody(raw)).toThrow(Problem);
  });

  it('changes nobody else\'s prototype', () => {
    expect(() => parse('{"__proto__":{"admin":true}}')).toThrow(Problem);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});
