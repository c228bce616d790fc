import { UrlNotAllowedError } from './outbound-url';

/** What kept a request from being answered. */
export type SendFailure = 'timeout' | 'refused_address' | 'dns' | 'connect' | 'tls' | 'protocol';

/** A request that got no usable answer. The message is fit to be shown to the owner of the receiver. */
export class SendError extends Error {
  constructor(readonly kind: SendFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SendError';
  }
}

/** Codes of Node.js, OpenSSL and undici, read from top to bottom; the first row that fits decides. */
const FAILURES: readonly { codes: RegExp; kind: SendFailure; text: string }[] = [
  { codes: /^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/, kind: 'timeout', text: 'The receiver could not be reached in time' },
  { codes: /^(UND_ERR_SOCKET|UND_ERR_DESTROYED|UND_ERR_CLOSED)$/, kind: 'connect', text: 'The connection was cut' },
  {
    codes: /^(ERR_TLS|ERR_SSL|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_|EPROTO)/,
    kind: 'tls',
    text: 'The secure connection could not be set up',
  },
  { codes: /^(HPE_|HTTPParserError|UND_ERR_)/, kind: 'protocol', text: 'The receiver did not answer with valid HTTP' },
  { codes: /^/, kind: 'connect', text: 'The connection failed' },
];

/** The deadline of one request has passed, whatever it was doing. */
export function deadlineError(timeoutMs: number): SendError {
  return new SendError('timeout', `The receiver did not answer completely within ${timeoutMs / 1000} seconds.`);
}

/** Sorts whatever the network layers threw into one of the six kinds. */
export function toSendError(error: unknown): SendError {
  if (error instanceof SendError) {
    return error;
  }
  if (error instanceof UrlNotAllowedError) {
    return new SendError(error.reason === 'unresolvable' ? 'dns' : 'refused_address', error.message, error);
  }
  const code = codeOf(error);
  const failure = FAILURES.find(({ codes }) => codes.test(code))!;
  return new SendError(failure.kind, code === '' ? `${failure.text}.` : `${failure.text} (${code}).`, error);
}

/** undici's parser errors carry no code when the answer is not HTTP at all, only their name. */
function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return [code, name].find((value) => typeof value === 'string') as string | undefined ?? '';
}
