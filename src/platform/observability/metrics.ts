import { Injectable, type OnModuleInit } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, register as ofTheProcess } from 'prom-client';
import { RouteTable } from '../http/route-table';
import { gatewayVersion } from './gateway-version';
import { type LabelsOf, type LabelValues, METRICS, type MetricDefinition, type MetricName, type NameOf, OTHER } from './metric-definitions';

/** Metrics with fewer series than this show all of them from the start, so that the first event already is a rise. */
const MOST_SHOWN_AT_ONCE = 100;

/** Figures of prom-client that are named like counters and are none; what they add up is shown by kind under the right names. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/**
 * Adds what Node tells of the process: memory, processor time, the event loop. What measures it never ends and keeps all that it was
 * begun with, so it is begun once in a process, however many applications are made in it, and writes to the registry that belongs to
 * the process.
 */
function watchProcess(): void {
  if (ofTheProcess.getMetricsAsArray().length > 0) return;
  collectDefaultMetrics();
  for (const name of MISNAMED) ofTheProcess.removeSingleMetric(name);
}

type Labels = Readonly<Record<string, string>>;
interface Known {
  definition: MetricDefinition;
  instrument: Counter | Gauge | Histogram;
}

/**
 * The counters and figures of this instance, in a registry of its own. Features count here at the place where a thing happens, in
 * about a microsecond. Counting never throws, and a label's value that the table does not know is told as `other`.
 */
@Injectable()
export class Metrics implements OnModuleInit {
  private readonly registry = new Registry();
  private readonly known: ReadonlyMap<string, Known>;
  /** The words that were seen, by metric and label. */
  private readonly words = new Map<LabelValues, Set<string>>();

  constructor(private readonly routes: RouteTable) {
    this.known = new Map(Object.entries(METRICS).map(([name, definition]) => [name, { definition, instrument: this.make(name, definition) }]));
  }

  onModuleInit(): void {
    watchProcess();
    this.set('cpgateway_build_info', { version: gatewayVersion(), node: process.version }, 1);
  }

  /** Counts something that has happened. */
  increment<Name extends NameOf<'counter'>>(name: Name, labels: LabelsOf<Name>, by = 1): void {
    const { definition, instrument } = this.known.get(name)!;
    (instrument as Counter).inc(this.bounded(definition, labels), by);
  }

  /** Adds a measured value, in the metric's unit, to a distribution. */
  observe<Name extends NameOf<'histogram'>>(name: Name, labels: LabelsOf<Name>, value: number): void {
    const { definition, instrument } = this.known.get(name)!;
    (instrument as Histogram).observe(this.bounded(definition, labels), value);
  }

  /** Says how much of something there is now. */
  set<Name extends NameOf<'gauge'>>(name: Name, labels: LabelsOf<Name>, value: number): void {
    const { definition, instrument } = this.known.get(name)!;
    (instrument as Gauge).set(this.bounded(definition, labels), value);
  }

  /** All of it in Prometheus's text format, from memory. */
  async text(): Promise<string> {
    return (await Promise.all([this.registry.metrics(), ofTheProcess.metrics()])).join('\n');
  }

  /** The media type of the text. */
  get contentType(): string {
    return this.registry.contentType;
  }

  private make(name: string, definition: MetricDefinition): Known['instrument'] {
    const { type, help, labels, buckets = [] } = definition;
    const options = { name, help, labelNames: Object.keys(labels), registers: [this.registry] };
    if (type === 'histogram') return new Histogram({ ...options, buckets: [...buckets] });
    const series = seriesOf(labels);
    const shown = series && series.length <= MOST_SHOWN_AT_ONCE ? series : [];
    if (type === 'gauge') {
      const gauge = new Gauge(options);
      for (const each of shown) gauge.set(each, 0);
      return gauge;
    }
    const counter = new Counter(options);
    for (const each of shown) counter.inc(each, 0);
    return counter;
  }

  private bounded({ labels }: MetricDefinition, given: Labels): Record<string, string> {
    const bounded: Record<string, string> = {};
    for (const label in labels) bounded[label] = this.allows(labels[label], given[label]) ? given[label] : OTHER;
    return bounded;
  }

  private allows(values: LabelValues, value: string): boolean {
    if (values === 'routes') return this.routes.has(value);
    if (!('form' in values)) return values.includes(value);
    let seen = this.words.get(values);
    if (!seen) this.words.set(values, (seen = new Set()));
    if (seen.has(value)) return true;
    if (seen.size >= values.most || !values.form.test(value)) return false;
    seen.add(value);
    return true;
  }
}

/** Every combination of the labels' values; undefined where they cannot be listed. */
function seriesOf(labels: MetricDefinition['labels']): Record<string, string>[] | undefined {
  let series: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(labels)) {
    if (!Array.isArray(values)) return undefined;
    series = series.flatMap((each) => (values as readonly string[]).map((value) => ({ ...each, [label]: value })));
  }
  return series;
}

/** Whether the table has a metric of that name; a histogram is read by the names of its parts. */
export function isMetric(name: string): name is MetricName {
  if (Object.hasOwn(METRICS, name)) return true;
  const whole = /^(.+)_(?:bucket|sum|count)$/.exec(name)?.[1] ?? '';
  return Object.hasOwn(METRICS, whole) && METRICS[whole as MetricName].type === 'histogram';
}
