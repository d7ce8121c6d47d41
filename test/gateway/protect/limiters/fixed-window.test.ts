import { describe, expect, it } from 'vitest';
import { fixedWindow } from '../../../../src/gateway/protect/limiters/fixed-window.ts';

describe('a fixed window', () => {
  const limiter = fixedWindow({ rate: { count: 2, per: 60_000 } });

  it('ends at whole multiples of its unit, not a unit after the first call', () => {
    const state = limiter.initial(59_000);
    limiter.take(state, 59_000, 2);
    expect(limiter.wait(state, 59_000, 1)).toBe(1000);
    expect(limiter.wait(state, 59_999, 1)).toBe(1);
    expect(limiter.wait(state, 60_000, 2)).toBe(0);
    expect(limiter.resetAfter(state, 59_000)).toBe(1000);
  });

  it('forgets a debt with its window', () => {
    const state = limiter.initial(0);
    const receipt = limiter.take(state, 0, 1);
    limiter.settle(state, 10, receipt, 100);
    expect(limiter.wait(state, 10, 1)).toBe(59_990);
    expect(limiter.remaining(state, 60_000)).toBe(2);
  });

  it('gives nothing back to a later window', () => {
    const state = limiter.initial(0);
    const receipt = limiter.take(state, 0, 2);
    limiter.take(state, 60_000, 2);
    limiter.refund(state, 60_000, receipt, 2);
    expect(limiter.remaining(state, 60_000)).toBe(0);
  });

  it('does not open the last window again when the clock steps back over the edge', () => {
    const state = limiter.initial(60_000);
    limiter.take(state, 60_000, 2);
    expect(limiter.wait(state, 59_990, 1)).toBe(60_010);
  });

  it('makes one call per longer window of a rate below one', () => {
    const slow = fixedWindow({ rate: { count: 0.5, per: 1000 } });
    const state = slow.initial(4000);
    slow.take(state, 4000, 1);
    expect(slow.wait(state, 4000, 1)).toBe(2000);
  });
});
