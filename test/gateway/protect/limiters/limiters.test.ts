import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITERS } from '../../../../src/gateway/protect/limiters/index.ts';
import type { Limiter, LimiterSettings } from '../../../../src/gateway/protect/limiters/limiter.ts';
import { ALGORITHMS, arrivals, fitting, run, settings, start } from './arrivals.ts';

describe.each(ALGORITHMS)('every limiter: %s', (algorithm) => {
  const make: (numbers: LimiterSettings) => Limiter = LIMITERS[algorithm];

  it('admits the first call, whatever its numbers', () => {
    fc.assert(
      fc.property(settings, start, (numbers, now) => {
        const limiter = make(numbers);
        expect(limiter.limit).toBeGreaterThanOrEqual(1);
        expect(limiter.wait(limiter.initial(now), now, 1)).toBe(0);
        expect(limiter.wait(limiter.initial(now), now, fitting(limiter, 1e9))).toBe(0);
      }),
    );
  });

  it('tells a refused client when it is admitted, to the millisecond', () => {
    let refusals = 0;
    const cost = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(
        settings,
        start,
        arrivals({ maxCost: 5 }),
        cost,
        (numbers, from, calls, wanted) => {
          const limiter = make(numbers);
          const { state, now } = run(limiter, from, calls);
          const cost = fitting(limiter, wanted);
          const wait = limiter.wait(state, now, cost);
          expect(Number.isInteger(wait)).toBe(true);
          expect(limiter.wait(state, now + wait, cost)).toBe(0);
          // What it is told in whole seconds holds too.
          expect(limiter.wait(state, now + Math.ceil(wait / 1000) * 1000, cost)).toBe(0);
          if (wait > 0) {
            refusals++;
            // A hundredth more than 1 ms sooner: a clock of the day counts in quarters of a microsecond.
            expect(limiter.wait(state, now + wait - 1.01, cost)).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 400 },
    );
    expect(refusals).toBeGreaterThan(20);
  });

  it('refuses for ever what costs more than it ever admits, and only that', () => {
    fc.assert(
      fc.property(settings, start, (numbers, now) => {
        const limiter = make(numbers);
        const wait = limiter.wait(limiter.initial(now), now, Math.floor(limiter.limit) + 1);
        // A shaper makes a big call wait no longer than a small one: those behind it wait for it.
        expect(wait).toBe(limiter.shapes ? 0 : Infinity);
      }),
    );
  });

  it('has as many calls remaining as it then admits', () => {
    fc.assert(
      fc.property(settings, start, arrivals({ maxCost: 3 }), (numbers, from, calls) => {
        const limiter = make(numbers);
        const { state, now } = run(limiter, from, calls);
        const remaining = limiter.remaining(state, now);
        for (let call = 0; call < remaining; call++) {
          expect(limiter.wait(state, now, 1)).toBe(0);
          limiter.take(state, now, 1);
        }
        expect(limiter.wait(state, now, 1)).toBeGreaterThan(0);
        expect(limiter.remaining(state, now)).toBe(0);
      }),
    );
  });

  it('is unused again when it says it will be', () => {
    fc.assert(
      fc.property(settings, start, arrivals({ maxCost: 3 }), (numbers, from, calls) => {
        const limiter = make(numbers);
        const { state, now } = run(limiter, from, calls);
        const reset = limiter.resetAfter(state, now);
        expect(Number.isInteger(reset)).toBe(true);
        expect(limiter.resetAfter(state, now + reset)).toBe(0);
        expect(limiter.remaining(state, now + reset)).toBe(Math.floor(limiter.limit));
        if (reset > 0) expect(limiter.idle(state, now)).toBe(false);
        else expect(limiter.remaining(state, now)).toBe(Math.floor(limiter.limit));
      }),
    );
  });

  it('treats an idle state as it treats a fresh one, so that it may be forgotten', () => {
    const calls = fc.tuple(arrivals(), fc.nat(300_000), arrivals({ maxCost: 3 }));
    fc.assert(
      fc.property(settings, start, calls, (numbers, from, [before, pause, after]) => {
        const limiter = make(numbers);
        const { state, now } = run(limiter, from, before);
        const then = now + pause;
        if (!limiter.idle(state, then)) return;
        const fresh = limiter.initial(then);
        let at = then;
        for (const { gap, cost: wanted } of after) {
          at += gap;
          const cost = fitting(limiter, wanted);
          const wait = limiter.wait(fresh, at, cost);
          expect(limiter.wait(state, at, cost)).toBe(wait);
          if (wait === 0) expect(limiter.take(state, at, cost)).toBe(limiter.take(fresh, at, cost));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is idle in the end', () => {
    fc.assert(
      fc.property(settings, start, arrivals({ maxCost: 3 }), (numbers, from, calls) => {
        const limiter = make(numbers);
        const { state, now } = run(limiter, from, calls);
        expect(limiter.idle(state, now + limiter.resetAfter(state, now) + 30_001)).toBe(true);
      }),
    );
  });

  it('is as before when a call is taken and refunded at once', () => {
    const cost = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(
        settings,
        start,
        arrivals({ maxCost: 3 }),
        cost,
        (numbers, from, calls, wanted) => {
          const limiter = make(numbers);
          const { state, now } = run(limiter, from, calls);
          const cost = fitting(limiter, wanted);
          if (limiter.wait(state, now, cost) > 0) return;
          const seen = () =>
            [0, 1, 10, 1000, 70_000].map((later) => limiter.remaining(state, now + later));
          const before = seen();
          limiter.refund(state, now, limiter.take(state, now, cost), cost);
          expect(seen()).toEqual(before);
        },
      ),
    );
  });

  it('charges what is owed even when nothing is left, and admits again once it is paid', () => {
    fc.assert(
      fc.property(settings, start, fc.integer({ min: 1, max: 500 }), (numbers, now, owed) => {
        const limiter = make(numbers);
        const state = limiter.initial(now);
        const receipt = limiter.take(state, now, 1);
        limiter.settle(state, now, receipt, Math.ceil(limiter.limit) + owed);
        expect(limiter.remaining(state, now)).toBe(0);
        const wait = limiter.wait(state, now, 1);
        expect(wait).toBeGreaterThan(0);
        expect(limiter.wait(state, now + wait, 1)).toBe(0);
      }),
    );
  });

  it('gives back what was estimated too high', () => {
    const limiter = make({ rate: { count: 100, per: 1000 }, capacity: 100 });
    const state = limiter.initial(5000);
    const receipt = limiter.take(state, 5000, 100);
    const left = limiter.remaining(state, 5000);
    limiter.settle(state, 5000, receipt, -60);
    // Those who come after a shaper's call still come after it.
    expect(limiter.remaining(state, 5000)).toBe(left + 60);
  });
});
