import { lookup, Resolver } from 'node:dns/promises';

/** Gives every IPv4 and IPv6 address of a host name; an empty list or a rejection means that there is none. */
export type ResolveHost = (hostname: string) => Promise<string[]>;

/**
 * Makes the function that asks the DNS for a name that came from outside.
 * The system's own resolver runs on a few threads that database and provider connections need as well, so somebody
 * else's slow name server could hold them up; the DNS client used here waits on sockets and gives up after seconds.
 * It does not read the hosts file, which development and compose set-ups rely on: `useHostsFile` takes the system's.
 */
export function createHostResolver({ useHostsFile }: { useHostsFile: boolean }): ResolveHost {
  return useHostsFile ? resolveBySystem : resolveByDns(new Resolver({ timeout: 2_000, tries: 2 }));
}

/** Asks for both families at once. One that fails does not matter as long as the other has an answer. */
export function resolveByDns(resolver: Pick<Resolver, 'resolve4' | 'resolve6'>): ResolveHost {
  return async (hostname) => {
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  };
}

async function resolveBySystem(hostname: string): Promise<string[]> {
  const answers = await lookup(hostname, { all: true });
  return answers.map(({ address }) => address);
}
