import type { BreakerSettings } from '../../config/settings.ts';
import { RecentCount } from './recent-count.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface Transition {
  /** Milliseconds of the caller's clock. */
  readonly at: number;
  readonly to: BreakerState;
  /** One clause. */
  readonly reason: string;
  /** By an order. */
  readonly forced?: true;
}

/** A breaker as it is shown. */
export interface BreakerView {
  readonly state: BreakerState;
  /** By an order, until `reset`. */
  readonly forced: boolean;
  /** When an open one lets trial calls through, in the caller's milliseconds; a forced one never. */
  readonly triesAgainAt: number | undefined;
  readonly failuresInARow: number;
  /** Of the last `window`, since the state changed. */
  readonly calls: number;
  readonly failures: number;
  /** Trial calls whose verdict is open. */
  readonly trials: number;
  /** The latest last; at most 20. */
  readonly history: readonly Transition[];
}

/**
 * Leave for one attempt. It ends with the first `success`, `failure` or `release`; further ones do
 * nothing. Each permit must end, or its trial's place stays taken.
 */
export interface Permit {
  /**
   * The first event of a stream is there. Decides a trial at once, since streams may run for
   * minutes and meanwhile all others would be refused; a later `failure` still counts. No verdict
   * outside of a trial.
   */
  answering(now: number): void;
  success(now: number): void;
  /** @param reason One clause on what failed, for the history. */
  failure(now: number, reason: string): void;
  /** It says nothing of the instance: the client left, or the request was at fault. */
  release(): void;
}

const HISTORY = 20;
/** The longest open time: this many times `openFor`, and no more than five minutes unless `openFor` is. */
const MOST_GROWTH = 10;
const LONGEST = 300_000;
const JITTER = 0.1;

/**
 * Keeps calls away from an instance that fails: `closed` lets all through and counts, `open` none,
 * `half-open` a few trials. A state machine on the caller's clock; it holds no timers.
 *
 * The open time is doubled when a trial fails, and when it opens again before it has been closed
 * for as long as it was open; it varies by ±10 %, so that instances that failed together are not
 * tried together.
 */
export class Breaker {
  #settings: BreakerSettings;
  readonly #random: () => number;
  readonly #onChange: (transition: Transition) => void;
  #calls: RecentCount;
  #failures: RecentCount;
  readonly #history: Transition[] = [];
  #state: BreakerState = 'closed';
  #forced = false;
  /** Counts the changes of state: a permit of an earlier one must not speak in this one. */
  #generation = 0;
  #inARow = 0;
  #trials = 0;
  #successes = 0;
  #openings = 0;
  #openTime = 0;
  #triesAgainAt = 0;
  /** When trials closed it last; long ago for one that never opened, or was reset. */
  #closedAt = Number.NEGATIVE_INFINITY;

  /**
   * @param random Uniform in [0, 1).
   * @param onChange Hears of each transition as it is noticed: that to `half-open` by time waits
   *   until somebody asks, and tells when it was due.
   */
  constructor(
    settings: BreakerSettings,
    random: () => number,
    onChange: (transition: Transition) => void = () => {},
  ) {
    this.#settings = settings;
    this.#random = random;
    this.#onChange = onChange;
    this.#calls = new RecentCount(settings.window);
    this.#failures = new RecentCount(settings.window);
  }

  /** Takes other settings. Its state and history stay; with another `window`, counting starts anew. */
  configure(settings: BreakerSettings): void {
    if (settings.window !== this.#settings.window) {
      this.#calls = new RecentCount(settings.window);
      this.#failures = new RecentCount(settings.window);
    }
    this.#settings = settings;
  }

  /** @param now Milliseconds of a clock that does not step back, here and everywhere below. */
  state(now: number): BreakerState {
    // Nobody has to ask at the very moment: a state that is due is a state that is there.
    if (this.#state === 'open' && !this.#forced && now >= this.#triesAgainAt) {
      this.#change('half-open', this.#triesAgainAt, 'its open time is over');
    }
    return this.#state;
  }

  /** @returns Whether `acquire` would give a permit. */
  admits(now: number): boolean {
    const state = this.state(now);
    if (state === 'half-open') return this.#trials < this.#places;
    return state === 'closed';
  }

  /** @returns Leave for one attempt; `undefined` when there is none to give. */
  acquire(now: number): Permit | undefined {
    if (!this.admits(now)) return undefined;
    const generation = this.#generation;
    const trial = this.#state === 'half-open';
    if (trial) this.#trials += 1;
    let ended = false;
    let judged = false;
    const end = (verdict?: () => void): void => {
      if (ended) return;
      ended = true;
      if (generation !== this.#generation) return;
      if (trial && !judged) this.#trials -= 1;
      verdict?.();
    };
    return {
      answering: (now) => {
        if (ended || judged || !trial || generation !== this.#generation) return;
        judged = true;
        this.#trials -= 1;
        this.#succeeded(now);
      },
      success: (now) =>
        end(() => {
          if (!judged) this.#succeeded(now);
        }),
      failure: (now, reason) => end(() => this.#failed(now, reason)),
      release: () => end(),
    };
  }

  /** @returns When an open one lets trial calls through; `undefined` when it is not open, or forced. */
  triesAgainAt(now: number): number | undefined {
    return this.state(now) === 'open' && !this.#forced ? this.#triesAgainAt : undefined;
  }

  /** Holds it open or closed, whatever calls do, until `reset`. */
  force(state: 'open' | 'closed', now: number): void {
    this.#forced = true;
    this.#change(state, now, `forced ${state}`);
  }

  /** Closes it and forgets all that was counted. */
  reset(now: number): void {
    this.#forced = false;
    this.#change('closed', now, 'reset');
    this.#closedAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * Ends the open time early, for an instance that was out of reach and is back. Not for each good
   * probe: an instance may be well and still fail every call.
   */
  tryNow(now: number, reason: string): void {
    if (this.state(now) === 'open' && !this.#forced) this.#change('half-open', now, reason);
  }

  view(now: number): BreakerView {
    return {
      state: this.state(now),
      forced: this.#forced,
      triesAgainAt: this.triesAgainAt(now),
      failuresInARow: this.#inARow,
      calls: this.#calls.value(now),
      failures: this.#failures.value(now),
      trials: this.#trials,
      history: [...this.#history],
    };
  }

  get #places(): number {
    return this.#settings.trials ?? this.#settings.successThreshold;
  }

  #succeeded(now: number): void {
    if (this.#forced) return;
    if (this.#state === 'half-open') {
      this.#successes += 1;
      if (this.#successes < this.#settings.successThreshold) return;
      this.#change('closed', now, `${count(this.#successes, 'trial call')} went well`);
      this.#closedAt = now;
      return;
    }
    this.#inARow = 0;
    this.#calls.add(now);
  }

  #failed(now: number, reason: string): void {
    if (this.#forced) return;
    if (this.#state === 'half-open') {
      this.#open(now, `a trial call failed: ${reason}`);
      return;
    }
    this.#inARow += 1;
    this.#calls.add(now);
    this.#failures.add(now);
    if (this.#inARow >= this.#settings.failureThreshold) {
      this.#open(now, `${count(this.#inARow, 'failure')} in a row, the last: ${reason}`);
    } else this.#judgeRate(now);
  }

  #judgeRate(now: number): void {
    const { failureRate, minimumCalls } = this.#settings;
    if (failureRate === undefined) return;
    const calls = this.#calls.value(now);
    const failures = this.#failures.value(now);
    if (calls < minimumCalls || failures < failureRate * calls) return;
    this.#open(now, `${failures} of the last ${calls} calls failed`);
  }

  #open(now: number, reason: string): void {
    const { openFor } = this.#settings;
    const again = this.#state === 'half-open' || now - this.#closedAt < this.#openTime;
    this.#openings = again ? this.#openings + 1 : 1;
    const most = Math.max(openFor, Math.min(MOST_GROWTH * openFor, LONGEST));
    const base = Math.min(openFor * 2 ** (this.#openings - 1), most);
    this.#openTime = base * (1 + JITTER * (2 * this.#random() - 1));
    this.#triesAgainAt = now + this.#openTime;
    this.#change('open', now, reason);
  }

  #change(to: BreakerState, at: number, reason: string): void {
    this.#state = to;
    this.#generation += 1;
    this.#inARow = 0;
    this.#trials = 0;
    this.#successes = 0;
    this.#calls.clear();
    this.#failures.clear();
    const transition: Transition = { at, to, reason, ...(this.#forced && { forced: true }) };
    this.#history.push(transition);
    if (this.#history.length > HISTORY) this.#history.shift();
    this.#onChange(transition);
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
