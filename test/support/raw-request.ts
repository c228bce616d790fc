import { connect } from 'node:net';

export interface RawAnswer {
  status: number;
  headers: Headers;
  text: string;
  body: Record<string, unknown> | undefined;
}

/**
 * Sends bytes as they are, for requests that no HTTP library would write, and reads the first answer. The parts go out one after
 * the other with a pause between them, as over a slow line. Ask with `Connection: close`, or the server keeps the line open.
 */
export function rawRequest(url: string, parts: readonly (string | Buffer)[], pauseMs = 20): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => void send());
    const received: Buffer[] = [];
    const send = async () => {
      for (const [at, part] of parts.entries()) {
        if (at > 0) await new Promise((done) => setTimeout(done, pauseMs));
        socket.write(part);
      }
    };
    socket.setTimeout(10_000, () => socket.destroy(new Error('the server did not answer within 10 s')));
    socket.on('data', (chunk) => received.push(chunk));
    // A server that has answered may cut the line while the rest is still being sent.
    socket.on('error', (error) => (received.length === 0 ? reject(error) : undefined));
    socket.on('close', () => {
      try {
        resolve(parse(Buffer.concat(received).toString('utf8')));
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** A request line and headers as they go over the wire, with the host and without keep-alive. */
export function requestLines(first: string, ...headers: string[]): string {
  return [first, 'Host: gateway', 'Connection: close', ...headers, '', ''].join('\r\n');
}

function parse(answer: string): RawAnswer {
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) throw new Error(`this is no HTTP answer: ${JSON.stringify(answer.slice(0, 200))}`);
  const [statusLine, ...lines] = answer.slice(0, end).split('\r\n');
  const headers = new Headers(lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
  const text = answer.slice(end + 4);
  let body: RawAnswer['body'];
  try {
    body = JSON.parse(text) as RawAnswer['body'];
  } catch {
    body = undefined;
  }
  return { status: Number(statusLine.split(' ')[1]), headers, text, body };
}
