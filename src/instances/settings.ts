import { isDeepStrictEqual } from 'node:util';
import type { Adapter, AdapterOptions } from '../adapters/adapter.ts';
import { normalizeBaseUrl } from '../config/base-url.ts';
import type { Config } from '../config/schema.ts';
import { BUILT_IN, breakerFor, healthFor, timeoutsFor } from '../config/settings.ts';
import type { BreakerSettings, HealthSettings } from '../config/settings.ts';
import { SERVICES, type Service } from '../service.ts';
import { proxyFor, type PoolOptions } from './pool.ts';

/** What the config says of one instance, with everything inherited filled in. */
export interface InstanceSettings {
  readonly name: string;
  readonly adapter: Adapter;
  /** Without a trailing slash or `/v1`. */
  readonly baseUrl: string;
  readonly weight: number;
  readonly priority: number;
  readonly enabled: boolean;
  readonly apiKey: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Narrows what the adapter can do. */
  readonly services: readonly Service[] | undefined;
  /** Names and wildcards that stand for, or choose from, the backend's own list. */
  readonly models: readonly string[] | undefined;
  readonly health: HealthSettings;
  readonly circuitBreaker: BreakerSettings;
  /** Attempts at once; `undefined`: no limit. */
  readonly maxConcurrency: number | undefined;
  /** Models to load as soon as it is reached. */
  readonly warm: readonly string[];
  /** Whether calls cost money; `undefined`: as its address and adapter suggest. */
  readonly paid: boolean | undefined;
  /** Whether tool calls that its models get wrong are put right. */
  readonly repairToolCalls: boolean;
  readonly pool: PoolOptions;
  /** What only its adapter understands. */
  readonly options: AdapterOptions;
  /** A variable that its config names and the environment lacks: the instance is off. */
  readonly unset: string | undefined;
}

/**
 * Fills in everything that the config's instances inherit.
 * @param context.adapters By name; the config has been checked against them.
 * @param context.unset Variables that are missing, by instance.
 * @param context.certificates What is in the files of `tls.ca`, by path.
 * @param context.env For the usual proxy variables.
 */
export function instanceSettings(
  config: Config,
  context: {
    readonly adapters: Readonly<Record<string, Adapter>>;
    readonly unset: ReadonlyMap<string, string>;
    readonly certificates: ReadonlyMap<string, string>;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): InstanceSettings[] {
  return Object.entries(config.instances).map(([name, instance]) => {
    const adapter = context.adapters[instance.adapter]!;
    // The loader leaves out a `baseUrl` that names a variable which is not set; the instance is off.
    const written = normalizeBaseUrl(instance.baseUrl ?? adapter.baseUrl ?? OFF);
    const { root } = adapter;
    const baseUrl = root && written.endsWith(root) ? written.slice(0, -root.length) : written;
    // Each service has its own limit, which the attempt keeps; the sockets only need the largest.
    const connectTimeout = Math.max(
      BUILT_IN.timeouts.connect,
      ...SERVICES.map((service) => timeoutsFor(config, service, name).connect),
    );
    return {
      name,
      adapter,
      baseUrl,
      weight: instance.weight,
      priority: instance.priority,
      enabled: instance.enabled,
      apiKey: instance.apiKey,
      headers: instance.headers,
      services: instance.services,
      models: instance.models,
      health: healthFor(config, name),
      circuitBreaker: breakerFor(config, name),
      maxConcurrency: instance.maxConcurrency,
      warm: instance.warm ?? [],
      paid: instance.paid,
      repairToolCalls: instance.repairToolCalls ?? false,
      pool: {
        connectTimeout,
        keepAlive: adapter.keepAlive,
        requestsPerConnection: adapter.requestsPerConnection,
        ca: instance.tls?.ca === undefined ? undefined : context.certificates.get(instance.tls.ca),
        rejectUnauthorized: instance.tls?.rejectUnauthorized,
        proxy: instance.proxy ?? proxyFor(baseUrl, context.env),
      },
      options: {
        ...(instance.rerank && { rerank: instance.rerank }),
        ...(instance.azure && { azure: instance.azure }),
        ...(instance.ollama && { ollama: instance.ollama }),
      },
      unset: context.unset.get(name),
    };
  });
}

/** Whether an instance of these settings connects to the same backend as one of those. */
export function sameBackend(one: InstanceSettings, other: InstanceSettings): boolean {
  return isDeepStrictEqual(connection(one), connection(other));
}

function connection({ adapter, baseUrl, apiKey, headers, pool, options }: InstanceSettings) {
  const { connectTimeout: _, ...sockets } = pool;
  return { adapter, baseUrl, apiKey, headers, sockets, options };
}

const OFF = 'http://127.0.0.1:9';
