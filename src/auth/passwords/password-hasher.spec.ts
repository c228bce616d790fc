import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { compareSync, getRounds, hashSync } from 'bcrypt';
import { PasswordHasher } from './password-hasher';
import { startPasswordWorker } from './password-worker';

jest.mock('./password-worker', () => {
  const { startPasswordWorker: start } = jest.requireActual<typeof import('./password-worker')>('./password-worker');
  return { startPasswordWorker: jest.fn(start) };
});

const started = jest.mocked(startPasswordWorker);
const quickHashOf = (password: string) => hashSync(password, 4);

function newestWorker(): Worker {
  return started.mock.results.at(-1)!.value as Worker;
}

describe('PasswordHasher', () => {
  let hasher: PasswordHasher;

  beforeEach(() => {
    started.mockClear();
    hasher = new PasswordHasher();
  });

  afterEach(() => hasher.onApplicationShutdown());

  it('hashes with bcrypt at cost 12 and a salt of its own, and knows the password again', async () => {
    const [first, second] = await Promise.all([hasher.hash('lamp in the kitchen'), hasher.hash('lamp in the kitchen')]);
    expect(getRounds(first)).toBe(12);
    expect(first).not.toBe(second);
    expect(compareSync('lamp in the kitchen', first)).toBe(true);
    expect(await hasher.matches('lamp in the kitchen', first)).toBe(true);
    expect(await hasher.matches('lamp in the Kitchen', first)).toBe(false);
    expect(started).toHaveBeenCalledTimes(1);
  });

  it.each(['pässwörter 😀 und mehr', 'with a\u0000zero inside'])('takes any characters: %j', async (password) => {
    const hash = quickHashOf(password);
    expect(await hasher.matches(password, hash)).toBe(true);
    expect(await hasher.matches(password.slice(0, -1), hash)).toBe(false);
  });

  it('takes 72 bytes and refuses 73 without asking bcrypt, which would cut them', async () => {
    const longest = 'é'.repeat(36);
    const hash = quickHashOf(longest);
    expect(compareSync(`${longest}x`, hash)).toBe(true);
    expect(await hasher.matches(longest, hash)).toBe(true);
    started.mockClear();
    const other = new PasswordHasher();
    expect(await other.matches(`${longest}x`, hash)).toBe(false);
    expect(await other.matches(`${longest}x`, null)).toBe(false);
    await expect(other.hash(`${longest}x`)).rejects.toThrow(RangeError);
    expect(started).not.toHaveBeenCalled();
  });

  it('spends a hash of the same cost where there is nobody, and is false', async () => {
    await hasher.matches('warm', quickHashOf('warm'));
    const post = jest.spyOn(newestWorker(), 'postMessage');
    expect(await hasher.matches('whatever', null)).toBe(false);
    expect(getRounds((post.mock.calls[0]![0] as { hash: string }).hash)).toBe(12);
  });

  it('leaves the event loop free and yields to other threads', async () => {
    let turns = 0;
    let counting = true;
    const turn = () => { turns += 1; if (counting) setImmediate(turn); };
    const hashed = hasher.hash('lamp in the kitchen');
    turn();
    await hashed;
    counting = false;
    expect(turns).toBeGreaterThan(20);
    const isLinux = process.platform === 'linux';
    expect(isLinux ? nicenessOfThreads().filter((nice) => nice === 10) : [10]).toHaveLength(1);
  });

  it('lets 64 wait and sends the next away for a while', async () => {
    const hash = quickHashOf('x');
    const all = Array.from({ length: 66 }, () => hasher.matches('x', hash));
    await expect(all[65]).rejects.toMatchObject({ code: 'rate_limited', status: 429, headers: { 'retry-after': '5' } });
    expect(await Promise.all(all.slice(0, 65))).toEqual(Array.from({ length: 65 }, () => true));
    expect(await hasher.matches('x', hash)).toBe(true);
  });

  it('fails what a dying thread was computing, and computes the rest in a new one', async () => {
    const lost = hasher.hash('lamp in the kitchen');
    const later = hasher.matches('x', quickHashOf('x'));
    await Promise.all([newestWorker().terminate(), expect(lost).rejects.toThrow('the thread for password hashes has ended')]);
    expect(await later).toBe(true);
    expect(started).toHaveBeenCalledTimes(2);
  });

  it('fails those who wait when it cannot start a thread, one by one, and gets over it', async () => {
    started.mockImplementationOnce(() => { throw new Error('no threads left'); });
    await expect(hasher.hash('lamp in the kitchen')).rejects.toThrow('no threads left');
    expect(await hasher.matches('x', quickHashOf('x'))).toBe(true);
  });

  it('tells what bcrypt objects to', async () => {
    await expect(hasher.matches('x', 5 as unknown as string)).rejects.toThrow('must be a string');
    expect(await hasher.matches('x', 'no hash')).toBe(false);
  });

  it('ends with the application and fails those who wait', async () => {
    const all = [hasher.hash('lamp in the kitchen'), hasher.hash('lamp in the kitchen')];
    const ended = Promise.allSettled(all);
    await hasher.onApplicationShutdown();
    expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('keeps a process alive for an answer that somebody waits for, and no longer', async () => {
    const code = `const { PasswordHasher } = require('./src/auth/passwords/password-hasher');
      const hasher = new PasswordHasher();
      void hasher.matches('x', '').then(() => hasher.hash('lamp in the kitchen')).then((hash) => process.stdout.write(hash));`;
    const options = { cwd: join(__dirname, '../../..'), timeout: 25_000 };
    const { stdout } = await promisify(execFile)(process.execPath, ['-r', '@swc-node/register', '-e', code], options);
    expect(getRounds(stdout)).toBe(12);
  });
});

/** Field 19 of /proc/<pid>/task/<thread>/stat; the name in field 2 may hold spaces, so the fields are counted from behind it. */
function nicenessOfThreads(): number[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}
