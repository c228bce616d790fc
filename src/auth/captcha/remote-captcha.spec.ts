import { Logger } from '@nestjs/common';
import { answered, CAPTCHA_SITE, CaptchaProviders, cut, dripping, hanging } from '../../../test/support/captcha-providers';
import { CaptchaUnavailable, captchaChallenge } from './captcha';
import { RemoteCaptcha, type RemoteCaptchaOptions, type RemoteProvider } from './remote-captcha';

const PROVIDERS: RemoteProvider[] = ['turnstile', 'hcaptcha', 'recaptcha'];
const { siteKey, secret, hostname } = CAPTCHA_SITE;

let providers: CaptchaProviders;
beforeAll(async () => {
  providers = await CaptchaProviders.start();
});
beforeEach(() => {
  providers.received.length = 0;
  jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => providers.stop());

function captcha(provider: RemoteProvider, options: Partial<RemoteCaptchaOptions> = {}): RemoteCaptcha {
  const hostnames = ['pay.example', hostname];
  return new RemoteCaptcha({ provider, siteKey, secret, hostnames, verifyUrl: providers.url(provider), ...options });
}

function minutesAgo(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString();
}

describe.each(PROVIDERS)('%s', (provider) => {
  it('tells the browser its site key', async () => {
    const challenge = await captcha(provider).challenge();
    expect(challenge).toEqual({ provider, site_key: siteKey });
    expect(captchaChallenge.parse(challenge)).toEqual(challenge);
  });

  it('lets a solution pass once', async () => {
    const token = providers.solve(provider);
    expect(await captcha(provider).passes(token, '203.0.113.7')).toBe(true);
    expect(await captcha(provider).passes(token, '203.0.113.7')).toBe(false);
    const form = { secret, response: token, remoteip: '203.0.113.7', ...(provider === 'hcaptcha' ? { sitekey: siteKey } : {}) };
    expect(providers.received).toEqual([form, form]);
  });

  it('does not make up an address that is not known', async () => {
    expect(await captcha(provider).passes(providers.solve(provider), undefined)).toBe(true);
    expect(providers.received[0]).not.toHaveProperty('remoteip');
  });

  it('refuses what nobody has solved, what was solved on another site, and what has expired', async () => {
    const check = captcha(provider);
    expect(await check.passes('made up', undefined)).toBe(false);
    expect(await check.passes('&success=true&secret=other', undefined)).toBe(false);
    expect(await check.passes(providers.solve(provider, { siteKey: 'another-site' }), undefined)).toBe(false);
    expect(await check.passes(providers.solve(provider, { solvedAt: new Date(minutesAgo(6)) }), undefined)).toBe(false);
    expect(providers.received).toHaveLength(4);
  });

  it('refuses nothing at all and too much without asking', async () => {
    expect(await captcha(provider).passes('', undefined)).toBe(false);
    expect(await captcha(provider).passes('x'.repeat(8193), undefined)).toBe(false);
    expect(await captcha(provider).passes('€'.repeat(2731), undefined)).toBe(false);
    expect(providers.received).toEqual([]);
  });

  it('refuses what was solved on a host that is not ours, and says so in the log', async () => {
    expect(await captcha(provider).passes(providers.solve(provider, { hostname: 'phish.example' }), undefined)).toBe(false);
    expect(Logger.prototype.warn).toHaveBeenCalledWith(expect.stringContaining('"phish.example", which is neither that of PUBLIC_URL'));
    expect(await captcha(provider).passes(providers.solve(provider, { hostname: 'PAY.example' }), undefined)).toBe(true);
  });

  it('is unavailable when our secret is wrong, for no other solution would help', async () => {
    const passing = captcha(provider, { secret: 'outdated' }).passes(providers.solve(provider), undefined);
    await expect(passing).rejects.toThrow(new CaptchaUnavailable(`${provider} answered invalid-input-secret. Check CAPTCHA_SECRET.`));
  });
});

describe('the answer of a provider', () => {
  const about = { success: true, hostname };

  it.each([
    ['with nothing but success', { success: true }, true],
    ['with nulls for what is not known', { success: true, hostname: null, challenge_ts: null, 'error-codes': null, score: null }, true],
    ['of a solution from four minutes ago', { ...about, challenge_ts: minutesAgo(4) }, true],
    ['of a solution from six minutes ago', { ...about, challenge_ts: minutesAgo(6) }, false],
    ['with a time in another zone', { ...about, challenge_ts: minutesAgo(60).replace('Z', '-01:00') }, true],
    ['from a page without a host', { ...about, hostname: '' }, false],
    ['that says no without a code', { success: false }, false],
    ['that says no with a code of tomorrow', { success: false, 'error-codes': ['solved-by-a-cat'] }, false],
  ])('%s', async (_what, body, expected) => {
    providers.misbehave(answered(200, body));
    expect(await captcha('turnstile').passes('token', undefined)).toBe(expected);
  });

  it('that says no may have the status of a bad request', async () => {
    providers.misbehave(answered(400, { success: false, 'error-codes': ['invalid-input-response'] }));
    expect(await captcha('turnstile').passes('token', undefined)).toBe(false);
  });

  it.each([
    ['an error', answered(500, 'Internal Server Error')],
    ['a success that is an error', answered(500, { success: true })],
    ['too many requests', answered(429, '')],
    ['a page instead of JSON', answered(200, '<html>')],
    ['JSON that is no verdict', answered(200, 'null')],
    ['a success that is no boolean', answered(200, { success: 'true' })],
    ['a time that is none', answered(200, { success: true, challenge_ts: 'yesterday' })],
    ['a fault of its own', answered(200, { success: false, 'error-codes': ['internal-error'] })],
    ['a redirect, which is not followed', answered(307, '', { location: '/recaptcha/api/siteverify' })],
    ['an answer without end', answered(200, `{"success": true, "x": "${'x'.repeat(100_000)}"}`)],
    ['a cut line', cut()],
  ])('%s makes it unavailable', async (_what, answer) => {
    providers.misbehave(answer);
    const passing = captcha('recaptcha').passes(providers.solve('recaptcha'), undefined);
    const error: Error = await passing.then(() => new Error('it answered'), (reason: Error) => reason);
    expect(error).toBeInstanceOf(CaptchaUnavailable);
    expect(error.message).not.toContain(secret);
    expect(providers.received).toHaveLength(1);
  });

  it.each([
    ['does not come', hanging()],
    ['does not end', dripping()],
  ])('that %s is waited for no longer than said', async (_what, answer) => {
    providers.misbehave(answer);
    const startedAt = performance.now();
    await expect(captcha('hcaptcha', { timeoutMs: 150 }).passes('token', undefined)).rejects.toThrow(CaptchaUnavailable);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('does not come from a server that is away', async () => {
    const gone = await CaptchaProviders.start();
    const verifyUrl = gone.url('turnstile');
    await gone.stop();
    await expect(captcha('turnstile', { verifyUrl }).passes('token', undefined)).rejects.toThrow('turnstile did not verify a solution: ');
  });
});

it('names the settings when tokens are for another site than hCaptcha is asked about', async () => {
  expect(await captcha('hcaptcha', { siteKey: 'mistyped' }).passes(providers.solve('hcaptcha'), undefined)).toBe(false);
  expect(Logger.prototype.warn).toHaveBeenCalledWith(expect.stringContaining('check CAPTCHA_SITE_KEY and CAPTCHA_SECRET'));
});

describe('the score', () => {
  it.each([[0, false], [0.49, false], [0.5, true], [0.9, true]])('%d of reCAPTCHA v3 is a person: %s', async (score, expected) => {
    expect(await captcha('recaptcha').passes(providers.solve('recaptcha', { score }), undefined)).toBe(expected);
  });

  it('of hCaptcha runs the other way round and is left to its own judgement', async () => {
    providers.misbehave(answered(200, { success: true, hostname, score: 0.1 }));
    expect(await captcha('hcaptcha').passes('token', undefined)).toBe(true);
  });
});
