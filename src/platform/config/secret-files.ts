import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { secretNames } from './settings';
import type { SettingsProblem } from './settings-error';

/** Environment variables: what is not set is missing or undefined. */
export type Environment = Record<string, string | undefined>;

/**
 * The secrets that are given as `NAME_FILE`, read from their files; one line break at the end is dropped, as editors and `echo` add it.
 * Problems name the setting and the path, never the content.
 */
export function readSecretFiles(env: Environment): { values: Environment; problems: SettingsProblem[] } {
  const values: Environment = {};
  const problems: SettingsProblem[] = [];
  for (const name of secretNames) {
    const path = env[`${name}_FILE`];
    if (!path) continue;
    try {
      if (env[name]) throw new Error(`is set twice, as ${name} and as ${name}_FILE; expected only one of them`);
      values[name] = readSecretFile(name, path);
    } catch (error) {
      problems.push({ name, message: (error as Error).message });
    }
  }
  return { values, problems };
}

function readSecretFile(name: string, path: string): string {
  let content: string;
  try {
    content = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new Error(`${name}_FILE names ${shown(path)}, which cannot be read (${reason}); expected a file that this user may read`);
  }
  if (content === '') throw new Error(`${name}_FILE names ${shown(path)}, which is empty; expected a file that holds only the secret`);
  return content;
}

/** A secret put into NAME_FILE by mistake does not look like a path, and is not repeated. */
function shown(path: string): string {
  return isAbsolute(path) || path.startsWith('.') ? path : 'a file by a relative name';
}
