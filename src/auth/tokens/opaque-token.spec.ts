import { maskSecrets } from '../../platform/security/crypto/masking';
import { sha256Hex } from '../../platform/security/crypto/digests';
import { hashOfToken, newOpaqueToken, type TokenPrefix } from './opaque-token';

const PREFIXES: readonly TokenPrefix[] = ['cpgr', 'cpgo', 'cpgt', 'cpgd'];

describe.each(PREFIXES)('a token %s_…', (prefix) => {
  it('has 256 random bits, and its hash is known again', () => {
    const { token, hash } = newOpaqueToken(prefix);
    expect(token).toMatch(new RegExp(`^${prefix}_[A-Za-z0-9_-]{43}$`));
    expect(hash).toBe(sha256Hex(token));
    expect(hashOfToken(token, prefix)).toBe(hash);
    expect(newOpaqueToken(prefix).token).not.toBe(token);
  });

  it('is no token of another kind', () => {
    const { token } = newOpaqueToken(prefix);
    for (const other of PREFIXES) {
      if (other !== prefix) expect(hashOfToken(token, other)).toBeUndefined();
    }
  });

  it('shows in no log', () => {
    const { token } = newOpaqueToken(prefix);
    expect(maskSecrets({ note: `got ${token}, twice` })).toEqual({ note: `got ${prefix}_…, twice` });
  });
});

describe('hashOfToken', () => {
  const { token } = newOpaqueToken('cpgr');

  it.each([
    '', 'cpgr', 'cpgr_', token.slice(0, -1), `${token}A`, `${token}\n`, ` ${token}`, token.toUpperCase(),
    token.replace('_', '-'), `${token.slice(0, -1)}=`, `${token.slice(0, -1)}é`, 'x'.repeat(1_000_000),
  ])('does not know %j', (text) => {
    expect(hashOfToken(text, 'cpgr')).toBeUndefined();
  });
});
