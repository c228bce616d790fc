import { RouteTable } from '../http/route-table';
import { isMetric, Metrics } from './metrics';
import { type MetricDefinition, METRICS, OTHER } from './metric-definitions';

const TABLE: Readonly<Record<string, MetricDefinition>> = METRICS;

describe('the table of metrics', () => {
  it.each(Object.entries(TABLE))('names %s by the conventions', (name, { type, help, labels, buckets }) => {
    expect(name).toMatch(/^cpgateway_[a-z]+(_[a-z]+)*$/);
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
    expect(name).not.toMatch(/_(ms|millis|milliseconds|minutes|hours|count|sum|bucket)$/);
    expect(help).toMatch(/^[A-Z0-9].*\.$/);
    expect([name, buckets !== undefined]).toEqual([name, type === 'histogram']);
    for (const label of Object.keys(labels)) expect(label).toMatch(/^[a-z_]+$/);
    expect(Object.keys(labels).filter((label) => /client|person|user|email|address|^ip$|(^|_)id$|le|quantile/.test(label) && label !== 'rule')).toEqual([]);
    for (const values of Object.values(labels)) if (Array.isArray(values)) expect(values).not.toContain(OTHER);
  });

  it('is asked by the names under which metrics are read', () => {
    expect(['cpgateway_sessions', 'cpgateway_http_request_duration_seconds_bucket', 'cpgateway_http_request_duration_seconds'].every(isMetric)).toBe(true);
    expect(['cpgateway_sessions_count', 'cpgateway_made_up_total', 'toString', '_sum'].some(isMetric)).toBe(false);
  });
});

describe('Metrics', () => {
  let metrics: Metrics;

  beforeEach(() => {
    const routes = new RouteTable();
    routes.add('/v1/payments/:id', 'GET');
    metrics = new Metrics(routes);
  });
  const lines = async (name: string) => (await metrics.text()).split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));

  it('adds up, by labels', async () => {
    metrics.increment('cpgateway_failed_logins_total', { factor: 'password' });
    metrics.increment('cpgateway_failed_logins_total', { factor: 'password' }, 2);
    expect(await lines('cpgateway_failed_logins_total')).toEqual([
      'cpgateway_failed_logins_total{factor="password"} 3', 'cpgateway_failed_logins_total{factor="second_factor"} 0',
    ]);
  });

  it('shows the latest of a figure, and how values are distributed', async () => {
    for (const value of [5, 3]) metrics.set('cpgateway_sessions', {}, value);
    for (const value of [0.002, 0.3]) metrics.observe('cpgateway_risk_assessment_duration_seconds', {}, value);
    expect(await lines('cpgateway_sessions')).toEqual(['cpgateway_sessions 3']);
    expect(await lines('cpgateway_risk_assessment_duration_seconds_sum')).toEqual(['cpgateway_risk_assessment_duration_seconds_sum 0.302']);
    expect(await lines('cpgateway_risk_assessment_duration_seconds_bucket')).toEqual(expect.arrayContaining([
      expect.stringMatching(/le="0.0025"\} 1$/), expect.stringMatching(/le="0.25"\} 1$/), expect.stringMatching(/le="1"\} 2$/),
    ]));
  });

  it.each([
    ['a route', () => metrics.increment('cpgateway_rate_limit_exceeded_total', { limit: 'key', route: '/v1/payments/pay_1' }), 'limit="key",route="other"'],
    ['a word', () => metrics.increment('cpgateway_failed_logins_total', { factor: 'guessed' }), 'factor="other"'],
    ['a name of the table\'s prototype', () => metrics.increment('cpgateway_failed_logins_total', { factor: 'constructor' }), 'factor="other"'],
    ['a kind', () => metrics.increment('cpgateway_security_events_total', { severity: 'low', kind: 'Mail of somebody@example.com' }), 'severity="low",kind="other"'],
    ['an address', () => metrics.increment('cpgateway_security_events_total', { severity: 'low', kind: '203.0.113.7' }), 'severity="low",kind="other"'],
  ])('tells %s that it does not know as other', async (_, count, labels) => {
    count();
    expect((await metrics.text()).split('\n').filter((line) => line.includes(`{${labels}}`))).toEqual([expect.stringMatching(/ 1$/)]);
  });

  it('keeps the values that it knows', async () => {
    metrics.increment('cpgateway_rate_limit_exceeded_total', { limit: 'key', route: '/v1/payments/:id' });
    expect(await lines('cpgateway_rate_limit_exceeded_total')).toEqual(['cpgateway_rate_limit_exceeded_total{limit="key",route="/v1/payments/:id"} 1']);
  });

  it('tells only so many words apart', async () => {
    for (let at = 0; at < 400; at += 1) metrics.increment('cpgateway_security_events_total', { severity: 'low', kind: `kind.number_${at}` });
    const series = await lines('cpgateway_security_events_total');
    expect(series).toHaveLength(151);
    expect(series).toContain('cpgateway_security_events_total{severity="low",kind="other"} 250');
  });

  it('of another instance are others', async () => {
    metrics.increment('cpgateway_failed_logins_total', { factor: 'password' });
    expect(await new Metrics(new RouteTable()).text()).toContain('cpgateway_failed_logins_total{factor="password"} 0');
  });
});
