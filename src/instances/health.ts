import type { Dispatcher } from 'undici';
import type { ProbeResult } from '../adapters/adapter.ts';
import { connectBackend } from './backend.ts';
import type { Instance } from './instance.ts';

/** Clouds are not asked more often than this, in milliseconds. */
const CLOUD_INTERVAL = 300_000;

export interface HealthWatch {
  /** Settles when the first probe is over, whatever it found. */
  readonly first: Promise<void>;
  /** Probes now, unless one is running or one began less than `maxAge` milliseconds ago. */
  look(maxAge: number): Promise<void>;
  close(): void;
}

/**
 * Probes one instance for as long as it lives: at once, then every `interval` with ±10 % jitter, so
 * that many instances do not probe in step.
 * @param onChange Called after a probe that changed the state or the catalogue.
 */
export function watchHealth(
  instance: Instance,
  onChange: (stateChanged: boolean) => void,
): HealthWatch {
  const { interval, timeout, unhealthyAfter, healthyAfter } = instance.settings.health;
  const pause = instance.cloud ? Math.max(interval, CLOUD_INTERVAL) : interval;
  let failures = 0;
  let successes = 0;
  let began = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  // One Backend for the instance's life, so that an adapter may remember things by it.
  const backend = connectBackend({
    baseUrl: instance.origin + instance.basePath,
    headers: instance.headers,
    timeout,
    get dispatcher(): Dispatcher {
      return instance.dispatcher;
    },
  });

  const settle = (result: ProbeResult): void => {
    if (closed) return;
    const before = instance.state;
    const known = instance.catalogue;
    if (result.state === 'healthy') {
      failures = 0;
      successes += 1;
      instance.learn(result);
      if (before === 'unknown' || successes >= healthyAfter) {
        instance.state = 'healthy';
        instance.stateDetail = undefined;
      }
    } else {
      successes = 0;
      failures += 1;
      instance.learn(result);
      // The first probe and what a backend says of itself are believed at once; silence may pass.
      if (before === 'unknown' || result.state !== 'unhealthy' || failures >= unhealthyAfter) {
        instance.state = result.state;
        instance.stateDetail = result.detail;
      }
    }
    if (instance.state !== before || instance.catalogue !== known) {
      onChange(instance.state !== before);
    }
  };

  const probe = async (): Promise<void> => {
    began = performance.now();
    let result: ProbeResult;
    try {
      result = await instance.adapter.probe(backend);
    } catch (error) {
      result = { state: 'unhealthy', detail: whatWentWrong(error, timeout) };
    }
    settle(result);
  };

  const look = (maxAge: number): Promise<void> => {
    if (running) return running;
    if (closed || instance.off || performance.now() - began < maxAge) return Promise.resolve();
    clearTimeout(timer);
    running = probe().finally(() => {
      running = undefined;
      if (closed) return;
      const delay = pause * (0.9 + Math.random() * 0.2);
      instance.nextLook = performance.now() + delay;
      timer = setTimeout(() => void look(0), delay);
    });
    return running;
  };

  return {
    first: look(0),
    look,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

function whatWentWrong(error: unknown, timeout: number): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (error.name === 'TimeoutError') return `no answer within ${timeout} ms`;
  return error.message || code || error.name;
}
