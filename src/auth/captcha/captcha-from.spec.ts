import { testSettings } from '../../../test/support/gateway';
import { solveAltcha } from '../../../test/support/solve-captcha';
import type { UnitOfWork } from '../../platform/database/unit-of-work';
import { AltchaCaptcha, EVERYDAY_WORK, TEST_WORK } from './altcha';
import { captchaFrom } from './captcha-from';

/** Everybody who comes is the first. */
const unitOfWork = { once: () => Promise.resolve([{ nonce: '' }]) } as unknown as UnitOfWork;
const KEYS = ['the-new-key-for-tokens-of-32-characters', 'the-old-key-for-tokens-of-32-characters'];

async function costOf(nodeEnv: 'test' | 'production'): Promise<unknown> {
  const challenge = await captchaFrom({ ...testSettings(), nodeEnv }, unitOfWork).challenge();
  return 'parameters' in challenge ? challenge.parameters.cost : undefined;
}

/** Whether the gateway with these settings accepts what was solved for one with that secret. */
async function accepts(environment: Record<string, string>, secret: string): Promise<boolean> {
  const challenge = await new AltchaCaptcha(unitOfWork, [secret], TEST_WORK).challenge();
  if (challenge.provider !== 'altcha') throw new Error('this is no proof of work');
  return captchaFrom(testSettings(environment), unitOfWork).passes(await solveAltcha(challenge), undefined);
}

describe('the CAPTCHA of the settings', () => {
  it('is the built-in one, whose work is small in tests only', async () => {
    expect(await costOf('test')).toBe(TEST_WORK.cost);
    expect(await costOf('production')).toBe(EVERYDAY_WORK.cost);
  });

  it('signs with the secret for tokens, new or old, unless it has its own', async () => {
    const environment = { JWT_SECRET_KEY: KEYS.join(',') };
    expect(await accepts(environment, KEYS[0])).toBe(true);
    expect(await accepts(environment, KEYS[1])).toBe(true);
    expect(await accepts({ ...environment, CAPTCHA_SECRET: 'its own secret' }, 'its own secret')).toBe(true);
    expect(await accepts({ ...environment, CAPTCHA_SECRET: 'its own secret' }, KEYS[0])).toBe(false);
  });

  it.each(['turnstile', 'hcaptcha', 'recaptcha'])('is %s with its site key', async (provider) => {
    const captcha = captchaFrom(testSettings({ CAPTCHA_PROVIDER: provider, CAPTCHA_SITE_KEY: 'key', CAPTCHA_SECRET: 'shh' }), unitOfWork);
    expect(await captcha.challenge()).toEqual({ provider, site_key: 'key' });
  });

  it('is never a remote one without its keys', () => {
    const settings = { ...testSettings(), captcha: { provider: 'turnstile' as const, siteKey: 'key' } };
    expect(() => captchaFrom(settings, unitOfWork)).toThrow('CAPTCHA_PROVIDER=turnstile needs CAPTCHA_SITE_KEY and CAPTCHA_SECRET.');
  });
});
