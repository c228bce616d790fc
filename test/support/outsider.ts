import { send, type SendOptions } from './send';

/** The environment of a gateway behind a proxy on this machine, so that tests can call from any address. */
export const BEHIND_PROXY = { TRUSTED_PROXIES: '127.0.0.1/32', RATE_LIMITING_ENABLED: 'false' };

let lastIp = 0;

/** An address that no other test of the suite has used. */
export function newIp(): string {
  return `203.0.113.${(lastIp += 1)}`;
}

/** What the proxy says of where a call comes from. */
export function from(ip: string): Record<string, string> {
  return { 'x-forwarded-for': ip };
}

/** One call without a credential. */
export async function knock(url: string, headers: Record<string, string>, options: SendOptions = {}) {
  const answer = await send(url, { headers, ...options });
  return { ...answer, body: JSON.parse(answer.text) as Record<string, unknown> };
}

/** Calls one after the other; answers the statuses that came back, each once. */
export async function knockOften(url: string, headers: Record<string, string>, count: number): Promise<number[]> {
  const statuses = new Set<number>();
  for (let done = 0; done < count; done += 1) statuses.add((await knock(url, headers)).status);
  return [...statuses];
}
