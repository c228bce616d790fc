import { createConnection, type Socket } from 'node:net';

/** What a run measured. Latencies are in milliseconds. */
export interface LoadResult {
  requests: number;
  seconds: number;
  perSecond: number;
  p50: number;
  p99: number;
  slowest: number;
  statuses: Record<number, number>;
}

/**
 * Sends prepared requests over keep-alive connections, one at a time on each, and reads the answers by their length.
 * A bare socket costs a fraction of an HTTP client, so that the machine's cores serve what is measured.
 */
export async function load(port: number, requests: readonly Buffer[], connections: number): Promise<LoadResult> {
  const latencies: number[] = [];
  const statuses: Record<number, number> = {};
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: connections }, () =>
      converse(port, () => requests[next++], (status, milliseconds) => {
        latencies.push(milliseconds);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }),
    ),
  );
  const seconds = (performance.now() - started) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { requests: latencies.length, seconds, perSecond: latencies.length / seconds, p50: at(0.5), p99: at(0.99), slowest: latencies.at(-1) ?? 0, statuses };
}

function converse(port: number, take: () => Buffer | undefined, answered: (status: number, milliseconds: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = createConnection({ port, host: '127.0.0.1', noDelay: true });
    let sentAt = 0;
    let received: Buffer = Buffer.alloc(0);
    const send = () => {
      const request = take();
      if (!request) {
        socket.end();
        resolve();
        return;
      }
      sentAt = performance.now();
      socket.write(request);
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const head = received.toString('latin1', 0, headEnd);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (received.length < headEnd + 4 + length) return;
      received = Buffer.alloc(0);
      answered(Number(head.slice(9, 12)), performance.now() - sentAt);
      send();
    });
  });
}

/** The result, if every answer had the expected status; a benchmark of refusals would measure nothing. */
export function mustAll(result: LoadResult, status: number, what: string): LoadResult {
  if (result.statuses[status] !== result.requests) throw new Error(`${what}: expected only ${status}, got ${JSON.stringify(result.statuses)}`);
  return result;
}
