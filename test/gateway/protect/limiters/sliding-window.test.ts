import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slidingWindow } from '../../../../src/gateway/protect/limiters/sliding-window.ts';

const PER = 1000;

const step = fc.record({
  gap: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 700 })),
  cost: fc.integer({ min: 1, max: 6 }),
  fate: fc.oneof(
    { weight: 6, arbitrary: fc.constant('keep' as const) },
    { weight: 2, arbitrary: fc.constant('refund' as const) },
    { weight: 2, arbitrary: fc.integer({ min: -5, max: 8 }) },
  ),
});

describe('a sliding window', () => {
  it('decides every call as a list of all charges does, whatever comes when', () => {
    let refused = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(step, { maxLength: 150, size: 'max' }),
        (count, steps) => {
          const limiter = slidingWindow({ rate: { count, per: PER } });
          const state = limiter.initial(0);
          const charged: { at: number; cost: number }[] = [];
          let open: { at: number; cost: number; fate: 'keep' | 'refund' | number }[] = [];
          let now = 0;
          for (const { gap, cost: wanted, fate } of steps) {
            now += gap;
            // Half of the calls that were let through are made up for, a step or more later.
            const due = open.filter((_call, index) => index % 2 === 0);
            open = open.filter((_call, index) => index % 2 === 1);
            for (const call of due) {
              const change = call.fate === 'refund' ? -call.cost : Number(call.fate);
              const bounded = Math.max(change, -call.cost);
              if (call.fate === 'refund') limiter.refund(state, now, call.at, call.cost);
              else limiter.settle(state, now, call.at, bounded);
              charged.push({ at: bounded > 0 ? now : call.at, cost: bounded });
            }
            const used = charged
              .filter(({ at }) => at + PER > now)
              .reduce((sum, { cost }) => sum + cost, 0);
            const cost = Math.min(wanted, count);
            expect(limiter.remaining(state, now)).toBe(Math.max(0, count - used));
            expect(limiter.wait(state, now, cost) === 0).toBe(used + cost <= count);
            if (used + cost > count) {
              refused++;
              continue;
            }
            charged.push({ at: limiter.take(state, now, cost), cost });
            if (fate !== 'keep') open.push({ at: now, cost, fate });
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(1000);
  });

  it('waits for as many old calls as a dear one needs gone', () => {
    const limiter = slidingWindow({ rate: { count: 4, per: PER } });
    const state = limiter.initial(0);
    for (const at of [0, 100, 200, 300]) limiter.take(state, at, 1);
    expect([1, 2, 3, 4].map((cost) => limiter.wait(state, 300, cost))).toEqual([
      700, 800, 900, 1000,
    ]);
    expect(limiter.wait(state, 300, 5)).toBe(Infinity);
  });

  it('remembers 100,000 calls of one key, and not one more', () => {
    const limiter = slidingWindow({ rate: { count: 100_000, per: 60_000 } });
    const state = limiter.initial(0);
    let passed = 0;
    for (let now = 0; now < 120_000; now += 0.25) {
      if (limiter.wait(state, now, 1) > 0) continue;
      limiter.take(state, now, 1);
      passed++;
      if (passed % 1000 === 0) expect(state.size).toBeLessThanOrEqual(100_000);
    }
    expect(passed).toBe(200_000);
  });

  it('does not grow with calls that are refunded', () => {
    const limiter = slidingWindow({ rate: { count: 10, per: 60_000 } });
    const state = limiter.initial(0);
    for (let now = 0; now < 50_000; now++) {
      // Between two that are kept for a while: these cannot simply be taken off the end.
      const receipt = limiter.take(state, now, 1);
      const next = limiter.take(state, now + 0.5, 1);
      limiter.refund(state, now, receipt, 1);
      limiter.refund(state, now, next, 1);
      if (now % 5000 === 0) limiter.take(state, now + 0.75, 1);
      expect(state.size).toBeLessThan(100);
    }
    expect(limiter.remaining(state, 50_000)).toBe(0);
  });

  it('turns a rate below one call into one call in a longer window', () => {
    const limiter = slidingWindow({ rate: { count: 0.5, per: 1000 } });
    const state = limiter.initial(0);
    limiter.take(state, 0, 1);
    expect(limiter.wait(state, 1500, 1)).toBe(500);
  });
});
