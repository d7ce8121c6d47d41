import type { Percentiles } from './status.ts';

/** Each bucket's end is this many times its beginning, so that its middle is within 4.8 % of all in it. */
const GROWTH = 1.1;
const PER_LOG = 1 / Math.log(GROWTH);
/** Milliseconds; what is shorter counts as this. */
const SHORTEST = 0.1;
/** Up to 2.9 hours; what is longer counts as that. */
const BUCKETS = 194;
/** Of a bucket's end: as far from that as from its beginning, in proportion. */
const MIDDLE = 2 / (1 + GROWTH);

const SLICES = 12;
/** Milliseconds. */
const SLICE = 5000;

/**
 * The durations of the last minute by their size, in constant memory: percentiles within 5 %.
 * The minute is kept in slices, so that it reaches back between 55 and 60 seconds.
 */
export class Durations {
  // Made for the first one: most instances and models are idle, and there may be a thousand.
  #counts: Uint32Array | undefined;
  #latest = Number.NEGATIVE_INFINITY;

  /**
   * @param now Milliseconds of a clock that does not step back, here and everywhere below.
   * @param duration Milliseconds.
   */
  add(now: number, duration: number): void {
    this.#counts ??= new Uint32Array(SLICES * BUCKETS);
    this.#advance(now);
    this.#counts[(this.#latest % SLICES) * BUCKETS + bucketOf(duration)]! += 1;
  }

  /** @returns By nearest rank; `undefined` without any durations. */
  percentiles(now: number): Percentiles | undefined {
    const counts = this.#merged(now);
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return undefined;
    const at = (share: number): number => {
      const rank = Math.ceil(share * total);
      let seen = 0;
      const index = counts.findIndex((count) => (seen += count) >= rank);
      return endOf(index) * MIDDLE;
    };
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
  }

  /** @returns How many there were, up to `until` milliseconds each, from the first to the last step with any. */
  histogram(now: number): { until: number; count: number }[] {
    const steps = Array.from(this.#merged(now), (count, bucket) => ({
      until: endOf(bucket),
      count,
    }));
    const first = steps.findIndex(({ count }) => count > 0);
    return first < 0 ? [] : steps.slice(first, steps.findLastIndex(({ count }) => count > 0) + 1);
  }

  #merged(now: number): Uint32Array {
    const merged = new Uint32Array(BUCKETS);
    if (!this.#counts) return merged;
    this.#advance(now);
    for (let index = 0; index < this.#counts.length; index++)
      merged[index % BUCKETS]! += this.#counts[index]!;
    return merged;
  }

  #advance(now: number): void {
    const current = Math.max(0, Math.floor(now / SLICE));
    if (current <= this.#latest) return;
    const first = Math.max(this.#latest + 1, current - SLICES + 1, 0);
    for (let slice = first; slice <= current; slice++) {
      const at = (slice % SLICES) * BUCKETS;
      this.#counts!.fill(0, at, at + BUCKETS);
    }
    this.#latest = current;
  }
}

function bucketOf(duration: number): number {
  if (!(duration > SHORTEST)) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(duration / SHORTEST) * PER_LOG));
}

/** The longest duration of a bucket, in milliseconds. */
function endOf(bucket: number): number {
  return SHORTEST * GROWTH ** bucket;
}
