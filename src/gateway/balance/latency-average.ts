/** Milliseconds in which an old peak falls to 1/e of itself. */
const TIME_CONSTANT = 10_000;
/** Milliseconds; a sample of 0 would read as never measured. */
const LEAST_SAMPLE = 0.01;

/**
 * Peak-sensitive moving average of a duration: a slower sample counts at once and whole, quicker
 * ones win it back over 10 s. With no samples it fades, so that an instance which was slow, and so
 * is not picked, gets another try (Finagle's peak EWMA).
 */
export class LatencyAverage {
  #value = 0;
  #at = 0;

  /**
   * @param sample Milliseconds.
   * @param now Milliseconds, of any clock; one that steps back counts as standing still.
   */
  observe(sample: number, now: number): void {
    const least = Math.max(sample, LEAST_SAMPLE);
    if (least >= this.#value) this.#value = least;
    else {
      const kept = this.#kept(now);
      this.#value = this.#value * kept + least * (1 - kept);
    }
    this.#at = Math.max(this.#at, now);
  }

  /** @returns Milliseconds as of `now`; 0 when never measured. */
  value(now: number): number {
    return this.#value * this.#kept(now);
  }

  #kept(now: number): number {
    return Math.exp(-Math.max(0, now - this.#at) / TIME_CONSTANT);
  }
}
