import { CALL_METRICS } from './calls.ts';
import { INSTANCE_METRICS } from './instances.ts';
import type { Metric } from './metric.ts';
import { SERVER_METRICS } from './server.ts';

/** Every metric that Prometheus gets, by its name. */
export const METRICS: Readonly<Record<string, Metric>> = {
  ...CALL_METRICS,
  ...INSTANCE_METRICS,
  ...SERVER_METRICS,
};
