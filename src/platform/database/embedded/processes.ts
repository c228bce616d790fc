import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A system account that processes are started under. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
}

export interface RunResult {
  /** Exit code; null when the program could not be started or was ended by a signal. */
  code: number | null;
  /** Standard output and standard error together, or the reason why the program could not be started. */
  output: string;
}

/**
 * What the server's programs see of the environment: nothing of ours, because ours holds secrets, and texts in English, because some
 * of them are read. Windows adds by itself what its programs need.
 */
export const PLAIN_ENVIRONMENT = { LC_ALL: 'C', PATH: '/usr/local/bin:/usr/bin:/bin' };

/** The identity part of the options of `spawn`: nothing when the process shall run as ourselves. */
export function asAccount(account: Account | undefined): { uid?: number; gid?: number } {
  return account ? { uid: account.uid, gid: account.gid } : {};
}

/** Runs a program to its end, without a shell, and never rejects. */
export function run(file: string, args: string[], account: Account | undefined, input = ''): Promise<RunResult> {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(file, args, { ...asAccount(account), cwd: '/', env: PLAIN_ENVIRONMENT, windowsHide: true });
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', (error) => resolve({ code: null, output: error.message }));
    child.on('close', (code) => resolve({ code, output: output.trim() }));
    // A program that ends before it has read its input breaks the pipe; its exit code tells the story.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** Whether some process has that id at this moment. One that we may not signal counts. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function ps(pid: number, column: string): string | undefined {
  try {
    return execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

function linuxMark(pid: number): string | undefined {
  try {
    // The name in brackets may hold spaces and brackets itself: the fields are counted from behind it (proc(5): state is the third
    // field, the start time in clock ticks since boot the 22nd).
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields[19]}`;
  } catch {
    return undefined;
  }
}

/**
 * A mark of the living process with that id, which no later process with the same id shares; undefined when there is no such process.
 * It tells a process from another one that was given the same id later: after a reboot, or as process 1 of the next container.
 */
export function processMark(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0 || !exists(pid)) return undefined;
  if (process.platform === 'linux') return linuxMark(pid);
  // Windows tells the start of a process only to heavier tools; there the id alone has to do.
  return process.platform === 'win32' ? 'alive' : ps(pid, 'lstart');
}

/** What a living process was started as; undefined when that cannot be seen. */
export function commandOf(pid: number): { program: string; line: string } | undefined {
  if (process.platform === 'win32') return undefined;
  if (process.platform !== 'linux') return { program: ps(pid, 'comm') ?? '', line: ps(pid, 'command') ?? '' };
  try {
    const parts = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return { program: parts[0] ?? '', line: parts.join(' ') };
  } catch {
    return undefined;
  }
}
