import type { Service } from '../service.ts';
import type { Config, Strategy } from './schema.ts';

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
    total: undefined,
  },
  retry: { attempts: 3 },
  health: { interval: 10_000, timeout: 3000, unhealthyAfter: 2, healthyAfter: 1 },
} as const satisfies {
  loadBalance: LoadBalance;
  timeouts: Timeouts;
  retry: { attempts: number };
  health: HealthSettings;
};

/** @returns The settings of one service: built-in < `defaults` < `services.<service>`. */
export function serviceSettings(
  config: Config,
  service: Service,
): { loadBalance: LoadBalance; attempts: number; defaultModel: string | undefined } {
  const own = config.services[service];
  return {
    loadBalance: layered<LoadBalance>(
      BUILT_IN.loadBalance,
      config.defaults.loadBalance,
      own?.loadBalance,
    ),
    attempts: layered<{ attempts: number }>(BUILT_IN.retry, config.defaults.retry, own?.retry)
      .attempts,
    defaultModel: own?.defaultModel,
  };
}

/** @returns The time-outs of one service on one instance: built-in < `defaults` < service < instance. */
export function timeoutsFor(config: Config, service: Service, instance: string): Timeouts {
  return layered<Timeouts>(
    BUILT_IN.timeouts,
    config.defaults.timeouts,
    config.services[service]?.timeouts,
    config.instances[instance]?.timeouts,
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
