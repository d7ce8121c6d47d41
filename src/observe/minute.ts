const SECONDS = 60;

/** Sums over each of the last 60 seconds, in constant memory. Its clock must not step back. */
export class Minute {
  readonly #seconds = new Float64Array(SECONDS);
  /** The second that is being filled, since the clock's beginning. */
  #latest = Number.NEGATIVE_INFINITY;

  /** @param now Milliseconds, here and everywhere below. */
  add(now: number, amount: number): void {
    this.#advance(now);
    this.#seconds[this.#latest % SECONDS]! += amount;
  }

  /**
   * Adds what came evenly over a time that ends now: what was before the last minute is left out.
   * @param span Milliseconds.
   */
  spread(now: number, amount: number, span: number): void {
    this.#advance(now);
    const from = now - span;
    const oldest = Math.max(this.#latest - SECONDS + 1, Math.floor(from / 1000));
    if (oldest >= this.#latest) {
      this.#seconds[this.#latest % SECONDS]! += amount;
      return;
    }
    // Of the time as it was rounded: a span may be shorter than what is between two numbers.
    const each = amount / (now - from);
    for (let second = oldest; second <= this.#latest; second++) {
      const within = Math.min(now, (second + 1) * 1000) - Math.max(from, second * 1000);
      this.#seconds[second % SECONDS]! += each * within;
    }
  }

  total(now: number): number {
    this.#advance(now);
    let total = 0;
    for (const amount of this.#seconds) total += amount;
    return total;
  }

  /** @returns Each second's sum, the oldest first; the last one is not over yet. */
  perSecond(now: number): number[] {
    this.#advance(now);
    return Array.from(
      { length: SECONDS },
      (_, index) => this.#seconds[(this.#latest + 1 + index) % SECONDS]!,
    );
  }

  #advance(now: number): void {
    const current = Math.max(0, Math.floor(now / 1000));
    if (current <= this.#latest) return;
    // After a long silence all are old; a loop over the time between would never end.
    const first = Math.max(this.#latest + 1, current - SECONDS + 1, 0);
    for (let second = first; second <= current; second++) this.#seconds[second % SECONDS] = 0;
    this.#latest = current;
  }
}
