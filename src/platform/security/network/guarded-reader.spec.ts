import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GuardedReader } from './guarded-reader';
import type { OutboundPolicy } from './outbound-url';

const local: OutboundPolicy = { httpsOnly: false, allowPrivateNetworks: true, lookup: async () => ['127.0.0.1'] };

describe('GuardedReader', () => {
  let server: Server;
  let port: number;
  let requests: string[];
  let answer: RequestListener;

  beforeAll(async () => {
    server = createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`);
      answer(request, response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  beforeEach(() => {
    requests = [];
    answer = (_request, response) => response.end('203.0.113.7\n');
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const read = async (change: { url?: string; maxBytes?: number; timeoutMs?: number; policy?: Partial<OutboundPolicy> } = {}) => {
    const { policy, ...download } = change;
    const reader = new GuardedReader({ ...local, ...policy });
    try {
      const { status, body } = await reader.get({ url: `http://feeds.example:${port}/list.txt?v=1`, maxBytes: 100, timeoutMs: 5_000, ...download });
      return [status, body.toString()];
    } finally {
      await reader.destroy();
    }
  };

  it('gets what is there, up to its limit and not a byte more', async () => {
    expect(await read()).toEqual([200, '203.0.113.7\n']);
    expect(requests).toEqual(['GET /list.txt?v=1']);
    expect(await read({ maxBytes: 12 })).toEqual([200, '203.0.113.7\n']);
    await expect(read({ maxBytes: 11 })).rejects.toMatchObject({ kind: 'protocol', message: 'The answer is larger than 11 bytes.' });
  });

  it('hangs up on an answer without end', async () => {
    const closed = new Promise((resolve) => {
      answer = (_request, response) => {
        const block = Buffer.alloc(64 * 1024, 'x');
        const write = (): void => { while (!response.destroyed && response.write(block)); };
        response.on('drain', write).on('close', resolve);
        write();
      };
    });
    await expect(read({ maxBytes: 1_000_000 })).rejects.toMatchObject({ kind: 'protocol' });
    await closed;
  });

  it('does not follow where it is sent', async () => {
    answer = (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1/admin' }).end();
    expect(await read()).toEqual([302, '']);
    expect(requests).toHaveLength(1);
  });

  it('does not unpack what it did not ask for packed', async () => {
    answer = (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('bomb');
    await expect(read()).rejects.toMatchObject({ kind: 'protocol' });
  });

  it('keeps its deadline when the answer drips', async () => {
    answer = (_request, response) => {
      response.write('.');
      const drip = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(drip));
    };
    await expect(read({ timeoutMs: 200 })).rejects.toMatchObject({ kind: 'timeout' });
  });

  it('reaches no private network where that is not allowed, by name, by address, or after the name was checked', async () => {
    const guarded = { allowPrivateNetworks: false };
    await expect(read({ policy: guarded })).rejects.toMatchObject({ kind: 'refused_address' });
    for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '10.0.0.1', '169.254.169.254', '[64:ff9b::7f00:1]', '100.64.0.1']) {
      await expect(read({ policy: guarded, url: `http://${host}:${port}/` })).rejects.toMatchObject({ kind: 'refused_address' });
    }
    await expect(read({ policy: { lookup: async () => ['169.254.169.254'] } })).rejects.toMatchObject({ kind: 'refused_address' });
    await expect(read({ policy: { httpsOnly: true } })).rejects.toMatchObject({ kind: 'refused_address' });
    expect(requests).toEqual([]);
  });
});
