import { describe, expect, it } from 'vitest';
import type { Limiter } from '../../../../src/gateway/protect/limiters/limiter.ts';
import {
  COLD,
  WARM_UP,
  warmUp,
  type WarmUp,
} from '../../../../src/gateway/protect/limiters/warm-up.ts';

const RATE = 300;
const limiter = warmUp({ rate: { count: RATE, per: 1000 }, capacity: 3 });

/** Calls let through in each second when as many come as can. */
function bySecond(state: WarmUp, from: number, seconds: number): number[] {
  return Array.from({ length: seconds }, (_, second) =>
    passed(limiter, state, { from: from + second * 1000, to: from + (second + 1) * 1000 }),
  );
}

function passed(
  limiter: Limiter<WarmUp>,
  state: WarmUp,
  { from, to }: { from: number; to: number },
): number {
  let count = 0;
  for (let now = from; now < to; now += 0.5) {
    if (limiter.wait(state, now, 1) > 0) continue;
    limiter.take(state, now, 1);
    count++;
  }
  return count;
}

describe('a bucket that warms up', () => {
  it('begins at a third of its rate and ends at the whole', () => {
    const seconds = bySecond(limiter.initial(0), 0, 40);
    expect(seconds[0]).toBeGreaterThan(RATE * COLD * 0.95);
    expect(seconds[0]).toBeLessThan(RATE * COLD * 1.1);
    for (const warm of seconds.slice(WARM_UP / 1000)) {
      expect(warm).toBeGreaterThan(RATE * 0.98);
      expect(warm).toBeLessThanOrEqual(RATE + 3);
    }
  });

  it('grows evenly, and never slackens, under a steady load', () => {
    const seconds = bySecond(limiter.initial(0), 0, 40);
    const step = (RATE * (1 - COLD)) / (WARM_UP / 1000);
    seconds.slice(1).forEach((count, index) => {
      const growth = count - seconds[index]!;
      // One call more or less falls on either side of a second's edge.
      expect(growth).toBeGreaterThanOrEqual(-2);
      expect(growth).toBeLessThanOrEqual(step + 2);
    });
    const half = seconds[WARM_UP / 2000]!;
    expect(half).toBeGreaterThan(RATE * (COLD + (1 - COLD) / 2) * 0.97);
    expect(half).toBeLessThan(RATE * (COLD + (1 - COLD) / 2) * 1.05);
  });

  it('never lets more through than the ramp has come to', () => {
    const state = limiter.initial(0);
    let count = 0;
    for (let now = 0; now < 2 * WARM_UP; now += 1) {
      if (limiter.wait(state, now, 1) === 0) {
        limiter.take(state, now, 1);
        count++;
      }
      const ramp = Math.min(now, WARM_UP);
      const atFull = COLD * ramp + ((1 - COLD) * ramp ** 2) / (2 * WARM_UP) + (now - ramp);
      expect(count).toBeLessThanOrEqual(3 + (RATE * atFull) / 1000 + 1e-3);
    }
  });

  it('is cold again after as long without a call, and not before', () => {
    const state = limiter.initial(0);
    bySecond(state, 0, 35);
    const still = structuredClone(state);
    expect(bySecond(still, 35_000 + WARM_UP - 1000, 1)[0]).toBeGreaterThan(RATE * 0.98);
    expect(bySecond(state, 35_000 + WARM_UP + 10, 1)[0]).toBeLessThan(RATE * COLD * 1.1);
  });

  it('warms up from the first call on, not from when it was made', () => {
    expect(bySecond(limiter.initial(0), 20_000, 1)[0]).toBeLessThan(RATE * COLD * 1.1);
  });

  it('has a burst of a third of the rate when no capacity is set', () => {
    expect(warmUp({ rate: { count: 60, per: 60_000 } }).limit).toBe(20);
    expect(warmUp({ rate: { count: 1, per: 1000 } }).limit).toBe(1);
  });

  it('pays a debt even when nobody calls for long', () => {
    const slow = warmUp({ rate: { count: 60, per: 60_000 } });
    const state = slow.initial(0);
    const receipt = slow.take(state, 0, 1);
    slow.settle(state, 0, receipt, 200);
    expect(slow.wait(state, 100_000, 1)).toBeGreaterThan(0);
    expect(slow.idle(state, 100_000)).toBe(false);
    expect(slow.wait(state, 100_000 + slow.wait(state, 100_000, 1), 1)).toBe(0);
  });
});
