import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { GuardedSender, type GuardedRequest, type GuardedResponse } from './guarded-sender';
import type { OutboundPolicy } from './outbound-url';
import { SendError, toSendError } from './send-error';

const local: OutboundPolicy = { httpsOnly: false, allowPrivateNetworks: true, lookup: async () => ['127.0.0.1'] };

describe('GuardedSender', () => {
  const closers: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    await Promise.all(closers.splice(0).map((close) => close()));
  });

  function sender(policy: OutboundPolicy = local): GuardedSender {
    const made = new GuardedSender(policy);
    closers.push(() => made.close());
    return made;
  }

  async function listen<T extends Server | TcpServer>(server: T, host = '127.0.0.1'): Promise<number> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
    server.listen(0, host);
    await once(server, 'listening');
    closers.push(() => {
      sockets.forEach((socket) => socket.destroy());
      return new Promise((resolve) => server.close(resolve));
    });
    return (server.address() as AddressInfo).port;
  }

  const http = (listener: RequestListener): Promise<number> => listen(createHttpServer(listener));

  function post(url: string, options: Partial<GuardedRequest> & { policy?: OutboundPolicy } = {}): Promise<GuardedResponse> {
    const { policy, ...request } = options;
    return sender(policy).post({ url, headers: { 'content-type': 'application/json' }, body: '{}', timeoutMs: 5_000, ...request });
  }

  it('posts the body and headers and gives the answer back', async () => {
    const seen: unknown[] = [];
    const port = await http((request, response) => {
      request.setEncoding('utf8').on('data', (text) => seen.push([request.method, request.url, request.headers['webhook-id'], text]));
      request.on('end', () => response.writeHead(201, { 'X-Two': ['a', 'b'] }).end('thanks\0'));
    });
    const answer = await post(`http://receiver.example:${port}/hook?a=b`, { headers: { 'webhook-id': 'evt_1' }, body: '{"a":1}' });
    expect(seen).toEqual([['POST', '/hook?a=b', 'evt_1', '{"a":1}']]);
    expect(answer).toMatchObject({ status: 201, bodyExcerpt: 'thanks\uFFFD', headers: { 'x-two': 'a, b' } });
    expect(answer.durationMs).toBeGreaterThanOrEqual(0);
  });

  it('returns a redirect and a server error as they are', async () => {
    let requests = 0;
    const port = await http((request, response) => {
      requests += 1;
      response.writeHead(request.url === '/move' ? 307 : 500, { location: `http://receiver.example:${port}/elsewhere` }).end();
    });
    expect((await post(`http://receiver.example:${port}/move`)).status).toBe(307);
    expect((await post(`http://receiver.example:${port}/fail`)).status).toBe(500);
    expect(requests).toBe(2);
  });

  describe('refuses addresses', () => {
    async function expectNothingArrives(url: (port: number) => string, policy: OutboundPolicy): Promise<void> {
      let connections = 0;
      const server = createTcpServer(() => { connections += 1; });
      const port = await listen(server);
      await expect(post(url(port), { policy })).rejects.toMatchObject({ kind: 'refused_address' });
      expect(connections).toBe(0);
    }

    it('that a name leads to', async () => {
      await expectNothingArrives((port) => `http://receiver.example:${port}/`, { ...local, allowPrivateNetworks: false });
    });

    it('that one answer of several names', async () => {
      const lookup = async (): Promise<string[]> => ['93.184.216.34', '127.0.0.1'];
      await expectNothingArrives((port) => `http://receiver.example:${port}/`, { ...local, allowPrivateNetworks: false, lookup });
    });

    it.each(['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0'])('that are written in the URL: %s', async (host) => {
      await expectNothingArrives((port) => `http://${host}:${port}/`, { ...local, allowPrivateNetworks: false });
    });

    it('that are link-local, even where private networks are allowed', async () => {
      await expect(post('http://169.254.169.254/latest/meta-data')).rejects.toMatchObject({ kind: 'refused_address' });
      const policy = { ...local, lookup: async () => ['169.254.169.254'] };
      await expect(post('http://receiver.example/', { policy })).rejects.toMatchObject({ kind: 'refused_address' });
    });

    it('that appear between one request and the next', async () => {
      const port = await http((_request, response) => response.writeHead(200, { connection: 'close' }).end());
      const answers = [['127.0.0.1'], ['169.254.169.254']];
      const rebinding = sender({ ...local, lookup: async () => answers.shift() ?? [] });
      const request = { url: `http://receiver.example:${port}/`, headers: {}, body: '', timeoutMs: 5_000 };
      await expect(rebinding.post(request)).resolves.toMatchObject({ status: 200 });
      await expect(rebinding.post(request)).rejects.toMatchObject({ kind: 'refused_address' });
      await expect(rebinding.post(request)).rejects.toMatchObject({ kind: 'dns' });
    });

    it('and plain http where only https is allowed', async () => {
      await expectNothingArrives((port) => `http://receiver.example:${port}/`, { ...local, httpsOnly: true });
    });
  });

  it('reads no more than 4 KiB of an endless answer and hangs up', async () => {
    let written = 0;
    const closed = deferred();
    const port = await http((_request, response) => {
      const block = Buffer.alloc(64 * 1024, 'x');
      const write = (): void => {
        do {
          written += block.length;
        } while (!response.destroyed && response.write(block));
      };
      response.on('drain', write).on('close', () => closed.resolve());
      write();
    });
    const answer = await post(`http://receiver.example:${port}/`);
    await closed.promise;
    expect(answer).toMatchObject({ status: 200, bodyExcerpt: 'x'.repeat(4096) });
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  describe('keeps its deadline', () => {
    it('when the receiver never answers', async () => {
      const port = await listen(createTcpServer());
      await expect(post(`http://receiver.example:${port}/`, { timeoutMs: 150 })).rejects.toMatchObject({ kind: 'timeout' });
    });

    it('when the body drips', async () => {
      let drip: NodeJS.Timeout | undefined;
      const port = await http((_request, response) => {
        response.writeHead(200).write('.');
        drip = setInterval(() => response.write('.'), 20);
        response.on('close', () => clearInterval(drip));
      });
      await expect(post(`http://receiver.example:${port}/`, { timeoutMs: 200 })).rejects.toMatchObject({ kind: 'timeout' });
    });

    it('when the name server never answers, and sends nothing afterwards', async () => {
      let requests = 0;
      const port = await http((_request, response) => {
        requests += 1;
        response.end();
      });
      const answer = deferred<string[]>();
      const waiting = sender({ ...local, lookup: () => answer.promise });
      const request = { url: `http://receiver.example:${port}/`, headers: {}, body: '', timeoutMs: 100 };
      await expect(waiting.post(request)).rejects.toMatchObject({ kind: 'timeout' });
      answer.resolve(['127.0.0.1']);
      await expect(waiting.post({ ...request, timeoutMs: 5_000 })).resolves.toMatchObject({ status: 200 });
      expect(requests).toBe(1);
    });
  });

  it('opens at most 64 connections to one receiver and uses them again', async () => {
    let connections = 0;
    const server = createHttpServer((_request, response) => response.end());
    server.on('connection', () => { connections += 1; });
    const port = await listen(server);
    const one = sender();
    const request = { url: `http://receiver.example:${port}/`, headers: {}, body: '', timeoutMs: 5_000 };
    await Promise.all(Array.from({ length: 150 }, () => one.post(request)));
    expect(connections).toBe(64);
  });

  describe('names what went wrong', () => {
    it('with the connection', async () => {
      const server = createTcpServer();
      const port = await listen(server);
      await new Promise((resolve) => server.close(resolve));
      await expect(post(`http://receiver.example:${port}/`)).rejects.toMatchObject({
        kind: 'connect',
        message: 'The connection failed (ECONNREFUSED).',
      });
    });

    it('with a connection that is cut', async () => {
      const port = await listen(createTcpServer((socket) => socket.once('data', () => socket.destroy())));
      await expect(post(`http://receiver.example:${port}/`)).rejects.toMatchObject({ kind: 'connect' });
    });

    it('with an unwanted upgrade', async () => {
      const answer = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n';
      const port = await listen(createTcpServer((socket) => socket.once('data', () => socket.write(answer))));
      await expect(post(`http://receiver.example:${port}/`)).rejects.toMatchObject({ kind: 'connect' });
    });

    it('with an answer that is cut', async () => {
      const port = await http((_request, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy());
      });
      await expect(post(`http://receiver.example:${port}/`)).rejects.toMatchObject({ kind: 'connect' });
    });

    it('with TLS', async () => {
      const port = await http((_request, response) => response.end());
      await expect(post(`https://receiver.example:${port}/`)).rejects.toMatchObject({ kind: 'tls' });
    });

    it.each([
      ['garbage', 'SSH-2.0-OpenSSH_9.6\r\n'],
      ['endless headers', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`],
    ])('with the protocol: %s', async (_kind, answer) => {
      const port = await listen(createTcpServer((socket) => socket.once('data', () => socket.write(answer))));
      await expect(post(`http://receiver.example:${port}/`)).rejects.toMatchObject({ kind: 'protocol' });
    });

    it('with the name', async () => {
      const policy = { ...local, lookup: async () => [] };
      await expect(post('http://receiver.example/', { policy })).rejects.toMatchObject({ kind: 'dns' });
    });

    it('with a certificate', () => {
      const error = Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
      expect(toSendError(error)).toMatchObject({ kind: 'tls', cause: error });
      expect(toSendError('odd')).toBeInstanceOf(SendError);
    });
  });
});

function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => { resolve = done; });
  return { promise, resolve };
}
