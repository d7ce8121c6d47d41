import type { Limiter } from './limiters/limiter.ts';

/** Keys remembered for one limit at the most. */
const MOST_KEYS = 100_000;
/** Keys looked at when one has to go that is not idle. */
const SAMPLE = 8;

/**
 * The state of each key (client, model, …) that a limit counts by itself. Each access looks at the
 * next key or two in turn and forgets it if it is idle, so that no timer is needed and a key that
 * stays away is gone within one round. With `most` keys busy at once, a new one takes the place of
 * the nearest to idle among a few.
 */
export class KeyedStates<S> {
  readonly #limiter: Limiter<S>;
  readonly #most: number;
  readonly #states = new Map<string, S>();
  #hand = this.#states.entries();

  constructor(limiter: Limiter<S>, most: number = MOST_KEYS) {
    this.#limiter = limiter;
    this.#most = most;
  }

  /** Keys remembered now. */
  get size(): number {
    return this.#states.size;
  }

  /** @returns `undefined` for a key that is as good as new. */
  peek(key: string): S | undefined {
    return this.#states.get(key);
  }

  /** The state of a key that is about to be charged. */
  state(key: string, now: number): S {
    // Before the look-up: a state that has been handed out must not be swept away.
    if (this.#states.size > 1) this.#sweep(now);
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    // Two looks for each key that is added: the hand comes round before the map has doubled.
    this.#sweep(now);
    if (this.#states.size >= this.#most) this.#giveUpOne(now);
    const state = this.#limiter.initial(now);
    this.#states.set(key, state);
    return state;
  }

  #sweep(now: number): void {
    const entry = this.#next();
    if (entry !== undefined && this.#limiter.idle(entry[1], now)) this.#states.delete(entry[0]);
  }

  #giveUpOne(now: number): void {
    let nearest: string | undefined;
    let soonest = Infinity;
    for (let look = 0; look < SAMPLE; look++) {
      const entry = this.#next();
      if (entry === undefined) break;
      const reset = this.#limiter.resetAfter(entry[1], now);
      if (reset >= soonest) continue;
      [nearest] = entry;
      soonest = reset;
    }
    if (nearest !== undefined) this.#states.delete(nearest);
  }

  #next(): [string, S] | undefined {
    const { done, value } = this.#hand.next();
    if (!done) return value;
    this.#hand = this.#states.entries();
    const first = this.#hand.next();
    return first.done ? undefined : first.value;
  }
}
