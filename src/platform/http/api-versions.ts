import type { FastifyInstance } from 'fastify';
import type { DeprecatedVersion } from '../config/setting-types';
import { Problem } from './problem';

/** The version that an address names: `v1` of `/v1/payments`, of a route's pattern or of a raw path. */
export function apiVersionOf(path: string): string | undefined {
  return /^\/(v[0-9]{1,3})(?:[/?]|$)/.exec(path)?.[1];
}

/**
 * What answers of a version say that is to be left: since when (RFC 9745), until when (RFC 8594), and a sentence for people
 * (RFC 7234, 5.5; 299 is a lasting warning of any kind).
 */
export function deprecationHeaders({ version, deprecatedOn, sunsetOn }: DeprecatedVersion): Record<string, string> {
  const end = sunsetOn.toISOString().slice(0, 10);
  return {
    deprecation: `@${deprecatedOn.getTime() / 1000}`,
    sunset: sunsetOn.toUTCString(),
    warning: `299 - "Version ${version} of this API is deprecated and may stop answering on ${end}. Move to a newer version."`,
  };
}

/**
 * Refuses every address below a disabled version, known or not, before anybody is asked who they are. Called before the application is
 * initialised. It comes after all onRequest hooks, so that the browser applications of allowed origins can read the refusal.
 */
export function refuseDisabledVersions(fastify: FastifyInstance, disabled: readonly string[]): void {
  if (disabled.length === 0) return;
  fastify.addHook('preParsing', (request, _reply, _payload, done) => {
    const version = request.context.apiVersion;
    if (version === undefined || !disabled.includes(version)) return done();
    done(new Problem('api_version_disabled', `Version ${version} of this API has ended. Use a newer one; /openapi.json describes it.`));
  });
}
