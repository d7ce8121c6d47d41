/** Durations since the start by their size, as Prometheus wants its histograms. */
export class Buckets {
  readonly #bounds: readonly number[];
  /** How many were above the bound before and at most their own; the last one has no bound. */
  readonly #counts: Float64Array;
  #count = 0;
  #sum = 0;

  /** @param bounds Seconds, growing. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** @param duration Milliseconds. */
  add(duration: number): void {
    const seconds = duration / 1000;
    let index = 0;
    while (index < this.#bounds.length && seconds > this.#bounds[index]!) index += 1;
    this.#counts[index]! += 1;
    this.#count += 1;
    this.#sum += seconds;
  }

  get count(): number {
    return this.#count;
  }

  /** Seconds, of all together. */
  get sum(): number {
    return this.#sum;
  }

  /** @returns How many there were up to each bound, at last to none. */
  cumulative(): { bound: number; count: number }[] {
    let count = 0;
    return Array.from(this.#counts, (own, index) => {
      count += own;
      return { bound: this.#bounds[index] ?? Infinity, count };
    });
  }
}
