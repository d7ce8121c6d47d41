import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leakyBucket } from '../../../../src/gateway/protect/limiters/leaky-bucket.ts';

const INTERVAL = 100;

/** 10/s; takes a call if it is admitted. */
function shaper(capacity: number) {
  const limiter = leakyBucket({ rate: { count: 10, per: 1000 }, capacity });
  const state = limiter.initial(0);
  return {
    limiter,
    state,
    come: (now: number, cost = 1) =>
      limiter.wait(state, now, cost) > 0 ? undefined : limiter.take(state, now, cost),
    leave: (now: number, receipt: number, cost = 1) => limiter.refund(state, now, receipt, cost),
  };
}

describe('a leaky bucket', () => {
  it('lets one call go at once, makes its capacity wait evenly, and refuses the next', () => {
    const { come, limiter, state } = shaper(3);
    expect([come(0), come(0), come(0), come(0), come(0)]).toEqual([0, 100, 200, 300, undefined]);
    expect(limiter.wait(state, 0, 1)).toBe(100);
    expect(come(100)).toBe(400);
  });

  it('delays nobody who comes more slowly than its rate', () => {
    const { come } = shaper(3);
    for (let now = 0; now < 10_000; now += 130) expect(come(now)).toBe(now);
  });

  it('queues as many as the rate names when no capacity is set', () => {
    expect(leakyBucket({ rate: { count: 5, per: 1000 } }).limit).toBe(6);
    expect(leakyBucket({ rate: { count: 0.5, per: 1000 } }).limit).toBe(2);
  });

  it('keeps the order they came in and its spacing, and makes nobody wait longer than it says', () => {
    const calls = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 250 })), {
      maxLength: 150,
      size: 'max',
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), calls, (capacity, gaps) => {
        const { come } = shaper(capacity);
        let now = 0;
        let last = -INTERVAL;
        for (const gap of gaps) {
          now += gap;
          const departure = come(now);
          if (departure === undefined) {
            // Refused only when as many wait as may.
            expect(last - now).toBeGreaterThan((capacity - 1) * INTERVAL);
            continue;
          }
          // At once or right behind the one before: evenly, and never later than need be.
          expect(departure).toBe(Math.max(now, last + INTERVAL));
          expect(departure - now).toBeLessThanOrEqual(capacity * INTERVAL);
          last = departure;
        }
      }),
    );
  });

  it('gives the last place back to the end of the line', () => {
    const { come, leave } = shaper(3);
    const receipts = [come(0), come(0), come(0), come(0)];
    leave(10, receipts[3]!);
    expect(come(20)).toBe(300);
    expect(come(20)).toBeUndefined();
  });

  it('gives a place in the middle to the next who comes, and leaves the others theirs', () => {
    const { come, leave } = shaper(3);
    const receipts = [come(0), come(0), come(0), come(0)];
    leave(10, receipts[1]!);
    expect(come(20)).toBe(100);
    expect(come(20)).toBeUndefined();
    expect(come(110)).toBe(400);
  });

  it('is as new when all who waited have left, in any order', () => {
    const order = fc.shuffledSubarray([1, 2, 3, 4, 5], { minLength: 5 });
    fc.assert(
      fc.property(order, (leavers) => {
        const { come, leave, limiter, state } = shaper(5);
        const receipts = Array.from({ length: 6 }, () => come(0)!);
        for (const leaver of leavers) leave(50, receipts[leaver]!);
        expect(limiter.resetAfter(state, 50)).toBe(50);
        expect(Array.from({ length: 6 }, () => come(50))).toEqual([
          100,
          200,
          300,
          400,
          500,
          undefined,
        ]);
      }),
    );
  });

  it('does not give away a place whose time has come', () => {
    const { come, leave } = shaper(3);
    const receipts = [come(0), come(0), come(0)];
    leave(150, receipts[1]!);
    // Half of that interval is over: a call at 150 would be too near to the one at 200.
    expect(come(150)).toBe(300);
  });

  it('lets a dear call take several turns, and their place a cheaper one', () => {
    const { come, leave } = shaper(9);
    expect(come(0, 3)).toBe(0);
    const dear = come(0, 4)!;
    expect(dear).toBe(300);
    expect(come(0)).toBe(700);
    leave(0, dear, 4);
    expect(come(0, 5)).toBe(800);
    expect(come(0, 3)).toBe(300);
    expect(come(0)).toBe(600);
  });

  it('never gives one time to two, whoever comes and leaves', () => {
    const steps = fc.array(
      fc.record({
        gap: fc.integer({ min: 0, max: 120 }),
        cost: fc.integer({ min: 1, max: 3 }),
        leaves: fc.option(fc.nat(20), { nil: undefined, freq: 2 }),
        extra: fc.integer({ min: -3, max: 3 }),
      }),
      { maxLength: 120, size: 'max' },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const { come, leave, limiter, state } = shaper(8);
        const waiting: { at: number; cost: number }[] = [];
        let now = 0;
        for (const { gap, cost, leaves, extra } of list) {
          now += gap;
          const at = come(now, cost);
          if (at !== undefined) {
            const end = at + cost * INTERVAL;
            for (const other of waiting) {
              const apart = other.at + other.cost * INTERVAL <= at + 1e-6 || end <= other.at + 1e-6;
              expect(apart, `${at} and ${other.at}`).toBe(true);
            }
            waiting.push({ at, cost });
          } else if (extra > 0) {
            limiter.settle(state, now, now, extra);
          }
          if (leaves !== undefined && leaves < waiting.length) {
            const [gone] = waiting.splice(leaves, 1);
            leave(now, gone!.at, gone!.cost);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('moves nobody who waits when an estimate was too high', () => {
    const { come, limiter, state } = shaper(9);
    const first = come(0, 5)!;
    expect(come(0)).toBe(500);
    limiter.settle(state, 100, first, -4);
    // 400 ms come back, but the line can't begin before the call that waits for 500.
    expect(come(100)).toBe(500);
    expect(come(100)).toBe(600);
  });
});
