import { newId } from '../../identifiers';
import { containsCardNumber, maskCardNumbers, maskEmail, maskSecrets } from './masking';

describe('maskEmail', () => {
  it.each([
    ['user@example.com', 'u***r@example.com'],
    ['a.very.long.name+tag@mail.example.co.uk', 'a***g@mail.example.co.uk'],
    ['bob@example.com', 'b***b@example.com'],
    ['ab@example.com', 'a*@example.com'],
    ['a@example.com', '*@example.com'],
    ['jörg@exämple.de', 'j***g@exämple.de'],
    ['"odd@name"@example.com', '"***"@example.com'],
    ['no address', '[masked]'],
    ['@example.com', '[masked]'],
    ['', '[masked]'],
  ])('%s becomes %s', (email, masked) => {
    expect(maskEmail(email)).toBe(masked);
  });

  it.each(['u***r@example.com', 'a*@example.com', '*@example.com'])('leaves %s as it is', (masked) => {
    expect(maskEmail(masked)).toBe(masked);
    expect(maskSecrets(masked)).toBe(masked);
  });
});

describe('card numbers in text', () => {
  it('shows the last four digits only', () => {
    expect(maskCardNumbers('4242424242424242')).toBe('************4242');
    expect(maskCardNumbers('pay 3782-822463-10005 or 4242 4242 4242 4242 now')).toBe('pay ************0005 or ************4242 now');
  });

  it('leaves other text as it is', () => {
    const text = 'Order 4242424242424241 for 4242424242424242.00 USD';
    expect(maskCardNumbers(text)).toBe(text);
    expect(containsCardNumber(text)).toBe(false);
    expect(containsCardNumber(`${text} 4242424242424242`)).toBe(true);
  });

  it('leaves our identifiers alone, thousands of them', () => {
    for (let round = 0; round < 5000; round += 1) {
      const id = newId('pay');
      expect(containsCardNumber(id)).toBe(false);
    }
  });
});

describe('maskSecrets by name', () => {
  it.each([
    'password', 'newPassword', 'secret', 'client_secret', 'token', 'refresh_token', 'access-token', 'api_key', 'apiKey', 'X-API-Key',
    'Authorization', 'X-Signature', 'signature', 'signing_secret', 'signing_private_key', 'totp', 'totp_code', 'totpSecret', 'backup_codes',
    'card_number', 'cardNumber', 'card[number]',
    'cvc', 'CVV', 'cvv2', 'pan', 'Set-Cookie', 'otpauth_uri', 'ENCRYPTION_KEY', 'encryptionKey',
  ])('masks what stands under %s, whatever it is', (name) => {
    for (const value of ['hunter2', 123, 5n, ['hunter2'], { deep: 'hunter2' }, Buffer.from('hunter2')]) {
      expect(maskSecrets({ outer: [{ [name]: value }] })).toEqual({ outer: [{ [name]: '[masked]' }] });
    }
  });

  it.each(['id', 'amount', 'idempotency_key', 'description', 'company', 'panel', 'code', 'key_id', 'created_at'])(
    'keeps what stands under %s',
    (name) => expect(maskSecrets({ [name]: 'plain' })).toEqual({ [name]: 'plain' }),
  );

  it('keeps null, booleans and dates, which are no secrets', () => {
    expect(maskSecrets({ password: null, totp_enabled: true, token_expires_at: new Date(0), secret: undefined })).toEqual({
      password: null, totp_enabled: true, token_expires_at: '1970-01-01T00:00:00.000Z', secret: undefined,
    });
  });
});

describe('maskSecrets inside text', () => {
  it.each([
    ['key cpg_live_0123abcDEF_-x used', 'key cpg_live_… used'],
    ['cpg_test_0123', 'cpg_test_…'],
    ['cpg_sign_0123', 'cpg_sign_…'],
    ['sk_live_51Habc', 'sk_live_…'],
    ['refresh cpgr_AbC-_9x, mail cpgo_AbC-_9x', 'refresh cpgr_…, mail cpgo_…'],
    ['ticket cpgt_AbC-_9x, device cpgd_AbC-_9x', 'ticket cpgt_…, device cpgd_…'],
    ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw+/=', 'whsec_…'],
    ['from user@example.com to bo@example.org', 'from u***r@example.com to b*@example.org'],
    ['/v1/customers?email=user%40example.com&limit=5', '/v1/customers?email=u***r@example.com&limit=5'],
    ['paid with 4242 4242 4242 4242', 'paid with ************4242'],
    ['Authorization: Bearer abcdefghijklmnop.qrstuv', 'Authorization: Bearer …'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', 'eyJ…'],
    ['/v1/auth/email/verify?token=abc123&x=1', '/v1/auth/email/verify?token=[masked]&x=1'],
    ['postgres://cpg:hunter2@db:5432/cpg', 'postgres://[masked]@db:5432/cpg'],
    ['smtp://mail@example.com:hunter2@smtp.example.com', 'smtp://[masked]@smtp.example.com'],
  ])('%s', (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
    expect(maskSecrets({ note: [text] })).toEqual({ note: [masked] });
    expect(maskSecrets(masked)).toBe(masked);
  });

  it('masks names too', () => {
    expect(maskSecrets({ '4242424242424242': 1, 'user@example.com': 2 })).toEqual({ '************4242': 1, 'u***r@example.com': 2 });
  });

  it('masks a card number that came as a JSON number and keeps other numbers', () => {
    const others = { b: 1750000000000, c: 25.5, d: -1 };
    expect(maskSecrets({ a: 4242424242424242, ...others })).toEqual({ a: '************4242', ...others });
  });

  it('keeps amounts whole, in wei as well', () => {
    const amounts = { amount: '4242424242424242.00', amountMinor: 4242424242424242n, fee_minor: '4242424242424242' };
    expect(maskSecrets(amounts)).toEqual({ ...amounts, amountMinor: '4242424242424242' });
    expect(maskSecrets({ amount_minor: '4242 4242 4242 4242' })).toEqual({ amount_minor: '************4242' });
  });

  it('cuts long text, and a secret across the cut does not show', () => {
    const text = `${'x '.repeat(4996)}4242424242424242 ${'y'.repeat(50_000)}`;
    const masked = maskSecrets(text) as string;
    expect(masked.length).toBeLessThan(10_100);
    expect(masked).not.toContain('42424242');
    expect(masked).toContain('[60009 characters]');
  });
});

describe('maskSecrets on any value', () => {
  it('copies and leaves the original alone', () => {
    const original = { nested: { password: 'hunter2', list: [1, 'user@example.com'] } };
    const masked = maskSecrets(original);
    expect(masked).toEqual({ nested: { password: '[masked]', list: [1, 'u***r@example.com'] } });
    expect(original).toEqual({ nested: { password: 'hunter2', list: [1, 'user@example.com'] } });
  });

  it('writes what JSON cannot say as text', () => {
    const value = {
      day: new Date(0),
      never: new Date(NaN),
      bytes: Buffer.from('hunter2'),
      view: new Uint8Array(3),
      whole: 5n,
      call: () => 1,
      mark: Symbol('s'),
      map: new Map<unknown, unknown>([['token', 'x'], ['a', 1], [{}, 2]]),
      set: new Set(['user@example.com']),
      url: new URL('https://a:b@example.com/?token=x'),
    };
    expect(maskSecrets(value)).toEqual({
      day: '1970-01-01T00:00:00.000Z',
      never: '[invalid date]',
      bytes: '[binary, 7 bytes]',
      view: '[binary, 3 bytes]',
      whole: '5',
      call: '[function]',
      mark: '[symbol]',
      map: { token: '[masked]', a: 1, object: 2 },
      set: ['u***r@example.com'],
      url: 'https://[masked]@example.com/?token=[masked]',
    });
    expect(() => JSON.stringify(maskSecrets(value))).not.toThrow();
  });

  it('shows errors with their cause, masked', () => {
    const error = new Error('no user@example.com', { cause: new Error('cpg_live_abc') });
    const masked = maskSecrets({ error }) as { error: { name: string; message: string; stack: string; cause: { message: string } } };
    expect(masked.error).toMatchObject({ name: 'Error', message: 'no u***r@example.com', cause: { message: 'cpg_live_…' } });
    expect(masked.error.stack).not.toContain('user@example.com');
  });

  it('stops at cycles but shows the same object twice', () => {
    const shared = { a: 1 };
    const loop: Record<string, unknown> = { first: shared, second: shared };
    loop['self'] = loop;
    loop['list'] = [loop];
    expect(maskSecrets(loop)).toEqual({ first: { a: 1 }, second: { a: 1 }, self: '[circular]', list: ['[circular]'] });
  });

  it('bounds depth and size', () => {
    let deep: unknown = 'hunter2';
    for (let level = 0; level < 50_000; level += 1) {
      deep = { deep };
    }
    expect(JSON.stringify(maskSecrets(deep))).toContain('[left out: too deep]');
    const wide = maskSecrets(Array.from({ length: 100_000 }, (_, index) => index)) as unknown[];
    expect(wide.length).toBeLessThanOrEqual(2_001);
    expect(wide.at(-1)).toBe('[left out: too many values]');
    const long = maskSecrets(Array.from({ length: 100 }, () => 'a'.repeat(5_000))) as string[];
    expect(long[19]).toBe('a'.repeat(5_000));
    expect(long[20]).toBe('[left out: too much text]');
  });

  it('survives getters and proxies that throw', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const hostile = { good: 1, get bad(): never { throw new Error('hunter2'); }, proxy };
    expect(maskSecrets(hostile)).toEqual({ good: 1, bad: '[unreadable]', proxy: '[unreadable]' });
  });

  it('keeps a property called __proto__ a plain property', () => {
    const masked = maskSecrets(JSON.parse('{"__proto__":{"password":"hunter2","admin":true}}')) as object;
    expect(Object.getPrototypeOf(masked)).toBe(Object.prototype);
    expect(JSON.stringify(masked)).toBe('{"__proto__":{"password":"[masked]","admin":true}}');
  });

  it.each([null, undefined, true, false, 0, ''])('gives %p back', (value) => {
    expect(maskSecrets(value)).toBe(value);
  });
});
