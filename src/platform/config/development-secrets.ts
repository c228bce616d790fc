import { randomBytes } from 'node:crypto';
import { appendFileSync, chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from './secret-files';
import { settingNames } from './settings';
import type { SettingsProblem } from './settings-error';

const FILE_NAME = 'development.env';

/** What a developer's machine makes up for itself, so that a first start needs no settings. */
const GENERATED: Record<string, () => string> = {
  ENCRYPTION_MASTER_KEY: () => randomBytes(32).toString('base64'),
  JWT_SECRET_KEY: () => randomBytes(48).toString('base64url'),
  WEBHOOK_SECRET: () => randomBytes(32).toString('base64url'),
  WEBHOOK_SECRET_STRIPE: () => `whsec_${randomBytes(24).toString('base64url')}`,
};

const HEADER = `# Settings of this computer's development system, made at its first start. Never used in staging and production.
# Lines are NAME=value; the first line of a name counts. A setting in the environment wins over this file. Any setting of .env.example may
# stand here, except NODE_ENV and DATA_DIR. An empty value leaves the setting unset, and a source of webhooks without a secret is off.

# Lets webhooks be delivered to a receiver on this computer or in the local network. Refused in staging and production.
WEBHOOKS_ALLOW_PRIVATE_NETWORKS=true

# Secrets. Without ENCRYPTION_MASTER_KEY, what this system has stored encrypted cannot be read again.
`;

/**
 * The settings in `dataDir/development.env`. The file is created when it is missing, secrets that it lacks are appended, and permissions
 * wider than 0600 are tightened. Processes that start at the same moment all end with the same values.
 * @param dataDir absolute path; created with mode 0711 when it is missing
 */
export function readDevelopmentFile(dataDir: string): { values: Environment; problems: SettingsProblem[] } {
  const path = join(dataDir, FILE_NAME);
  try {
    // Others may pass through but not look: the embedded database, which must not run as root, lives below. The files are 0600.
    mkdirSync(dataDir, { recursive: true, mode: 0o711 });
    if (!existsSync(path)) create(path);
    tighten(path);
    const { values, wrongLines } = complete(path);
    const problems = wrongLines.map((line) => ({ name: 'DATA_DIR', message: `holds ${path}, whose line ${line} is not NAME=value` }));
    return { values: pickSettings(values), problems };
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const message = `cannot hold ${path} (${syscall ?? 'access'}: ${code}); expected a directory that this user may write to`;
    return { values: {}, problems: [{ name: 'DATA_DIR', message }] };
  }
}

function create(path: string): void {
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(draft, HEADER + generate(Object.keys(GENERATED)), { mode: 0o600, flag: 'wx', flush: true });
    // A link appears with its whole content or not at all, and unlike a rename it never replaces the file of a process that came first.
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function tighten(path: string): void {
  // Windows has no such modes and reports every file as open to all.
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
}

/** Appends secrets that are younger than the file. When two processes do so at once, both read the file again and obey its first line. */
function complete(path: string): ParsedFile {
  const parsed = parse(readFileSync(path, 'utf8'));
  const missing = Object.keys(GENERATED).filter((name) => parsed.values[name] === undefined);
  if (missing.length === 0) return parsed;
  appendFileSync(path, `\n${generate(missing)}`, { flush: true });
  return parse(readFileSync(path, 'utf8'));
}

function generate(names: string[]): string {
  return names.map((name) => `${name}=${GENERATED[name]()}\n`).join('');
}

interface ParsedFile {
  values: Record<string, string>;
  /** Numbers of the lines that say nothing, from 1. */
  wrongLines: number[];
}

function parse(text: string): ParsedFile {
  const parsed: ParsedFile = { values: {}, wrongLines: [] };
  text.split(/\r?\n/).forEach((line, index) => {
    if (/^\s*(#|$)/.test(line)) return;
    const [, name, value] = /^\s*([A-Z0-9_]+)\s*=(.*)$/.exec(line) ?? [];
    if (name === undefined) parsed.wrongLines.push(index + 1);
    else parsed.values[name] ??= value.trim();
  });
  return parsed;
}

/** NODE_ENV and DATA_DIR have led to this file, so it cannot change them. */
function pickSettings(values: Record<string, string>): Environment {
  const names = settingNames.filter((name) => name !== 'NODE_ENV' && name !== 'DATA_DIR');
  return Object.fromEntries(names.filter((name) => values[name]).map((name) => [name, values[name]]));
}
