import type { Settings } from '../config/settings';
import { deprecationHeaders } from './api-versions';

export type Headers = Readonly<Record<string, string>>;

/** A year of nothing but TLS for this host and all below it (RFC 6797). */
const STRICT_TRANSPORT = 'max-age=31536000; includeSubDomains';

/** What browsers are told with every answer, also with refusals: guess no types, show it in no frame, leak no address, use no device. */
export function securityHeaders({ nodeEnv, isProductionLike }: Pick<Settings, 'nodeEnv' | 'isProductionLike'>): Headers {
  return {
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'x-xss-protection': '1; mode=block',
    'referrer-policy': 'strict-origin-when-cross-origin',
    'permissions-policy': 'geolocation=(), microphone=(), camera=()',
    ...(isProductionLike ? { 'strict-transport-security': STRICT_TRANSPORT } : {}),
    // An answer of the API is data: nothing in it may load or run. The page at /docs brings a policy of its own.
    ...(nodeEnv === 'production' ? { 'content-security-policy': "default-src 'none'; frame-ancestors 'none'" } : {}),
  };
}

/**
 * The headers that every answer starts with, by the version of the API that was called. All of them are built here, once: the
 * look-up is on the way of every request. What lies below a version holds money and personal data and is kept by no cache.
 */
export function answerHeaders(settings: Settings): (version: string | undefined) => Headers {
  const everywhere = securityHeaders(settings);
  const versioned: Headers = { ...everywhere, 'cache-control': 'no-store' };
  const deprecated = new Map(
    settings.deprecatedApiVersions.map((entry) => [entry.version, { ...versioned, ...deprecationHeaders(entry) }]),
  );
  return (version) => (version === undefined ? everywhere : (deprecated.get(version) ?? versioned));
}
