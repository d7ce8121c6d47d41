import { Registry, type Counter } from 'prom-client';
import type { Buckets } from '../buckets.ts';
import { METRICS } from './index.ts';
import type { Labels, Metric, Reading } from './metric.ts';

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/**
 * All metrics in Prometheus' text format. They are read from the statistics at this moment: nothing
 * is counted twice, and calls cost nothing for them.
 */
export async function metricsText(reading: Reading): Promise<string> {
  const registry = new Registry();
  for (const [name, metric] of Object.entries(METRICS)) {
    const { help, type } = metric;
    const told = {
      name,
      get: async () => ({ name, help, type, values: lines(name, metric, reading) }),
    };
    // Its types know only its own metrics, which count for themselves; it asks for no more than this.
    registry.registerMetric(told as unknown as Counter);
  }
  return await registry.metrics();
}

interface Line {
  readonly metricName: string;
  readonly labels: Labels;
  readonly value: number;
}

function* lines(name: string, metric: Metric, reading: Reading): Generator<Line> {
  if (metric.type === 'histogram') {
    for (const [labels, buckets] of metric.read(reading)) yield* bucketLines(name, labels, buckets);
    return;
  }
  for (const [labels, value] of metric.read(reading)) yield { metricName: name, labels, value };
}

function* bucketLines(name: string, labels: Labels, buckets: Buckets): Generator<Line> {
  if (buckets.count === 0) return;
  for (const { bound, count } of buckets.cumulative()) {
    const le = bound === Infinity ? '+Inf' : String(bound);
    yield { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
  }
  yield { metricName: `${name}_sum`, labels, value: buckets.sum };
  yield { metricName: `${name}_count`, labels, value: buckets.count };
}
