import type { Settings } from '../../platform/config/settings';
import type { UnitOfWork } from '../../platform/database/unit-of-work';
import { AltchaCaptcha, EVERYDAY_WORK, TEST_WORK } from './altcha';
import type { CaptchaCheck } from './captcha';
import { RemoteCaptcha } from './remote-captcha';

/** The CAPTCHA that the settings name. They have made sure that a remote one has its keys. */
export function captchaFrom(settings: Settings, unitOfWork: UnitOfWork): CaptchaCheck {
  const { provider, siteKey, secret } = settings.captcha;
  if (provider === 'altcha') {
    const roots = secret ? [secret] : settings.jwtSecretKeys;
    return new AltchaCaptcha(unitOfWork, roots, settings.nodeEnv === 'test' ? TEST_WORK : EVERYDAY_WORK);
  }
  if (!siteKey || !secret) throw new Error(`CAPTCHA_PROVIDER=${provider} needs CAPTCHA_SITE_KEY and CAPTCHA_SECRET.`);
  const hostnames = [settings.publicUrl, ...settings.frontendOrigins].map((url) => new URL(url).hostname.toLowerCase());
  return new RemoteCaptcha({ provider, siteKey, secret, hostnames });
}
