import { createHistogram } from 'node:perf_hooks';
import { LatencyAverage } from '../gateway/balance/latency-average.ts';

/** Answers that say what is usual, and after which what was usual is forgotten. */
const ENOUGH = 20;
const FORGET_AFTER = 1000;

/** How long an instance's answers take to begin, in milliseconds. */
export class FirstBytes {
  readonly #average = new LatencyAverage();
  // Small: two digits, up to an hour; there may be a thousand instances.
  readonly #histogram = createHistogram({ lowest: 1, highest: 3_600_000, figures: 2 });

  observe(sample: number, now: number): void {
    this.#average.observe(sample, now);
    if (this.#histogram.count >= FORGET_AFTER) this.#histogram.reset();
    this.#histogram.record(Math.max(1, Math.round(sample)));
  }

  /** @returns Their average, in which slow ones weigh more; 0 when there was none. */
  average(now: number): number {
    return this.#average.value(now);
  }

  /** @returns What 19 of 20 answers keep; `undefined` after a few only. */
  usual(): number | undefined {
    return this.#histogram.count < ENOUGH ? undefined : this.#histogram.percentile(95);
  }
}
