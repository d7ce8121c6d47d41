import {
  breakerFor,
  healthFor,
  timeoutsFor,
  type BreakerSettings,
  type HealthSettings,
  type Timeouts,
} from '../config/settings.ts';
import { formatDuration, formatRate, type Rate } from '../config/units.ts';
import type { Instance } from '../instances/instance.ts';
import { maskHeaders, maskUrl } from '../observe/secrets.ts';
import type { Service } from '../service.ts';
import type { Gateway } from './gateway.ts';

/**
 * An instance's settings as they hold and as a config writes them: everything inherited filled in, no
 * secrets, and nothing that says nothing.
 */
export function configOf(
  { name, settings }: Instance,
  { services, gateway }: { readonly services: readonly Service[]; readonly gateway: Gateway },
): Record<string, unknown> {
  const { config } = gateway.snapshot;
  const { pool, headers, unset, apiKey } = settings;
  return written({
    ...config.instances[name],
    baseUrl: maskUrl(settings.baseUrl),
    apiKey: apiKey === undefined ? undefined : '***',
    headers: maskHeaders(headers),
    proxy: pool.proxy === undefined ? undefined : maskUrl(pool.proxy),
    health: healthFor(config, name),
    circuitBreaker: breakerFor(config, name),
    timeouts: joined(services.map((service) => [service, timeoutsFor(config, service, name)])),
    unset,
  }) as Record<string, unknown>;
}

/** One block, where the services do not differ. */
function joined(
  all: readonly (readonly [Service, Timeouts])[],
): Timeouts | Record<string, Timeouts> {
  const first = all[0]?.[1];
  const alike = first && new Set(all.map(([, one]) => JSON.stringify(one))).size === 1;
  return alike ? first : Object.fromEntries(all);
}

/** Settings that are milliseconds once they have been read. */
const DURATIONS: ReadonlySet<string> = new Set<
  keyof Timeouts | keyof HealthSettings | keyof BreakerSettings
>([
  'connect',
  'firstByte',
  'firstEvent',
  'idle',
  'loading',
  'total',
  'interval',
  'timeout',
  'window',
  'openFor',
]);

function written(value: unknown, key = ''): unknown {
  if (typeof value === 'number') return DURATIONS.has(key) ? formatDuration(value) : value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if (key === 'rate') return formatRate(value as Rate);
  const entries = Object.entries(value)
    .map(([name, one]) => [name, written(one, name)] as const)
    .filter(([, one]) => one !== undefined && !isEmpty(one));
  return Object.fromEntries(entries);
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
