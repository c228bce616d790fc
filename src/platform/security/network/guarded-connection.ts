import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { createHostResolver } from './host-resolver';
import { allowedAddressesOf, hostOf, isAllowedAddress, UrlNotAllowedError, type OutboundPolicy } from './outbound-url';
import { deadlineError, toSendError } from './send-error';

const CONNECTIONS_PER_ORIGIN = 64;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 4_000;

/** The policy with the resolver that it asks, where it names none. */
export function withResolver(policy: OutboundPolicy): OutboundPolicy {
  return { ...policy, lookup: policy.lookup ?? createHostResolver({ useHostsFile: policy.allowPrivateNetworks }) };
}

/**
 * Connections to addresses that somebody outside the application chose. Each is checked inside the connection set-up, on the very address
 * that the socket connects to, so that a DNS answer that changes after the URL was saved gains nothing.
 */
export function guardedAgent(policy: OutboundPolicy): Agent {
  return new Agent({
    connections: CONNECTIONS_PER_ORIGIN,
    pipelining: 1,
    // The receiver may not ask for more, or it could hold connections open for minutes.
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    keepAliveMaxTimeout: IDLE_TIMEOUT_MS,
    // The deadline of each request replaces these; they count from the last byte, which a dripping answer resets.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: guardedConnector(policy),
  });
}

/** Runs one exchange within its deadline. Throws SendError. */
export async function withDeadline<T>(timeoutMs: number, exchange: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  // undici heeds the signal only once a connection stands, so the deadline is raced as well. A request that is
  // given up while it waits for a connection is dropped by the signal and never written.
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = deadlineError(timeoutMs);
      abort.abort(error);
      reject(error);
    }, timeoutMs);
  });
  try {
    return await Promise.race([exchange(abort.signal), deadline]);
  } catch (error) {
    throw toSendError(error);
  } finally {
    clearTimeout(timer);
  }
}

function guardedConnector(policy: OutboundPolicy): buildConnector.connector {
  const connect = buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    autoSelectFamily: true,
    // Node.js gives the first of several addresses 250 ms, too little for a receiver on another continent.
    autoSelectFamilyAttemptTimeout: 1_000,
    lookup: guardedLookup(policy),
  });
  return (options, callback) => {
    // Node.js does not look up a host that is an IP address already.
    const host = hostOf(options.hostname);
    if (isIP(host) !== 0 && !isAllowedAddress(host, policy)) {
      queueMicrotask(() => callback(new UrlNotAllowedError('address'), null));
    } else {
      connect(options, callback);
    }
  };
}

function guardedLookup(policy: OutboundPolicy): LookupFunction {
  return (hostname, options, callback) => {
    void allowedAddressesOf(hostname, policy).then((addresses) => {
      const found = addresses.map((address) => ({ address, family: isIP(address) }));
      if (options.all) {
        callback(null, found);
      } else {
        callback(null, found[0].address, found[0].family);
      }
    }, (error: NodeJS.ErrnoException) => callback(error, ''));
  };
}
