import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { newFolder, removeFolders } from '../../../../test/support/embedded-folders';
import { takeOwnerLock } from './owner-lock';

const namespace = existsSync('/proc/self/ns/pid') ? readlinkSync('/proc/self/ns/pid') : 'machine';

afterAll(removeFolders);

describe('the lock of a data folder', () => {
  it('has one owner until it is released', async () => {
    const folder = newFolder();
    const lock = await takeOwnerLock(folder);
    await expect(takeOwnerLock(folder)).rejects.toThrow(`Another CPGateway (pid ${process.pid}) already uses this folder: ${folder}`);
    lock.release();
    expect(existsSync(join(folder, 'postgres.lock'))).toBe(false);
    (await takeOwnerLock(folder)).release();
  });

  it.each([
    ['of a process that is gone', `999999999 ${namespace} earlier-boot:1\n`],
    ['of an earlier process with our id', `${process.pid} ${namespace} earlier-boot:1\n`],
    ['of an earlier process 1', `1 ${namespace} earlier-boot:1\n`],
    ['of a process in a container that has died just now', '1 pid:[1] boot:1\n'],
    ['that was never written', ''],
    ['that is damaged', 'damaged'],
  ])('%s goes to exactly one of those who ask', async (_case, content) => {
    const folder = newFolder();
    writeFileSync(join(folder, 'postgres.lock'), content);
    const results = await Promise.allSettled([takeOwnerLock(folder), takeOwnerLock(folder), takeOwnerLock(folder)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(readdirSync(folder)).toEqual(['postgres.lock']);
  });

  it('stays with an owner in another container while that one touches it', async () => {
    const folder = newFolder();
    const path = join(folder, 'postgres.lock');
    writeFileSync(path, '1 pid:[1] boot:1\n');
    const touch = setInterval(() => utimesSync(path, new Date(), new Date()), 500);
    await expect(takeOwnerLock(folder)).rejects.toThrow('Another CPGateway (pid 1 in another container) already uses this folder');
    clearInterval(touch);
  });

  it('of a container that died long ago is not waited for', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'postgres.lock'), '1 pid:[1] boot:1\n');
    utimesSync(join(folder, 'postgres.lock'), 0, 0);
    const before = Date.now();
    (await takeOwnerLock(folder)).release();
    expect(Date.now() - before).toBeLessThan(2000);
  });

  it('is touched by its owner, so that other containers can tell', async () => {
    const folder = newFolder();
    const path = join(folder, 'postgres.lock');
    const lock = await takeOwnerLock(folder);
    utimesSync(path, 0, 0);
    for await (const _change of watch(folder)) if (statSync(path).mtimeMs > 0) break;
    lock.release();
  });

  it('is not released for somebody who has it now', async () => {
    const folder = newFolder();
    const lock = await takeOwnerLock(folder);
    writeFileSync(join(folder, 'postgres.lock'), 'theirs');
    lock.release();
    expect(readFileSync(join(folder, 'postgres.lock'), 'utf8')).toBe('theirs');
  });
});
