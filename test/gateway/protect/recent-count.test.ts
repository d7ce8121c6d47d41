import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecentCount } from '../../../src/gateway/protect/recent-count.ts';

const times = fc
  .array(fc.double({ min: 0, max: 500, noNaN: true }), { minLength: 1, maxLength: 100 })
  .map((gaps) => {
    let now = 0;
    return gaps.map((gap) => (now += gap));
  });

it('a recent count has all of nine tenths of its window, and nothing older than all of it', () => {
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 5000 }), (moments, window) => {
      const count = new RecentCount(window);
      moments.forEach((now, index) => {
        count.add(now);
        const younger = (age: number) =>
          moments.slice(0, index + 1).filter((then) => now - then < age).length;
        expect(count.value(now)).toBeGreaterThanOrEqual(younger(0.9 * window - 1e-6));
        expect(count.value(now)).toBeLessThanOrEqual(younger(window + 1e-6));
      });
    }),
  );
});

it('a recent count forgets after any silence, and on demand', () => {
  const count = new RecentCount(1000);
  for (let n = 0; n < 5; n++) count.add(n * 100);
  expect(count.value(1e15)).toBe(0);
  count.add(1e15);
  count.clear();
  expect(count.value(1e15)).toBe(0);
});

it('a recent count takes a clock that steps back for one that stands still', () => {
  const count = new RecentCount(1000);
  count.add(5000);
  count.add(100);
  expect(count.value(0)).toBe(2);
  expect(count.value(6000)).toBe(0);
});
