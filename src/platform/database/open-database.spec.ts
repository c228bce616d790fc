import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Client } from 'pg';
import pino from 'pino';
import { testSettings } from '../../../test/support/gateway';
import { DatabaseUnavailableError, openDatabase, withLibpqTls } from './open-database';

const silent = pino({ level: 'silent' });

describe('TLS to the database', () => {
  it('means by each sslmode what libpq means by it', () => {
    const tlsOf = (query: string) => new Client({ connectionString: withLibpqTls(`postgres://u:p@db.example/pay${query}`) }).ssl;
    expect(tlsOf('')).toBe(false);
    expect(tlsOf('?sslmode=disable')).toBe(false);
    expect(tlsOf('?sslmode=require')).toEqual({ rejectUnauthorized: false });
    expect(tlsOf('?sslmode=verify-full')).toEqual({});
    expect(() => tlsOf('?sslmode=verify-ca')).toThrow('sslrootcert');
  });

  it('leaves the rest of the address as it is', () => {
    const url = 'postgres://u:p%40ss%2F@db.example:6432/pay?sslmode=require&application_name=a%20b';
    const { password, port, database } = new Client({ connectionString: withLibpqTls(url) });
    expect([password, port, database]).toEqual(['p@ss/', 6432, 'pay']);
  });
});

describe('a database of the operator\'s own', () => {
  it('is used when it answers', async () => {
    const url = new URL(process.env.CPG_TEST_SERVER_URL!);
    url.pathname = '/postgres';
    const opened = await openDatabase(testSettings({ DATABASE_URL: url.toString() }), silent);
    expect(opened).toMatchObject({ url: url.toString(), directUrl: url.toString() });
    await opened.close();
  });

  it('that is missing, or not there, is named in one sentence without its password', async () => {
    const missing = new URL(process.env.CPG_TEST_SERVER_URL!);
    missing.pathname = '/nowhere';
    const refused = await openDatabase(testSettings({ DATABASE_URL: missing.toString() }), silent).catch((error: Error) => error);
    expect(refused).toBeInstanceOf(DatabaseUnavailableError);
    expect((refused as Error).message).toContain('database "nowhere" does not exist');
    expect((refused as Error).message).not.toContain(missing.password);

    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    free.close();
    await once(free, 'close');
    const down = testSettings({ DATABASE_URL: missing.toString(), DATABASE_DIRECT_URL: missing.toString() });
    await expect(openDatabase({ ...down, databaseUrl: `postgres://u:hidden@127.0.0.1:${port}/pay` }, silent))
      .rejects.toThrow(/^The database pay at 127\.0\.0\.1:\d+ cannot be used: connect ECONNREFUSED.*DATABASE_URL/);
  });
});
