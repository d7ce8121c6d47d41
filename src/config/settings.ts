import type { Service } from '../service.ts';
import type { Config } from './schema.ts';
import type { Strategy } from './options/service.ts';

/** All in milliseconds. */
export interface Timeouts {
  /** TCP and TLS connection. */
  readonly connect: number;
  /** Until the answer's head, when it is not a stream: its whole generation. */
  readonly firstByte: number;
  /** Until a stream's first event; `firstByte` caps it. */
  readonly firstEvent: number;
  /** Between two bytes of an answer. */
  readonly idle: number;
  /** How long the first three wait at the most while the backend says that it is loading. */
  readonly loading: number;
  /** The whole attempt; `undefined`: no limit. */
  readonly total: number | undefined;
}

export interface HealthSettings {
  /** Milliseconds between probes. */
  readonly interval: number;
  /** Milliseconds for one probe. */
  readonly timeout: number;
  /** Failed probes in a row until an instance is `unhealthy`. */
  readonly unhealthyAfter: number;
  /** Good probes in a row until it is `healthy` again. */
  readonly healthyAfter: number;
}

/** When an instance is left alone for a while, and how it comes back. */
export interface BreakerSettings {
  /** Failures in a row that open it; at least 1. */
  readonly failureThreshold: number;
  /** Share of failures among the calls of `window` that opens it, above 0, up to 1; `undefined`: never. */
  readonly failureRate: number | undefined;
  /** Milliseconds. */
  readonly window: number;
  /** Calls in `window` below which `failureRate` says nothing yet. */
  readonly minimumCalls: number;
  /** Milliseconds until the first trial calls; doubled each time it opens again. */
  readonly openFor: number;
  /** Good trial calls that close it; at least 1. */
  readonly successThreshold: number;
  /** Trial calls at once; `undefined`: `successThreshold`, so that one round of them decides. */
  readonly trials: number | undefined;
}

export interface RetrySettings {
  /** Attempts of one call at the most. */
  readonly attempts: number;
  /** Bytes of a request body beyond which it is not kept for a further attempt. */
  readonly bufferLimit: number;
}

/** Where calls wait when every candidate is full. */
export interface QueueSettings {
  /** Calls that may wait at once; 0: none. */
  readonly size: number;
  /** Milliseconds that one call waits at the most. */
  readonly maxWait: number;
}

/** What becomes of the parts of a call that a backend's dialect has no words for. */
export type Unsupported = 'drop' | 'reject';

/** What is kept of calls' bodies. */
export interface CaptureSettings {
  /** Calls whose bodies are kept in memory, the latest. */
  readonly calls: number;
  /** Bytes that are kept in memory of each body. */
  readonly maxBytes: number;
  /** The folder in which each call becomes a file, absolute; `undefined`: none does. */
  readonly dir: string | undefined;
  /** Bytes of each body that are written into its file. */
  readonly maxFileBytes: number;
}

/** Where OpenTelemetry is told of calls. */
export interface TraceSettings {
  /** The collector's address, for OTLP over HTTP; `undefined`: as the environment says. */
  readonly endpoint: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the calls that belong to nobody else's trace, from 0 to 1. */
  readonly sampleRatio: number;
  readonly serviceName: string | undefined;
}

export interface LoadBalance {
  readonly strategy: Strategy;
  /** Among candidates, those that have the model in memory first. */
  readonly preferLoaded: boolean;
  /** What `consistent-hash` hashes: `prefix`, `user`, `api-key` or `header:NAME`. */
  readonly key: string;
}

/** What holds where a config says nothing. */
export const BUILT_IN = {
  loadBalance: { strategy: 'least-connections', preferLoaded: false, key: 'prefix' },
  timeouts: {
    connect: 3000,
    firstByte: 600_000,
    firstEvent: 120_000,
    idle: 300_000,
    loading: 900_000,
    total: undefined,
  },
  retry: { attempts: 3, bufferLimit: 32_000_000 },
  health: { interval: 10_000, timeout: 3000, unhealthyAfter: 2, healthyAfter: 1 },
  // The rate is on: a backend that fails every other call never fails five times in a row for long.
  circuitBreaker: {
    failureThreshold: 5,
    failureRate: 0.5,
    window: 60_000,
    minimumCalls: 20,
    openFor: 30_000,
    successThreshold: 2,
    trials: undefined,
  },
  queue: { size: 100, maxWait: 30_000 },
  unsupported: 'drop',
  // `capacity` is each algorithm's own to say.
  rateLimit: { algorithm: 'token-bucket', per: 'global', cost: 'requests' },
} as const satisfies {
  loadBalance: LoadBalance;
  timeouts: Timeouts;
  retry: RetrySettings;
  health: HealthSettings;
  circuitBreaker: BreakerSettings;
  queue: QueueSettings;
  unsupported: Unsupported;
  rateLimit: Record<'algorithm' | 'per' | 'cost', string>;
};

/** What `capture: true` stands for. */
export const CAPTURE: CaptureSettings = {
  calls: 100,
  maxBytes: 64_000,
  dir: undefined,
  maxFileBytes: 10_000_000,
};
/** What `telemetry.traces: true` stands for. */
export const TRACES: TraceSettings = {
  endpoint: undefined,
  headers: {},
  sampleRatio: 1,
  serviceName: undefined,
};

/** @returns The settings of one service: built-in < `defaults` < `services.<service>`. */
export function serviceSettings(
  config: Config,
  service: Service,
): {
  loadBalance: LoadBalance;
  retry: RetrySettings;
  queue: QueueSettings;
  keepAlive: number | undefined;
  hedge: number | 'p95' | undefined;
  defaultModel: string | undefined;
  unsupported: Unsupported;
} {
  const own = config.services[service];
  return {
    loadBalance: layered<LoadBalance>(
      BUILT_IN.loadBalance,
      config.defaults.loadBalance,
      own?.loadBalance,
    ),
    retry: layered<RetrySettings>(BUILT_IN.retry, config.defaults.retry, own?.retry),
    queue: layered<QueueSettings>(BUILT_IN.queue, config.defaults.queue, own?.queue),
    keepAlive: own?.keepAlive,
    hedge: own?.hedge?.after,
    defaultModel: own?.defaultModel,
    unsupported: own?.unsupported ?? config.defaults.unsupported ?? BUILT_IN.unsupported,
  };
}

/**
 * @returns The time-outs of one service on one instance: built-in < `defaults` < service < instance;
 * without an instance, what holds on one that sets none.
 */
export function timeoutsFor(config: Config, service: Service, instance?: string): Timeouts {
  return layered<Timeouts>(
    BUILT_IN.timeouts,
    config.defaults.timeouts,
    config.services[service]?.timeouts,
    instance === undefined ? undefined : config.instances[instance]?.timeouts,
  );
}

/** @returns One instance's health settings: built-in < `defaults` < instance. */
export function healthFor(config: Config, instance: string): HealthSettings {
  return layered<HealthSettings>(
    BUILT_IN.health,
    config.defaults.health,
    config.instances[instance]?.health,
  );
}

/** @returns One instance's circuit breaker: built-in < `defaults` < instance. */
export function breakerFor(config: Config, instance: string): BreakerSettings {
  return layered<BreakerSettings>(
    BUILT_IN.circuitBreaker,
    config.defaults.circuitBreaker,
    config.instances[instance]?.circuitBreaker,
  );
}

type Layer<T> = { readonly [K in keyof T]?: T[K] | undefined } | undefined;

/** The last layer that sets a key wins; an unset key lets the layer below show. */
function layered<T extends object>(base: T, ...layers: Layer<T>[]): T {
  const merged = { ...base } as Record<string, unknown>;
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer ?? {}))
      if (value !== undefined) merged[key] = value;
  }
  return merged as T;
}
