import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareSettings } from './load-settings';
import { SettingsError } from './settings-error';
import type { Settings } from './settings';

const KEY = Buffer.alloc(32, 1).toString('base64');
const TOKEN_KEY = 'a-secret-of-thirty-two-characters';

let folder: string;
let dataDir: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cpg-development-'));
  dataDir = join(folder, 'data');
  file = join(dataDir, 'development.env');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function prepare(env: Record<string, string> = {}): Settings {
  return prepareSettings({ DATA_DIR: dataDir, ...env });
}

function mode(path: string): number {
  return statSync(path).mode & 0o777;
}

function problems(env: Record<string, string> = {}) {
  try {
    prepare(env);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('development.env', () => {
  it.each(['development', 'test'])('is made at the first start in %s, for this user only, and kept', (nodeEnv) => {
    const first = prepare({ NODE_ENV: nodeEnv });
    expect(first.encryptionMasterKeys).toHaveLength(1);
    expect(first.jwtSecretKeys).toEqual([expect.stringMatching(/^\S{64}$/)]);
    expect(first.webhookSecrets.generic[0].length).toBeGreaterThanOrEqual(32);
    expect(first.webhookSecrets.stripe[0]).toMatch(/^whsec_\S{32}$/);
    expect(first.webhooksAllowPrivateNetworks).toBe(true);
    expect(readFileSync(file, 'utf8')).toMatch(/^# .* to a receiver on this computer.*\nWEBHOOKS_ALLOW_PRIVATE_NETWORKS=true$/m);
    expect([mode(dataDir), mode(file)]).toEqual([0o711, 0o600]);
    expect(readdirSync(dataDir)).toEqual(['development.env']);
    expect(prepare({ NODE_ENV: nodeEnv })).toEqual(first);
  });

  it('differs from system to system', () => {
    const other = prepareSettings({ DATA_DIR: join(folder, 'other') });
    expect(prepare().encryptionMasterKeys).not.toEqual(other.encryptionMasterKeys);
    expect(prepare().jwtSecretKeys).not.toEqual(other.jwtSecretKeys);
    expect(prepare().webhookSecrets).not.toEqual(other.webhookSecrets);
  });

  it.each(['staging', 'production'])('is neither written nor read in %s', (nodeEnv) => {
    const env = { NODE_ENV: nodeEnv, PUBLIC_URL: 'https://pay.example.com', SMTP_URL: 'smtp://mail.example' };
    expect(problems(env).map(({ name }) => name)).toEqual(['ENCRYPTION_MASTER_KEY', 'JWT_SECRET_KEY']);
    expect(existsSync(dataDir)).toBe(false);
    prepare();
    expect(problems(env).map(({ name }) => name)).toEqual(['ENCRYPTION_MASTER_KEY', 'JWT_SECRET_KEY']);
    expect(prepare({ ...env, ENCRYPTION_MASTER_KEY: KEY, JWT_SECRET_KEY: TOKEN_KEY }).webhookSecrets).toEqual({ generic: [], stripe: [], tron: [] });
  });

  it('gives way to the environment and to NAME_FILE', () => {
    const made = prepare();
    const secretFile = join(folder, 'secret');
    writeFileSync(secretFile, 'from-a-secret-file\n');
    const settings = prepare({
      ENCRYPTION_MASTER_KEY: KEY, JWT_SECRET_KEY: TOKEN_KEY, WEBHOOK_SECRET_FILE: secretFile, WEBHOOKS_ALLOW_PRIVATE_NETWORKS: 'false',
    });
    expect(settings.encryptionMasterKeys).toEqual([Buffer.alloc(32, 1)]);
    expect(settings.jwtSecretKeys).toEqual([TOKEN_KEY]);
    expect(settings.webhookSecrets).toEqual({ generic: ['from-a-secret-file'], stripe: made.webhookSecrets.stripe, tron: [] });
    expect(settings.webhooksAllowPrivateNetworks).toBe(false);
  });

  it('may set other things, the first line counting, but not what has led to it', () => {
    prepare();
    writeFileSync(file, `${readFileSync(file, 'utf8')}PORT=4000\r\nPORT=5000\nNODE_ENV=production\nDATA_DIR=/elsewhere\nNOT_OURS=1\n`);
    expect(prepare()).toMatchObject({ nodeEnv: 'development', dataDir, port: 4000 });
  });

  it('gets a secret that is younger than the file, and keeps all else', () => {
    prepare();
    const old = `# mine\nENCRYPTION_MASTER_KEY=${KEY}\nWEBHOOK_SECRET=`;
    writeFileSync(file, old);
    const settings = prepare();
    expect(settings.encryptionMasterKeys).toEqual([Buffer.alloc(32, 1)]);
    expect(settings.webhookSecrets).toEqual({ generic: [], stripe: [expect.stringMatching(/^whsec_/)], tron: [] });
    expect(settings.webhooksAllowPrivateNetworks).toBe(false);
    expect(readFileSync(file, 'utf8').startsWith(`${old}\nJWT_SECRET_KEY=${settings.jwtSecretKeys[0]}\nWEBHOOK_SECRET_STRIPE=whsec_`)).toBe(true);
    expect(mode(file)).toBe(0o600);
    expect(prepare()).toEqual(settings);
  });

  it('is closed to others when its permissions have grown', () => {
    prepare();
    chmodSync(file, 0o644);
    prepare();
    expect(mode(file)).toBe(0o600);
  });

  it('with a line that cannot be read is a problem that tells where, not what', () => {
    prepare();
    writeFileSync(file, `# mine\ncanary without a name\n`);
    expect(problems()).toEqual([{ name: 'DATA_DIR', message: `holds ${file}, whose line 2 is not NAME=value` }]);
  });

  it('without a place to be is one problem among the others', () => {
    writeFileSync(dataDir, 'a file where the directory should be');
    expect(problems({ PORT: 'x' })).toEqual([
      { name: 'PORT', message: expect.any(String) },
      { name: 'DATA_DIR', message: `cannot hold ${file} (mkdir: EEXIST); expected a directory that this user may write to` },
    ]);
  });
});

describe('processes that start at the same moment', () => {
  /** Loads the TypeScript sources as they are, says that it is ready, and reads the settings of each directory at the moment it is told. */
  const child = `
    const { readFileSync } = require('node:fs');
    const { transformSync } = require('@swc/core');
    require.extensions['.ts'] = (module, name) => module._compile(transformSync(readFileSync(name, 'utf8'), {
      filename: name, swcrc: false, jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' },
    }).code, name);
    const { prepareSettings } = require('./load-settings');
    const prepareAt = ({ dataDir, at }) => {
      while (Date.now() < at);
      return prepareSettings({ DATA_DIR: dataDir });
    };
    process.once('message', (rounds) => process.send(rounds.map(prepareAt), () => process.disconnect()));
    process.send('ready');
  `;
  /** The moment is short, so it is tried in several directories. */
  let dataDirs: string[];
  beforeEach(() => { dataDirs = Array.from({ length: 20 }, (_, round) => join(folder, `data-${round}`)); });

  async function prepareTogether(count: number): Promise<unknown[]> {
    const children: ChildProcess[] = Array.from({ length: count }, () =>
      spawn(process.execPath, ['-e', child], { cwd: __dirname, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }));
    try {
      await Promise.all(children.map((each) => once(each, 'message')));
      const answers = children.map((each) => once(each, 'message'));
      const start = Date.now() + 50;
      const rounds = dataDirs.map((directory, round) => ({ dataDir: directory, at: start + round * 10 }));
      for (const each of children) each.send(rounds);
      return (await Promise.all(answers)).map(([answer]) => answer);
    } finally {
      for (const each of children) each.kill();
    }
  }

  /** What the children should have seen, in the form in which messages between processes carry it. */
  function prepareAll(): unknown {
    return JSON.parse(JSON.stringify(dataDirs.map((directory) => prepareSettings({ DATA_DIR: directory }))));
  }

  it('end with the same new secrets', async () => {
    const answers = await prepareTogether(3);
    const expected = prepareAll();
    expect(answers).toEqual([expected, expected, expected]);
    expect(dataDirs.flatMap((directory) => readdirSync(directory))).toEqual(dataDirs.map(() => 'development.env'));
  });

  it('end with the same appended secrets', async () => {
    for (const directory of dataDirs) {
      mkdirSync(directory);
      writeFileSync(join(directory, 'development.env'), `ENCRYPTION_MASTER_KEY=${KEY}\n`);
    }
    const answers = await prepareTogether(3);
    const expected = prepareAll();
    expect(answers).toEqual([expected, expected, expected]);
  });
});
