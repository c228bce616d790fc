import { generate } from 'otplib';
import { acceptedStep, newTotpSecret, otpauthUri } from './totp';

/** The secret of RFC 6238, appendix B: '12345678901234567890' in base 32. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const at = (seconds: number) => new Date(seconds * 1_000);

describe('acceptedStep', () => {
  it.each([
    [59, '287082', 1],
    [1_111_111_109, '081804', 37_037_036],
    [1_111_111_111, '050471', 37_037_037],
    [1_234_567_890, '005924', 41_152_263],
    [2_000_000_000, '279037', 66_666_666],
    [20_000_000_000, '353130', 666_666_666],
  ])('knows the code of RFC 6238 at second %d', async (seconds, code, step) => {
    expect(await acceptedStep(SECRET, code, 0, at(seconds))).toBe(step);
  });

  const NOW = 1_234_567_890;
  const STEP = 41_152_263;
  const codeOf = (step: number) => generate({ secret: SECRET, epoch: step * 30 });

  it.each([-1, 0, 1])('takes the step %d from now, at the first and the last second', async (distance) => {
    const code = await codeOf(STEP + distance);
    expect(await acceptedStep(SECRET, code, 0n, at(STEP * 30))).toBe(STEP + distance);
    expect(await acceptedStep(SECRET, code, 0n, new Date(STEP * 30_000 + 29_999))).toBe(STEP + distance);
  });

  it.each([-2, 2])('refuses the step %d from now, at the first and the last second', async (distance) => {
    const code = await codeOf(STEP + distance);
    expect(await acceptedStep(SECRET, code, 0, at(STEP * 30))).toBeUndefined();
    expect(await acceptedStep(SECRET, code, 0, new Date(STEP * 30_000 + 29_999))).toBeUndefined();
  });

  it('takes only what is later than the last accepted step', async () => {
    const code = await codeOf(STEP);
    expect(await acceptedStep(SECRET, code, BigInt(STEP - 1), at(NOW))).toBe(STEP);
    expect(await acceptedStep(SECRET, code, BigInt(STEP), at(NOW))).toBeUndefined();
    expect(await acceptedStep(SECRET, code, STEP + 1, at(NOW))).toBeUndefined();
    expect(await acceptedStep(SECRET, code, STEP + 1_000_000, at(NOW))).toBeUndefined();
    expect(await acceptedStep(SECRET, code, 2n ** 62n, at(NOW))).toBeUndefined();
  });

  it.each([
    '', '00592', '0059240', '005924\n', ' 05924', '００５９２４', 'abcdef', '-05924', '5.9e10', 'k7mp-2xqd-9hwt-c4vz', '0'.repeat(100_000),
  ])(
    'refuses %j without an error',
    async (code) => expect(await acceptedStep(SECRET, code, 0, at(NOW))).toBeUndefined(),
  );

  it.each(['', 'not base 32!', 'GEZDGNBV'])('refuses every code where the secret is %j', async (secret) => {
    expect(await acceptedStep(secret, '005924', 0, at(NOW))).toBeUndefined();
  });

  it('goes by the present time when none is given', async () => {
    const secret = newTotpSecret();
    const before = Math.floor(Date.now() / 30_000);
    const step = await acceptedStep(secret, await generate({ secret }), 0);
    expect(step).toBeGreaterThanOrEqual(before);
    expect(await acceptedStep(newTotpSecret(), await generate({ secret }), 0)).not.toBe(before - 2);
  });
});

describe('newTotpSecret and otpauthUri', () => {
  it('has 160 bits in base 32, never twice the same', () => {
    expect(newTotpSecret()).toMatch(/^[A-Z2-7]{32}$/);
    expect(newTotpSecret()).not.toBe(newTotpSecret());
  });

  it('names issuer and person in a way that nothing can break out of', () => {
    const uri = new URL(otpauthUri(SECRET, 'a+b&secret=x@example.com', 'CP & Gateway'));
    expect([uri.protocol, uri.host]).toEqual(['otpauth:', 'totp']);
    expect(decodeURIComponent(uri.pathname)).toBe('/CP & Gateway:a+b&secret=x@example.com');
    expect(uri.searchParams.getAll('secret')).toEqual([SECRET]);
    expect(uri.searchParams.get('issuer')).toBe('CP & Gateway');
    // What is left out is what the form means without it: SHA-1, six digits, 30 seconds.
    for (const [name, value] of [['algorithm', 'SHA1'], ['digits', '6'], ['period', '30']]) {
      expect(uri.searchParams.get(name) ?? value).toBe(value);
    }
  });
});
