import { RecentCount } from './recent-count.ts';

/** Retries at most, as a share of the calls of the same window. */
const SHARE = 0.2;
/** Retries that each window has whatever its calls: one developer's few calls still fail over. */
const FLOOR = 10;
/** Milliseconds. */
const WINDOW = 10_000;

/** What an attempt's end says of its instance; `classify` gives it. */
export interface Lesson {
  readonly breaker: 'success' | 'failure' | 'none';
  readonly retry: 'again' | 'elsewhere' | 'never';
}

/**
 * Keeps retries from multiplying the load when everything is down, over all services.
 *
 * A retry on an instance whose last attempt went well, or that has not been tried yet, is always
 * allowed: there is somebody to serve the call. With none such left, retries stop at 20 % of the
 * calls of the last ten seconds, or ten of them, whichever is more; the allowed ones above count
 * too. So a call fails over whenever one good instance is known, and an outage of all costs a fifth.
 */
export class RetryBudget {
  readonly #calls = new RecentCount(WINDOW);
  readonly #retries = new RecentCount(WINDOW);
  /** Names of instances whose last attempt failed. */
  readonly #failing = new Set<string>();

  /** A call begins its first attempt. */
  call(now: number): void {
    this.#calls.add(now);
  }

  /** An attempt is over. A bad request or a client that left teaches nothing. */
  learn(instance: string, { breaker, retry }: Lesson): void {
    if (breaker === 'success') this.#failing.delete(instance);
    else if (breaker === 'failure' || retry !== 'never') this.#failing.add(instance);
  }

  /**
   * Where a retry may go: to sound candidates when there are any, else to any while the budget lasts.
   * The retry counts as made, unless nothing is returned.
   */
  retryOn<T extends { readonly instance: { readonly name: string } }>(
    candidates: readonly T[],
    now: number,
  ): readonly T[] {
    const sound = candidates.filter(({ instance }) => !this.#failing.has(instance.name));
    if (candidates.length === 0 || (sound.length === 0 && !this.#lasts(now))) return [];
    this.#retries.add(now);
    return sound.length > 0 ? sound : candidates;
  }

  /** The instance is no longer in the config. */
  forget(instance: string): void {
    this.#failing.delete(instance);
  }

  #lasts(now: number): boolean {
    const most = Math.max(FLOOR, SHARE * this.#calls.value(now));
    return this.#retries.value(now) + 1 <= most;
  }
}
