import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Durations } from '../../src/observe/durations.ts';
import type { Percentiles } from '../../src/observe/status.ts';

const SHARES = [
  ['p50', 0.5],
  ['p95', 0.95],
  ['p99', 0.99],
] as const satisfies [keyof Percentiles, number][];

/** By nearest rank. */
function exact(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1]!;
}

/** A tenth of a millisecond to two hours, evenly over their sizes. */
const duration = fc.double({ min: -1, max: 6.85, noNaN: true }).map((power) => 10 ** power);

describe('percentiles', () => {
  it('are within 5 % of the exact ones, whatever the durations', () => {
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 400 }), (samples) => {
        const durations = new Durations();
        for (const sample of samples) durations.add(1000, sample);
        const found = durations.percentiles(1000)!;
        for (const [name, share] of SHARES) {
          const wanted = exact(samples, share);
          expect(Math.abs(found[name] - wanted) / wanted).toBeLessThanOrEqual(0.05);
        }
      }),
    );
  });

  it('are those of the last minute: of 55 seconds at least, of no more than 60', () => {
    const timed = fc.record({ gap: fc.integer({ min: 0, max: 9000 }), sample: duration });
    fc.assert(
      fc.property(fc.array(timed, { minLength: 1, maxLength: 100 }), (calls) => {
        const durations = new Durations();
        const seen: { at: number; sample: number }[] = [];
        let now = 0;
        for (const { gap, sample } of calls) {
          now += gap;
          durations.add(now, sample);
          seen.push({ at: now, sample });
          const kept = durations.histogram(now).reduce((sum, { count }) => sum + count, 0);
          const within = (span: number) => seen.filter(({ at }) => at > now - span).length;
          expect(kept).toBeGreaterThanOrEqual(within(55_000));
          expect(kept).toBeLessThanOrEqual(within(60_000));
        }
        expect(durations.percentiles(now + 60_000)).toBeUndefined();
        expect(durations.percentiles(now + 1e9)).toBeUndefined();
      }),
    );
  });

  it('are absent when there was nothing', () => {
    expect(new Durations().percentiles(0)).toBeUndefined();
    expect(new Durations().histogram(0)).toEqual([]);
  });

  it('take what is out of all proportion for the shortest and the longest that they know', () => {
    const durations = new Durations();
    for (const odd of [0, -1, Number.NaN]) durations.add(0, odd);
    expect(durations.percentiles(0)!.p99).toBeLessThanOrEqual(0.1);
    for (let count = 0; count < 300; count++) durations.add(0, 1e12);
    expect(durations.percentiles(0)!.p99).toBeGreaterThan(9e6);
  });
});

describe('the histogram', () => {
  it('counts each duration once, in growing steps that hold it', () => {
    const durations = new Durations();
    const samples = [1, 1.2, 5, 80, 81, 82, 4000];
    for (const sample of samples) durations.add(0, sample);
    const steps = durations.histogram(0);
    expect(steps.reduce((sum, { count }) => sum + count, 0)).toBe(samples.length);
    expect(steps[0]!.count).toBeGreaterThan(0);
    expect(steps.at(-1)!.count).toBe(1);
    for (const [index, { until }] of steps.entries()) {
      expect(until).toBeGreaterThan(steps[index - 1]?.until ?? 0);
      const below = samples.filter((sample) => sample <= until).length;
      const counted = steps.slice(0, index + 1).reduce((sum, { count }) => sum + count, 0);
      expect(counted).toBe(below);
    }
  });
});
