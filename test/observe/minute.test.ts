import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Minute } from '../../src/observe/minute.ts';

describe('the last minute', () => {
  it('has the sum of each of its 60 seconds, whatever comes when', () => {
    const step = fc.record({
      gap: fc.integer({ min: 0, max: 20_000 }),
      amount: fc.integer({ min: 0, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const minute = new Minute();
        const added: { second: number; amount: number }[] = [];
        let now = 123;
        for (const { gap, amount } of steps) {
          now += gap;
          minute.add(now, amount);
          added.push({ second: Math.floor(now / 1000), amount });
        }
        const latest = Math.floor(now / 1000);
        const expected = Array.from({ length: 60 }, (_, index) =>
          added
            .filter(({ second }) => second === latest - 59 + index)
            .reduce((sum, { amount }) => sum + amount, 0),
        );
        expect(minute.perSecond(now)).toEqual(expected);
        expect(minute.total(now)).toBe(expected.reduce((sum, amount) => sum + amount, 0));
      }),
    );
  });

  it('is empty again after it', () => {
    const minute = new Minute();
    minute.add(5000, 3);
    expect(minute.total(64_999)).toBe(3);
    expect(minute.total(65_000)).toBe(0);
    expect(minute.total(1e12)).toBe(0);
  });

  it('takes what came over a time evenly', () => {
    const minute = new Minute();
    minute.spread(12_500, 100, 2000);
    expect(minute.perSecond(12_500).slice(-4)).toEqual([0, 25, 50, 25]);
  });

  it('leaves out what came before it', () => {
    const minute = new Minute();
    minute.spread(1_000_500, 1000, 100_000);
    // 59 seconds and a half of the hundred.
    expect(minute.total(1_000_500)).toBeCloseTo(595, 6);
  });

  it('takes what came at once, or within its second, whole', () => {
    const minute = new Minute();
    minute.spread(7100, 3, 0);
    minute.spread(7200, 4, 150);
    expect(minute.total(7200)).toBe(7);
    minute.spread(100_000, 1, 1e-11);
    expect(minute.total(100_000)).toBe(1);
  });

  it('loses nothing that came within it', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 58_000, noNaN: true }),
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 100_000, max: 10_000_000 }),
        (span, amount, now) => {
          const minute = new Minute();
          minute.spread(now, amount, span);
          expect(minute.total(now)).toBeCloseTo(amount, 6);
        },
      ),
    );
  });
});
