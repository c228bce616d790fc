import { Problem } from '../../platform/http/problem';
import { currentContext } from '../../platform/http/request-context';
import { type CaptchaCheck, CaptchaUnavailable } from './captcha';

/** Whether the solution is right and unused. 502 `provider_unavailable` when the provider cannot be asked. */
export async function passesCaptcha(captcha: CaptchaCheck, solution: string): Promise<boolean> {
  try {
    return await captcha.passes(solution, currentContext().ip);
  } catch (error) {
    if (!(error instanceof CaptchaUnavailable)) throw error;
    throw new Problem('provider_unavailable', 'The CAPTCHA cannot be checked at the moment. Try again soon.', { headers: { 'retry-after': '5' }, cause: error });
  }
}
