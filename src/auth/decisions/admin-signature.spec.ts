import { createPrivateKey, sign } from 'node:crypto';
import { decisionText, verifyDecision } from './admin-signature';
import type { DecisionBody } from './decisions.dto';

/** RFC 8032, 7.1, test 1. */
const SECRET = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const PUBLIC = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex').toString('base64');
const privateKey = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(SECRET, 'hex')]), format: 'der', type: 'pkcs8' });

const ID = `wd_${'0'.repeat(32)}`;
const body: DecisionBody = { revision: 3, amount: '25.000000', currency: 'USDT', destination: 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH', totp_code: '123456' };
const now = () => Math.floor(Date.now() / 1000);
const headersOf = (timestamp: number, text = [timestamp, 'approve', ID, 3, '25.000000', 'USDT', body.destination].join('\n')) => ({
  timestamp: String(timestamp), signature: `ed25519=${sign(null, Buffer.from(text), privateKey).toString('base64')}`,
});

describe('a signed decision', () => {
  it('is seven lines', () => {
    expect(decisionText({ timestamp: '1', decision: 'approve', objectId: 'wd_1', revision: '2', amount: '3.00', currency: 'USD', destination: 'DE89 A' }))
      .toBe('1\napprove\nwd_1\n2\n3.00\nUSD\nDE89 A');
  });

  it('is accepted from the holder of the key, with its time', () => {
    const at = now();
    expect(verifyDecision('approve', ID, headersOf(at), body, PUBLIC)).toEqual({ signature: expect.any(String), signedAt: new Date(at * 1000) });
  });

  it.each([-299, 299])('is accepted %d seconds from now', (offset) => {
    expect(() => verifyDecision('approve', ID, headersOf(now() + offset), body, PUBLIC)).not.toThrow();
  });

  it.each([-302, 302])('is expired %d seconds from now', (offset) => {
    expect(() => verifyDecision('approve', ID, headersOf(now() + offset), body, PUBLIC)).toThrow(expect.objectContaining({ code: 'signature_expired' }));
  });

  it.each<[string, Parameters<typeof verifyDecision>[0], string, Partial<DecisionBody>]>([
    ['decision', 'reject', ID, {}],
    ['object', 'approve', `wd_${'1'.repeat(32)}`, {}],
    ['revision', 'approve', ID, { revision: 4 }],
    ['amount', 'approve', ID, { amount: '25.000001' }],
    ['currency', 'approve', ID, { currency: 'USD' }],
    ['destination', 'approve', ID, { destination: 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdh' }],
  ])('is not that of another %s', (_word, decision, id, change) => {
    expect(() => verifyDecision(decision, id, headersOf(now()), { ...body, ...change }, PUBLIC)).toThrow(expect.objectContaining({ code: 'signature_invalid' }));
  });

  it.each([
    ['none', {}],
    ['no time', { signature: headersOf(1).signature }],
    ['a time in words', { ...headersOf(1), timestamp: 'now' }],
    ['another scheme', { ...headersOf(1), signature: `hmac=${'A'.repeat(86)}==` }],
    ['one byte less', { ...headersOf(1), signature: `ed25519=${'A'.repeat(84)}` }],
    ['something behind it', { ...headersOf(1), signature: `${headersOf(1).signature}A` }],
  ])('is refused with %s', (_name, headers) => {
    expect(() => verifyDecision('approve', ID, headers, body, PUBLIC)).toThrow(expect.objectContaining({ code: 'signature_invalid' }));
  });

  it('is refused for the key of somebody else', () => {
    const other = Buffer.from('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'hex').toString('base64');
    expect(() => verifyDecision('approve', ID, headersOf(now()), body, other)).toThrow(expect.objectContaining({ code: 'signature_invalid' }));
  });
});
