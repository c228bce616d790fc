import { constantTimeEqual, constantTimeEqualHex, hmacSha256, randomToken, sha256Hex } from './digests';

describe('sha256Hex', () => {
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ])('of %p (FIPS 180-4)', (text, hex) => {
    expect(sha256Hex(text)).toBe(hex);
    expect(sha256Hex(Buffer.from(text))).toBe(hex);
  });
});

describe('hmacSha256', () => {
  it.each([
    [Buffer.alloc(20, 0x0b), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    ['Jefe', 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
  ])('RFC 4231 %#', (key, data, hex) => {
    expect(hmacSha256(key, data).toString('hex')).toBe(hex);
  });
});

describe('constantTimeEqualHex', () => {
  const expected = hmacSha256('key', 'body');
  const hex = expected.toString('hex');

  it('accepts the digest itself', () => {
    expect(constantTimeEqualHex(expected, hex)).toBe(true);
  });

  it.each([
    ['one flipped digit', (hex[0] === '0' ? '1' : '0') + hex.slice(1)],
    ['a tail of junk, which the hex decoder would drop', `${hex}zz`],
    ['a line feed at the end', `${hex}\n`],
    ['junk in the last byte', `${hex.slice(0, -2)}zz`],
    ['upper case', 'AB'.repeat(32)],
    ['too short', hex.slice(0, -2)],
    ['too long', `${hex}00`],
    ['nothing', ''],
    ['undefined', undefined],
    ['a list', [hex]],
  ])('refuses %s', (_what, candidate) => {
    expect(constantTimeEqualHex(expected, candidate as string)).toBe(false);
  });

  it('refuses every candidate for a digest of another length', () => {
    expect(constantTimeEqualHex(expected.subarray(0, 16), hex)).toBe(false);
    expect(constantTimeEqualHex(Buffer.alloc(0), '')).toBe(false);
  });
});

describe('constantTimeEqual', () => {
  it('compares contents and does not throw on different lengths', () => {
    expect(constantTimeEqual(Buffer.from('same'), Buffer.from('same'))).toBe(true);
    expect(constantTimeEqual(Buffer.from('same'), Buffer.from('sane'))).toBe(false);
    expect(constantTimeEqual(Buffer.from('same'), Buffer.from('same!'))).toBe(false);
  });
});

describe('randomToken', () => {
  it('has two hex digits for each byte and does not repeat', () => {
    expect(randomToken(32)).toMatch(/^[0-9a-f]{64}$/);
    expect(randomToken(32)).not.toBe(randomToken(32));
  });
});
