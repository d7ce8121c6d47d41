import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITERS } from '../../../../src/gateway/protect/limiters/index.ts';
import type {
  Algorithm,
  Limiter,
  LimiterSettings,
} from '../../../../src/gateway/protect/limiters/limiter.ts';
import type { Rate } from '../../../../src/config/units.ts';
import { ALGORITHMS, arrivals, fitting, settings, start } from './arrivals.ts';

interface Passed {
  /** By a clock that never errs. */
  readonly at: number;
  /** By the limiter's own. */
  readonly seen: number;
  readonly cost: number;
}

/** Rounding of a clock that counts from 1970, in calls. */
const ROUNDING = 0.01;

/** By how much the calls that passed break what each algorithm promises; 0 or less is none. */
const EXCESS: Record<Algorithm, (passed: readonly Passed[], numbers: LimiterSettings) => number> = {
  'token-bucket': (passed, { rate, capacity = rate.count }) => bucketExcess(passed, rate, capacity),

  'warm-up': (passed, { rate, capacity = rate.count / 3 }) => bucketExcess(passed, rate, capacity),

  'sliding-window': (passed, { rate }) => {
    const { count, per } = atLeastOne(rate);
    return mostOf(passed, (length, cost) => (length < per - 0.001 ? cost - count : 0));
  },

  'fixed-window': (passed, { rate }) => {
    const { count, per } = atLeastOne(rate);
    const used = new Map<number, number>();
    // A window lasts longer when the clock steps back over its edge; it is still one window.
    let current = -1;
    for (const { seen, cost } of passed) {
      current = Math.max(current, Math.floor(seen / per));
      used.set(current, (used.get(current) ?? 0) + cost);
    }
    return Math.max(...used.values()) - count;
  },

  'leaky-bucket': (passed, { rate: { count, per } }) =>
    Math.max(
      ...passed.slice(1).map(({ at }, index) => {
        const before = passed[index]!;
        return before.cost - ((at - before.at) * count) / per - ROUNDING;
      }),
    ),
};

function bucketExcess(passed: readonly Passed[], { count, per }: Rate, capacity: number): number {
  const burst = Math.max(1, capacity) + ROUNDING;
  return mostOf(passed, (length, cost) => cost - burst - (length * count) / per);
}

function atLeastOne({ count, per }: Rate): Rate {
  return count < 1 ? { count: 1, per: per / count } : { count, per };
}

/** The most that `measure` finds in the span from any call to the same or a later one. */
function mostOf(
  passed: readonly Passed[],
  measure: (length: number, cost: number) => number,
): number {
  let most = -Infinity;
  passed.forEach((first, index) => {
    let cost = 0;
    for (const last of passed.slice(index)) {
      cost += last.cost;
      most = Math.max(most, measure(last.at - first.at, cost));
    }
  });
  return most;
}

describe.each(ALGORITHMS)('no span of time sees more than it may: %s', (algorithm) => {
  const steps = {
    'by a steady clock': fc.constant(0),
    'by a clock that sometimes steps back': fc.oneof(
      { weight: 5, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.double({ min: 0, max: 2500, noNaN: true }) },
    ),
  };
  it.each(Object.entries(steps))('%s', (_name, step) => {
    let most = 0;
    const calls = arrivals({ maxCost: 4 }).chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.array(step, { minLength: list.length, maxLength: list.length }),
      ),
    );
    fc.assert(
      fc.property(settings, start, calls, (numbers, from, [list, back]) => {
        const limiter: Limiter = LIMITERS[algorithm](numbers);
        const state = limiter.initial(from);
        const passed: Passed[] = [];
        let at = from;
        let lost = 0;
        list.forEach(({ gap, cost: wanted }, index) => {
          at += gap;
          lost += back[index]!;
          const seen = at - lost;
          if (seen < 0) return;
          const cost = fitting(limiter, wanted);
          if (limiter.wait(state, seen, cost) > 0) return;
          const receipt = limiter.take(state, seen, cost);
          passed.push({ at: limiter.shapes ? receipt + lost : at, seen, cost });
        });
        expect(EXCESS[algorithm](passed, numbers)).toBeLessThanOrEqual(0);
        most = Math.max(most, passed.length);
      }),
      { numRuns: 300 },
    );
    expect(most).toBeGreaterThan(10);
  });

  it('when calls are refunded at any time', () => {
    let refunds = 0;
    const calls = fc.array(
      fc.record({
        gap: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1500 })),
        cost: fc.integer({ min: 1, max: 4 }),
        /** How many calls later it is refunded; 0: never. */
        refundAfter: fc.integer({ min: 0, max: 6 }),
      }),
      { maxLength: 100, size: 'max' },
    );
    fc.assert(
      fc.property(settings, start, calls, (numbers, from, list) => {
        const limiter: Limiter = LIMITERS[algorithm](numbers);
        const state = limiter.initial(from);
        const passed: (Passed & { receipt: number; until: number; refunded?: boolean })[] = [];
        let now = from;
        list.forEach(({ gap, cost: wanted, refundAfter }, index) => {
          now += gap;
          for (const call of passed) {
            if (call.until !== index) continue;
            limiter.refund(state, now, call.receipt, call.cost);
            call.refunded = true;
            refunds++;
          }
          const cost = fitting(limiter, wanted);
          if (limiter.wait(state, now, cost) > 0) return;
          const receipt = limiter.take(state, now, cost);
          const at = limiter.shapes ? receipt : now;
          const until = refundAfter === 0 ? -1 : index + refundAfter;
          passed.push({ at, seen: now, cost, receipt, until });
        });
        const stayed = passed.filter(({ refunded }) => refunded !== true);
        stayed.sort((a, b) => a.at - b.at);
        expect(EXCESS[algorithm](stayed, numbers)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 300 },
    );
    expect(refunds).toBeGreaterThan(100);
  });
});
