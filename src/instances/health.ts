import type { ProbeResult } from '../adapters/adapter.ts';
import { doubtfulOperations } from './doubtful.ts';
import type { Instance } from './instance.ts';

/** Clouds are not asked more often than this, in milliseconds. */
const CLOUD_INTERVAL = 300_000;

/** Milliseconds, at most, from a probe that failed to the next one, until it is clear what that means. */
const DOUBT = 1000;

export interface HealthWatch {
  /** Settles when the first probe is over, whatever it found. */
  readonly first: Promise<void>;
  /** Probes now, unless one is running or one began less than `maxAge` milliseconds ago. */
  look(maxAge: number): Promise<void>;
  /** The instance's settings have changed, or whether it is off: plans the next probe anew. */
  update(): void;
  close(): void;
}

/**
 * Probes one instance for as long as it lives: at once, then every `interval` or a little sooner: up to
 * a tenth by chance, so that many instances do not probe in step, and up to a tenth for the beat.
 * @param onCatalogue Called after a probe that changed the catalogue.
 */
export function watchHealth(instance: Instance, onCatalogue: () => void): HealthWatch {
  let failures = 0;
  let successes = 0;
  let began = Number.NEGATIVE_INFINITY;
  let ended = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const doubtful = doubtfulOperations(instance.adapter, instance.backend);
  const settle = (result: ProbeResult): void => {
    if (closed) return;
    const { unhealthyAfter, healthyAfter } = instance.settings.health;
    const known = instance.catalogue;
    const { fresh } = instance;
    instance.learn(result);
    if (result.state === 'healthy') {
      failures = 0;
      successes += 1;
      if (fresh || successes >= healthyAfter) instance.become('healthy', undefined);
    } else {
      successes = 0;
      failures += 1;
      // The first probe and what a backend says of itself are believed at once; silence may pass.
      if (fresh || result.state !== 'unhealthy' || failures >= unhealthyAfter) {
        instance.become(result.state, result.detail);
      }
    }
    if (instance.catalogue !== known) onCatalogue();
  };

  const probe = async (): Promise<void> => {
    began = performance.now();
    try {
      const result = await instance.adapter.probe(instance.backend);
      if (instance.state !== 'healthy') doubtful.forget();
      settle(result);
      // It serves already: a server that hangs on these questions is well all the same.
      if (result.state === 'healthy') instance.learnShown(await doubtful.found());
    } catch (error) {
      const { interval, timeout } = instance.settings.health;
      // A backend that is busy with our calls may be too busy for a probe: it serves, so it lives.
      const serves = instance.inFlight > 0 && began - instance.lastServed < 2 * interval;
      if (isTimeout(error) && serves) return;
      settle({ state: 'unhealthy', detail: whatWentWrong(error, timeout) });
    }
  };

  const look = (maxAge: number): Promise<void> => {
    if (running) return running;
    if (closed || instance.off || performance.now() - began < maxAge) return Promise.resolve();
    clearTimeout(timer);
    running = probe().finally(() => {
      running = undefined;
      ended = performance.now();
      plan();
    });
    return running;
  };

  /** The next probe comes a pause after the last one's end, or at once when that is over already. */
  const plan = (): void => {
    clearTimeout(timer);
    instance.nextLook = undefined;
    if (closed || instance.off) return;
    const { interval, unhealthyAfter } = instance.settings.health;
    const usual = instance.cloud ? Math.max(interval, CLOUD_INTERVAL) : interval;
    const isDoubted = failures > 0 && failures < unhealthyAfter;
    const pause = isDoubted ? Math.min(usual / 4, DOUBT) : usual;
    const now = performance.now();
    const due = onBeat(ended + pause * (0.9 + Math.random() * 0.1), pause);
    instance.nextLook = Math.max(due, now);
    timer = setTimeout(() => void look(0), instance.nextLook - now);
  };

  return {
    first: look(0),
    look,
    update() {
      // One that runs plans the next at its end.
      if (running) return;
      if (instance.fresh && !instance.off) void look(0);
      else plan();
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/**
 * Puts a probe on the beat before it is due, a second or a tenth of the interval: waking up costs more
 * than a probe, and so many instances share one.
 */
function onBeat(due: number, interval: number): number {
  const beat = Math.min(1000, interval / 10);
  return Math.floor(due / beat) * beat;
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

function whatWentWrong(error: unknown, timeout: number): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (isTimeout(error)) return `no answer within ${timeout} ms`;
  return error.message || code || error.name;
}
