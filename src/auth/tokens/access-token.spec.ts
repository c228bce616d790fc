import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import type { Settings } from '../../platform/config/settings';
import { AccessTokens } from './access-token';

const KEY = 'test-key-test-key-test-key-test-key-test-key-test-key-test-key-64';
const OLD_KEY = 'older-key-older-key-older-key-older-key-older-key-older-key-64-x';
const ISSUER = 'https://pay.example.com';
const PERSON = { personId: 'usr_019a9f0c2b7e4f3a9d1c5b8e7a6f0d21', sessionId: 'ses_019a9f0c2b7e4f3a9d1c5b8e7a6f0d22' };
const NOW = 1_800_000_000;

const bytes = (key: string) => new TextEncoder().encode(key);

function tokensWith(...jwtSecretKeys: string[]): AccessTokens {
  return new AccessTokens({ jwtSecretKeys, tokenIssuer: ISSUER } as Settings);
}

/** A token as ours are, except for what is given; undefined takes a claim out. */
function forged(claims: JWTPayload = {}, header: object = {}, key: Parameters<SignJWT['sign']>[0] = bytes(KEY)): Promise<string> {
  const ours = { iss: ISSUER, aud: 'cpgateway-api', sub: PERSON.personId, sid: PERSON.sessionId, iat: NOW, exp: NOW + 900, jti: 'x' };
  const payload = JSON.parse(JSON.stringify({ ...ours, ...claims })) as JWTPayload;
  return new SignJWT(payload).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header }).sign(key);
}

describe('AccessTokens', () => {
  const tokens = tokensWith(KEY);

  beforeEach(() => {
    jest.useFakeTimers({ now: NOW * 1_000, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'setTimeout'] });
  });

  afterEach(() => jest.useRealTimers());

  it('issues what RFC 9068 describes, for 15 minutes', async () => {
    const { token, expiresIn } = await tokens.issue(PERSON);
    expect(expiresIn).toBe(900);
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'at+jwt' });
    expect(decodeJwt(token)).toEqual({
      iss: ISSUER, aud: 'cpgateway-api', sub: PERSON.personId, sid: PERSON.sessionId, iat: NOW, exp: NOW + 900,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(decodeJwt((await tokens.issue(PERSON)).token).jti).not.toBe(decodeJwt(token).jti);
  });

  it('reads its own, and one that is the same but for its making', async () => {
    const read = { ...PERSON, expiresAt: new Date((NOW + 900) * 1_000) };
    expect(await tokens.verify((await tokens.issue(PERSON)).token)).toEqual(read);
    expect(await tokens.verify(await forged())).toEqual(read);
  });

  it('lasts to its last second and is expired by the next', async () => {
    const { token } = await tokens.issue(PERSON);
    jest.setSystemTime((NOW + 899) * 1_000);
    expect(await tokens.verify(token)).toMatchObject(PERSON);
    jest.setSystemTime((NOW + 900) * 1_000);
    expect(await tokens.verify(token)).toBe('expired');
    jest.setSystemTime((NOW + 901) * 1_000);
    expect(await tokens.verify(token)).toBe('expired');
  });

  it.each<[string, JWTPayload]>([
    ['of another issuer', { iss: 'https://evil.example.com' }],
    ['of the same issuer with a slash', { iss: `${ISSUER}/` }],
    ['for another audience', { aud: 'another-api' }],
    ['not yet valid', { nbf: NOW + 1 }],
    ['without an issuer', { iss: undefined }],
    ['without an audience', { aud: undefined }],
    ['without a person', { sub: undefined }],
    ['without a session', { sid: undefined }],
    ['without an end', { exp: undefined }],
    ['without an identity', { jti: undefined }],
    ['whose session is no text', { sid: 5 }],
    ['whose end is no number', { exp: '9999999999' as unknown as number }],
    ['of another issuer, expired', { iss: 'https://evil.example.com', exp: NOW - 1 }],
    ['for another audience, expired', { aud: 'another-api', exp: NOW - 1 }],
  ])('refuses one %s', async (_, claims) => {
    expect(await tokens.verify(await forged(claims))).toBeUndefined();
  });

  const otherHeaders = [{ typ: 'JWT' }, { typ: undefined }, { typ: 'refresh+jwt' }, { alg: 'HS512' }, { alg: 'HS384' }];

  it.each(otherHeaders)('refuses the header %p', async (header) => {
    expect(await tokens.verify(await forged({}, header, bytes(KEY)))).toBeUndefined();
  });

  it('refuses a token without a signature', async () => {
    const claims = decodeJwt((await tokens.issue(PERSON)).token);
    const [, payload, signature] = (await tokens.issue(PERSON)).token.split('.');
    expect(await tokens.verify(new UnsecuredJWT(claims).encode())).toBeUndefined();
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    expect(await tokens.verify(`${none}.${payload}.`)).toBeUndefined();
    expect(await tokens.verify(`${none}.${payload}.${signature}`)).toBeUndefined();
  });

  it('refuses RS256, also when the public key is what the token was made with', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    expect(await tokens.verify(await forged({}, { alg: 'RS256' }, privateKey))).toBeUndefined();
    const published = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    expect(await tokens.verify(await forged({}, {}, bytes(published)))).toBeUndefined();
    expect(await tokens.verify(await forged({}, { jwk: publicKey.export({ format: 'jwk' }), alg: 'RS256' }, privateKey))).toBeUndefined();
  });

  it('refuses a token with any one byte changed', async () => {
    const { token } = await tokens.issue(PERSON);
    const changed = Array.from(token, (letter, index) => token.slice(0, index) + (letter === 'A' ? 'Q' : 'A') + token.slice(index + 1));
    const accepted = (await Promise.all(changed.map((text) => tokens.verify(text)))).filter((answer) => answer !== undefined);
    expect(accepted).toEqual([]);
  });

  it('signs with the newest key and reads what an older one has signed, until that is gone', async () => {
    const before = (await tokensWith(OLD_KEY).issue(PERSON)).token;
    const rotating = tokensWith(KEY, OLD_KEY);
    expect(await rotating.verify(before)).toMatchObject(PERSON);
    expect(await tokens.verify(before)).toBeUndefined();
    const after = (await rotating.issue(PERSON)).token;
    expect(await tokens.verify(after)).toMatchObject(PERSON);
    expect(await tokensWith(OLD_KEY).verify(after)).toBeUndefined();
    jest.setSystemTime((NOW + 900) * 1_000);
    expect(await rotating.verify(before)).toBe('expired');
  });

  it.each([
    '', '.', '..', 'a.b.c', 'eyJ', 'cpgr_x', '\u0000', 'é.é.é', '{"alg":"HS256"}', `${'a'.repeat(1_000)}.`.repeat(3), 'x'.repeat(1_000_000),
  ])(
    'refuses %j without an error',
    async (text) => expect(await tokens.verify(text)).toBeUndefined(),
  );
});
