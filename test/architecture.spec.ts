import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Controller, Get, Module } from '@nestjs/common';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import ts from 'typescript';
import { PolicyRegistry } from '../src/platform/http/policy-registry';
import { PROBLEMS } from '../src/platform/http/problem';
import { TestDatabase } from './support/database';

const ROOT = path.resolve(__dirname, '..');
const CRUISER = path.join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

interface Violation {
  from: string;
  to: string;
  rule: { name: string };
}

/** Runs the dependency rules over folders and answers what breaks them, one line each. */
function cruise(cwd: string, folders: string[]): Promise<string[]> {
  const options = ['--config', path.join(ROOT, '.dependency-cruiser.js'), '--output-type', 'json', ...folders];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [CRUISER, ...options], { cwd, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      try {
        const { summary } = JSON.parse(stdout) as { summary: { violations: Violation[]; totalCruised: number } };
        expect(summary.totalCruised).toBeGreaterThan(0);
        resolve(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`));
      } catch {
        reject(new Error(`dependency-cruiser failed: ${stderr}${error?.message ?? ''}`));
      }
    });
  });
}

function filesOf(folder: string, suffix: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
    .sort();
}

const textOf = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const sources = [...filesOf('src', '.ts'), ...filesOf('migrations', '.ts'), ...filesOf('test', '.ts')];
const shipped = sources.filter((file) => file.startsWith('src/') && !file.endsWith('.spec.ts'));

/** The lines of the given files that match, as `file:line`. */
function linesThat(files: readonly string[], pattern: RegExp): string[] {
  return files.flatMap((file) => textOf(file).split('\n').flatMap((line, at) => (pattern.test(line) ? [`${file}:${at + 1}`] : [])));
}

const trees = new Map<string, ts.SourceFile>();

/** The syntax of a file, read once for all who walk it. */
function treeOf(file: string): ts.SourceFile {
  const known = trees.get(file);
  if (known) return known;
  const tree = ts.createSourceFile(file, textOf(file), ts.ScriptTarget.ES2022, true);
  trees.set(file, tree);
  return tree;
}

/** Walks the syntax of the given files; the visitor answers what is wrong with a node. */
function syntaxFaults(files: readonly string[], visit: (node: ts.Node) => string | undefined): string[] {
  return files.flatMap((file) => {
    const source = treeOf(file);
    const faults: string[] = [];
    const walk = (node: ts.Node): void => {
      const fault = visit(node);
      if (fault) faults.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${fault}`);
      ts.forEachChild(node, walk);
    };
    walk(source);
    return faults;
  });
}

describe('rooms', () => {
  it('import only what stands above them, without cycles', async () => {
    expect(await cruise(ROOT, ['src', 'migrations'])).toEqual([]);
  }, 60_000);

  it('would be caught importing against the arrows', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'cpgateway-arrows-'));
    const files: Record<string, string> = {
      'tsconfig.json': textOf('tsconfig.json'),
      'src/money/money.ts': "import type { Payment } from '../payments/payment';\nexport type Money = Payment;\n",
      'src/payments/payment.ts': "import { now } from './clock';\nexport interface Payment { id: typeof now }\n",
      'src/payments/clock.ts': "import type { Payment } from './payment';\nexport const now = (payment: Payment) => payment;\n",
      'src/clients/client.entity.ts': 'export class Client {}\n',
      'src/payments/reader.ts': "export { Client } from '../clients/client.entity';\n",
      'migrations/0001.ts': "import { now } from '../src/payments/clock';\nexport const up = now;\n",
      'src/cellar/wine.ts': "export { now } from '../payments/clock';\n",
    };
    try {
      for (const [file, text] of Object.entries(files)) {
        mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
        writeFileSync(path.join(folder, file), text);
      }
      const names = new Set((await cruise(folder, ['src', 'migrations'])).map((violation) => violation.split(':')[0]));
      expect([...names].sort()).toEqual([
        'entities-stay-in-their-room', 'every-room-is-known', 'migrations-stand-alone', 'money-imports-only-what-stands-above', 'no-cycles',
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);

  it('have no barrels, no default exports and no forwardRef', () => {
    expect(sources.filter((file) => path.basename(file) === 'index.ts')).toEqual([]);
    expect(linesThat(shipped, /^export \* |^export default |\bforwardRef\b/)).toEqual([]);
  });

  it('read the environment in platform/config only', () => {
    const outside = shipped.filter((file) => !file.startsWith('src/platform/config/'));
    expect(linesThat(outside, /\bprocess\.env\b/)).toEqual([]);
    expect(linesThat(shipped, /\bprocess\.env\b/).length).toBeGreaterThan(0);
  });
});

describe('routes', () => {
  @Controller('v1/forgotten')
  class ForgottenController {
    @Get()
    list() {
      return [];
    }
  }
  @Module({ imports: [DiscoveryModule], controllers: [ForgottenController], providers: [PolicyRegistry] })
  class ForgottenModule {}

  it('stop the start-up when one has no policy', async () => {
    const app = await NestFactory.create(ForgottenModule, new FastifyAdapter(), { logger: false, abortOnError: false });
    await expect(app.init()).rejects.toThrow('These routes have no policy: ForgottenController.list.');
    await app.close();
  });

  it('take nothing from outside that has no schema', () => {
    const faults = syntaxFaults(shipped, (node) => {
      if (!ts.isDecorator(node) || !ts.isCallExpression(node.expression)) return undefined;
      const { expression, arguments: given } = node.expression;
      if (!['Body', 'Query', 'Param'].includes(expression.getText())) return undefined;
      // A single name out of the path is plain text; its reader looks it up in a table.
      if (expression.getText() === 'Param' && given.length === 1 && ts.isStringLiteral(given[0])) return undefined;
      return given.some((argument) => /\bschema\b/.test(argument.getText())) ? undefined : `${node.getText()} has no schema`;
    });
    expect(faults).toEqual([]);
  });
});

describe('sizes', () => {
  it('files stay within 300 lines', () => {
    expect(sources.filter((file) => textOf(file).split('\n').length - 1 > 300)).toEqual([]);
  });

  it('constructors take at most six things', () => {
    const faults = syntaxFaults(shipped, (node) =>
      ts.isConstructorDeclaration(node) && node.parameters.length > 6 ? `${node.parameters.length} constructor parameters` : undefined,
    );
    expect(faults).toEqual([]);
  });

  it('money in minor units is never a number', () => {
    const faults = syntaxFaults(sources, (node) => {
      const isMember = ts.isPropertySignature(node) || ts.isPropertyDeclaration(node);
      const isTyped = isMember || ts.isParameter(node) || ts.isVariableDeclaration(node);
      if (!isTyped || node.type?.kind !== ts.SyntaxKind.NumberKeyword) return undefined;
      return node.name.getText().endsWith('Minor') ? `${node.name.getText()} is a number` : undefined;
    });
    expect(faults).toEqual([]);
  });
});

/** Tables that lead from an outside name to a book, or that belong to no book. Each is keyed by that name alone. */
const NOT_IN_A_BOOK: Readonly<Record<string, string[]>> = {
  alert_deliveries: ['alert_id', 'channel', 'stage', 'level'],
  alert_rules: ['name'],
  alerts: ['id'],
  api_key_prefixes: ['prefix'],
  audit_events: ['id'],
  backup_codes: ['person_id', 'code_hash'],
  captcha_uses: ['nonce'],
  chain_transfers: ['chain', 'hash', 'address', 'contract'],
  clients: ['id'],
  inbox_events: ['source', 'event_id'],
  ip_blocks: ['id'],
  job_workers: ['worker_id'],
  known_devices: ['person_id', 'device_hash'],
  one_time_tokens: ['token_hash'],
  people: ['id'],
  payout_references: ['provider', 'reference'],
  provider_references: ['provider', 'reference'],
  reconciliations: ['day', 'livemode'],
  refresh_tokens: ['token_hash'],
  risk_definitions: ['kind', 'name', 'version'],
  risk_list_entries: ['id'],
  risk_models: ['version'],
  schema_functions: ['name'],
  schema_migrations: ['id'],
  security_events: ['id'],
  sessions: ['id'],
  switches: ['id'],
  unmatched_deposits: ['provider', 'reference'],
  watched_addresses: ['chain', 'address'],
};

describe('tables', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await TestDatabase.create();
  });
  afterAll(() => database.drop());

  it('have the client first in their primary key, but for the routing tables', async () => {
    const keys = await database.rows<{ name: string; columns: string[] | null }>(`
      select t.table_name as name,
             (select array_agg(k.column_name::text order by k.ordinal_position)
                from information_schema.table_constraints c
                join information_schema.key_column_usage k using (constraint_schema, constraint_name)
               where c.table_schema = t.table_schema and c.table_name = t.table_name and c.constraint_type = 'PRIMARY KEY') as columns
        from information_schema.tables t
       where t.table_schema = 'public' and t.table_type = 'BASE TABLE'`);
    const others = keys.filter(({ columns }) => columns?.[0] !== 'client_id').map(({ name, columns }) => [name, columns]);
    expect(Object.fromEntries(others)).toEqual(NOT_IN_A_BOOK);
    expect(keys.length).toBeGreaterThan(others.length);
  });

  it('lead every unique and foreign key of a book with the client too', async () => {
    const wrong = await database.rows(
      `select c.conrelid::regclass::text as name, c.conname as constraint
         from pg_constraint c
         join pg_attribute own on own.attrelid = c.conrelid and own.attnum = c.conkey[1]
         left join pg_attribute theirs on theirs.attrelid = c.confrelid and theirs.attnum = c.confkey[1]
        where c.connamespace = 'public'::regnamespace and c.contype in ('f', 'u') and c.conrelid::regclass::text <> all ($1)
          and not (own.attname = 'client_id'
                   and (c.contype = 'u' or theirs.attname = 'client_id' or (c.confrelid = 'clients'::regclass and theirs.attname = 'id')))
       union all
       select i.indrelid::regclass::text, i.indexrelid::regclass::text
         from pg_index i
         join pg_class t on t.oid = i.indrelid and t.relnamespace = 'public'::regnamespace
         join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indisunique and a.attname <> 'client_id' and i.indrelid::regclass::text <> all ($1)`,
      [Object.keys(NOT_IN_A_BOOK)],
    );
    expect(wrong).toEqual([]);
  });
});

describe('SQL functions', () => {
  it('say first what they do, one function to a file', () => {
    const files = filesOf('migrations/functions', '.sql');
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const text = textOf(file);
      expect([file, /^-- [A-Z].{20,}/.test(text)]).toEqual([file, true]);
      const made = text.match(/^create or replace function \w+/gm);
      expect([file, made]).toEqual([file, [`create or replace function ${path.basename(file, '.sql')}`]]);
    }
  });
});

describe('documents', () => {
  const dependencies = textOf('docs/decisions/dependencies.md');

  it('name every dependency and why it is there', () => {
    const declared = JSON.parse(textOf('package.json')) as Record<string, Record<string, string>>;
    const names = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((part) => Object.keys(declared[part]));
    const named = (name: string) =>
      dependencies.includes(`\`${name}\``) || dependencies.includes(`\`${path.posix.dirname(name)}/*\``)
      || (name.startsWith('@nestjs/') && dependencies.includes(`\`${path.basename(name)}\``));
    expect(names.filter((name) => !named(name))).toEqual([]);
  });

  it('name every error with its status', () => {
    const rows = [...textOf('docs/integration.md').matchAll(/^\| (\d{3}) \| `(\w+)` \|/gm)];
    const written = Object.fromEntries(rows.map(([, status, code]) => [code, Number(status)]));
    expect(written).toEqual(Object.fromEntries(Object.entries(PROBLEMS).map(([code, { status }]) => [code, status])));
  });

  it('link to files that are there', () => {
    const pages = [...filesOf('docs', '.md'), 'README.md', 'CONTRIBUTING.md', 'SECURITY.md'];
    const dead = pages.flatMap((page) =>
      [...textOf(page).matchAll(/\]\((?!https?:)([^)#]+)/g)]
        .map(([, target]) => path.join(path.dirname(page), target))
        .filter((target) => !existsSync(path.join(ROOT, target)))
        .map((target) => `${page}: ${target}`));
    expect(dead).toEqual([]);
  });
});
