import { Problem } from '../../http/problem';
import { assertUrlAllowed, type OutboundPolicy, UrlNotAllowedError } from './outbound-url';

/**
 * The 422 that a URL in a field of a request deserves, if any. It asks the DNS, so it is called before the transaction; and it is
 * thrown inside of it, because a repeated request gets its stored answer whatever the DNS says by then.
 */
export async function refusalOfUrl(url: string, policy: OutboundPolicy, field: string): Promise<Problem | undefined> {
  try {
    await assertUrlAllowed(url, policy);
    return undefined;
  } catch (error) {
    if (!(error instanceof UrlNotAllowedError)) throw error;
    return new Problem('url_not_allowed', error.message, { errors: [{ field, code: error.reason, message: error.message }] });
  }
}
