import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyAverage } from '../../../src/gateway/balance/latency-average.ts';

describe('latency average', () => {
  it('is 0 when never measured', () => {
    expect(new LatencyAverage().value(1e6)).toBe(0);
  });

  it('rises at once and whole', () => {
    const average = new LatencyAverage();
    average.observe(100, 0);
    average.observe(900, 1);
    expect(average.value(1)).toBe(900);
  });

  it('comes down towards quicker samples over 10 s', () => {
    const average = new LatencyAverage();
    average.observe(1000, 0);
    average.observe(100, 10_000);
    expect(average.value(10_000)).toBeCloseTo(100 + 900 / Math.E, 6);
  });

  it('hardly comes down by many quick samples in a moment', () => {
    const average = new LatencyAverage();
    average.observe(1000, 0);
    for (let n = 0; n < 100; n++) average.observe(10, 1);
    expect(average.value(1)).toBeGreaterThan(990);
  });

  it('fades without samples, so that a slow instance gets another try', () => {
    const average = new LatencyAverage();
    average.observe(1000, 0);
    expect(average.value(10_000)).toBeCloseTo(1000 / Math.E, 6);
    expect(average.value(30_000)).toBeLessThan(50);
  });

  it('counts an answer in no time as measured', () => {
    const average = new LatencyAverage();
    average.observe(0, 5);
    expect(average.value(5)).toBeGreaterThan(0);
  });

  it('stands still while the clock steps back', () => {
    const average = new LatencyAverage();
    average.observe(100, 10_000);
    expect(average.value(3000)).toBe(100);
    average.observe(50, 3000);
    expect(average.value(10_000)).toBe(100);
  });

  it('stays between the least and the greatest sample while they keep coming', () => {
    const samples = fc.array(fc.double({ min: 1, max: 1e5, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(samples, fc.integer({ min: 0, max: 60_000 }), (values, gap) => {
        const average = new LatencyAverage();
        values.forEach((value, n) => {
          average.observe(value, n * gap);
          expect(average.value(n * gap)).toBeGreaterThanOrEqual(Math.min(...values) * (1 - 1e-9));
          expect(average.value(n * gap)).toBeLessThanOrEqual(Math.max(...values) * (1 + 1e-9));
        });
      }),
    );
  });
});
