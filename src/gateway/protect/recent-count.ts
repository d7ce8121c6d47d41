const SLICES = 10;

/**
 * How often something happened lately, in constant memory: ten slices of the window, of which the
 * oldest falls away as a new one begins. So it covers between nine tenths of the window and all of it.
 */
export class RecentCount {
  readonly #width: number;
  readonly #slices: number[] = Array.from({ length: SLICES }, () => 0);
  /** Slices since the clock's beginning, up to the one that is being filled. */
  #latest = Number.NEGATIVE_INFINITY;
  #sum = 0;

  /** @param window Milliseconds, above 0. */
  constructor(window: number) {
    this.#width = window / SLICES;
  }

  /** @param now Milliseconds; a clock that steps back counts as standing still. */
  add(now: number): void {
    this.#advance(now);
    this.#slices[this.#latest % SLICES]! += 1;
    this.#sum += 1;
  }

  /** @returns How often, as of `now`. */
  value(now: number): number {
    this.#advance(now);
    return this.#sum;
  }

  clear(): void {
    this.#slices.fill(0);
    this.#sum = 0;
  }

  #advance(now: number): void {
    const current = Math.max(0, Math.floor(now / this.#width));
    if (current <= this.#latest) return;
    // After a long silence all slices are old; a loop over the time between would never end.
    const first = Math.max(0, this.#latest + 1, current - SLICES + 1);
    for (let slice = first; slice <= current; slice++) {
      this.#sum -= this.#slices[slice % SLICES]!;
      this.#slices[slice % SLICES] = 0;
    }
    this.#latest = current;
  }
}
