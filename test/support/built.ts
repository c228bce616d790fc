import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const ROOT = resolve(__dirname, '../..');
const STAMP = join(ROOT, 'dist/.built-for-tests');
const LOCK = join(ROOT, 'node_modules/.cpgateway-build.lock');
/** Loaded before a built program, it spares it most of the compiling. */
export const CODE_CACHE = join(__dirname, 'code-cache.cjs');
const LOCK_TIMEOUT_MS = 180_000;

/**
 * The folder with the built programs, built anew when a source is younger than they are. Suites that ask at the same moment
 * take turns.
 */
export async function built(): Promise<string> {
  while (!isFresh()) {
    if (!takeLock()) {
      await pause(200);
      continue;
    }
    try {
      const startedAt = new Date();
      execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
      execFileSync(process.execPath, [CODE_CACHE], { stdio: ['ignore', 'pipe', 'pipe'] });
      writeFileSync(STAMP, '');
      // What was changed while it was built is younger than the stamp.
      utimesSync(STAMP, startedAt, startedAt);
      break;
    } finally {
      rmSync(LOCK, { recursive: true, force: true });
    }
  }
  return join(ROOT, 'dist/src');
}

function isFresh(): boolean {
  if (!existsSync(STAMP)) return false;
  const builtAt = statSync(STAMP).mtimeMs;
  const files = ['src', 'migrations'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(ROOT, folder, name)),
  );
  // The cache holds the packages too.
  files.push(CODE_CACHE, join(ROOT, 'node_modules/.package-lock.json'));
  return files.every((file) => file.endsWith('.spec.ts') || !/\.(ts|cjs|sql|json)$/.test(file) || statSync(file).mtimeMs <= builtAt);
}

/** A lock that is older than any build was left behind by one that was killed. */
function takeLock(): boolean {
  try {
    mkdirSync(LOCK);
    return true;
  } catch {
    const age = Date.now() - (statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > LOCK_TIMEOUT_MS) rmSync(LOCK, { recursive: true, force: true });
    return false;
  }
}
