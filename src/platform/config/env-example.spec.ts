import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadSettings } from './load-settings';
import { secretNames, settingNames } from './settings';

const example = readFileSync(join(__dirname, '../../../.env.example'), 'utf8');
const lines = [...example.matchAll(/^([A-Z0-9_]+)=(.*)$/gm)].map(([, name, value]) => ({ name, value }));
const values = Object.fromEntries(lines.map(({ name, value }) => [name, value]));

/** The comment above a setting. */
function explanation(name: string): string {
  const above = example.slice(0, example.search(new RegExp(`^${name}=`, 'm'))).trimEnd().split('\n\n').at(-1) ?? '';
  return above.split('\n').every((line) => line.startsWith('# ')) ? above : '';
}

describe('.env.example', () => {
  it('names exactly the settings that exist, each once', () => {
    expect(lines.map(({ name }) => name).toSorted()).toEqual(settingNames.toSorted());
  });

  it('holds nothing but settings and comments', () => {
    const others = example.split('\n').filter((line) => !/^(#.*|[A-Z0-9_]+=.*|)$/.test(line));
    expect(others).toEqual([]);
  });

  it.each(settingNames)('explains %s', (name) => {
    expect(explanation(name)).toMatch(/[a-z]{3}.*\./s);
  });

  it('shows the true defaults', () => {
    const keys = { ENCRYPTION_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'), JWT_SECRET_KEY: 'x'.repeat(32) };
    expect(loadSettings({ ...values, ...keys })).toEqual(loadSettings(keys));
  });

  it('leaves every secret empty and tells its NAME_FILE, and no other', () => {
    for (const name of settingNames) {
      const isSecret = secretNames.some((secret) => secret === name);
      expect({ name, marked: explanation(name).includes('[secret]'), file: explanation(name).includes(`${name}_FILE`) })
        .toEqual({ name, marked: isSecret, file: isSecret });
      if (isSecret) expect(values[name]).toBe('');
    }
  });
});
