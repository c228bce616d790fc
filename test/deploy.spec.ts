import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isMetric } from '../src/platform/observability/metrics';
import { METRICS } from '../src/platform/observability/metric-definitions';

const ROOT = path.resolve(__dirname, '..');
const PROMETHEUS = path.join(ROOT, 'deploy/prometheus');
const textOf = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

/** What Node, Prometheus and its scrapes tell by themselves. */
const FOREIGN = /^(up|ALERTS|process_(resident_memory_bytes|cpu_seconds_total|start_time_seconds)|nodejs_eventloop_lag_p99_seconds)$/;
/** The words of PromQL that are used; every other word outside of labels and texts is a metric. */
const PROMQL = new Set([
  'sum', 'max', 'min', 'by', 'rate', 'increase', 'topk', 'histogram_quantile', 'time', 'absent', 'and', 'or', 'unless', 'offset',
]);

/** The metrics that an expression names. */
function metricsIn(expression: string): string[] {
  const bare = expression.replace(/"[^"]*"/g, '').replace(/\{[^}]*\}/g, '').replace(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, '').replace(/\[[^\]]*\]/g, '');
  return [...bare.matchAll(/(?<![\w.])[a-zA-Z_]\w*/g)].map(([word]) => word).filter((word) => !PROMQL.has(word));
}

const unknown = (expressions: readonly string[]) =>
  [...new Set(expressions.flatMap(metricsIn))].filter((name) => !isMetric(name) && !FOREIGN.test(name));

/** Runs promtool where it is; without it only what needs it goes unchecked, and says so. */
function promtool(...args: string[]): string {
  const { error, status, stdout, stderr } = spawnSync('promtool', args, { cwd: PROMETHEUS, encoding: 'utf8' });
  if (!error) return status === 0 ? 'good' : stdout + stderr;
  process.stderr.write(`promtool is not on this machine: "promtool ${args.join(' ')}" was left out\n`);
  return 'good';
}

interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { uid: string };
  targets?: { expr: string }[];
}

describe('the alert rules', () => {
  const text = textOf('deploy/prometheus/alerts.yml');
  // An expression goes on over the deeper lines below it.
  const expressions = [...text.matchAll(/^ {8}expr: (.*(?:\n {10,}.*)*)/gm)].map(([, expression]) => expression.replace(/^>-/, '').replaceAll(/\s+/g, ' '));

  it('name metrics that there are', () => {
    expect(expressions).toHaveLength([...text.matchAll(/- alert: /g)].length);
    expect(expressions.flatMap(metricsIn).length).toBeGreaterThanOrEqual(expressions.length);
    expect(unknown(expressions)).toEqual([]);
    expect(unknown(['sum(rate(cpgateway_made_up_total[5m])) > 1'])).toEqual(['cpgateway_made_up_total']);
  });

  it('send people to a page that there is', () => {
    const headings = new Set([...textOf('docs/operations/runbook.md').matchAll(/^## (.+)$/gm)].map(([, heading]) => heading));
    const named = [...text.matchAll(/runbook: (.+)$/gm)].map(([, heading]) => heading);
    expect(named).toHaveLength(expressions.length);
    expect(named.filter((heading) => !headings.has(heading))).toEqual([]);
  });

  it('are read by Prometheus and do what they should', () => {
    expect(promtool('check', 'config', '--syntax-only', 'prometheus.yml')).toBe('good');
    expect(promtool('check', 'rules', 'alerts.yml')).toBe('good');
    expect(promtool('test', 'rules', 'alerts.test.yml')).toBe('good');
  });
});

describe('the dashboard', () => {
  const files = readdirSync(path.join(ROOT, 'deploy/grafana/dashboards'));
  const { panels } = JSON.parse(textOf('deploy/grafana/dashboards/cpgateway.json')) as { panels: Panel[] };
  const shown = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

  it('shows every metric, and none that there is not', () => {
    expect(files).toEqual(['cpgateway.json']);
    expect(unknown(shown)).toEqual([]);
    const names = new Set(shown.flatMap(metricsIn).map((name) => name.replace(/_bucket$/, '')));
    expect(Object.keys(METRICS).filter((name) => !names.has(name))).toEqual([]);
  });

  it('asks what Prometheus can read', () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'cpgateway-dashboard-')), 'rules.yml');
    // JSON is YAML: every expression as a recording rule.
    const rules = shown.map((expr, at) => ({ record: `panel:${String(at)}`, expr }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    expect(promtool('check', 'rules', '--lint=none', file)).toBe('good');
    rmSync(path.dirname(file), { recursive: true });
  });

  it('reads from the data source that is set up, with panels beside each other', () => {
    expect(textOf('deploy/grafana/provisioning/datasources/prometheus.yml')).toContain('uid: prometheus\n');
    expect(panels.filter(({ type, datasource }) => type !== 'row' && datasource?.uid !== 'prometheus')).toEqual([]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`));
    expect(new Set(taken).size).toBe(taken.length);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });
});

describe('docker-compose.yml', () => {
  const text = textOf('docker-compose.yml');

  it('has every file that it mounts, and names every secret that it gives', () => {
    const mounted = [...text.matchAll(/- \.\/(deploy\/[\w/-]+):/g)].map(([, folder]) => folder);
    expect(mounted).toEqual(expect.arrayContaining(['deploy/prometheus', 'deploy/grafana/provisioning', 'deploy/grafana/dashboards']));
    for (const folder of mounted) expect(readdirSync(path.join(ROOT, folder)).length).toBeGreaterThan(0);
    const given = [...text.matchAll(/^ {4}secrets: \[(.+)\]$/gm)].flatMap(([, names]) => names.split(', '));
    const declared = [...text.matchAll(/^ {2}(\w+): \{ file: \.\/deploy\/secrets\/\1 \}$/gm)].map(([, name]) => name);
    expect([...new Set(given)].sort()).toEqual(declared.sort());
    const checklist = textOf('docs/operations/production-checklist.md');
    expect(declared.filter((name) => !checklist.includes(`deploy/secrets/${name}`))).toEqual([]);
  });

  it('guards every service alike and opens ports on this computer only', () => {
    const services = text.slice(text.indexOf('\nservices:\n'), text.indexOf('\nnetworks:\n'));
    const names = [...services.matchAll(/^ {2}(\w+):$/gm)].map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(['app', 'postgres', 'redis', 'prometheus', 'grafana']));
    for (const rule of [/^ {4}<<: \*guarded$/gm, /^ {4}mem_limit: /gm, /^ {4}pids_limit: /gm]) expect([...services.matchAll(rule)]).toHaveLength(names.length);
    expect([...services.matchAll(/^ {4}ports: \[(.+)\]$/gm)].filter(([, ports]) => !ports.startsWith("'127.0.0.1:"))).toEqual([]);
  });
});
