import { describe, expect, it } from 'vitest';
import { tokenBucket } from '../../../../src/gateway/protect/limiters/token-bucket.ts';

describe('a token bucket', () => {
  it('lets a burst of its capacity through, then one call each interval', () => {
    const limiter = tokenBucket({ rate: { count: 10, per: 1000 }, capacity: 3 });
    const state = limiter.initial(0);
    for (let call = 0; call < 3; call++) {
      expect(limiter.wait(state, 0, 1)).toBe(0);
      limiter.take(state, 0, 1);
    }
    expect(limiter.wait(state, 0, 1)).toBe(100);
    expect(limiter.wait(state, 40, 1)).toBe(60);
    expect(limiter.wait(state, 100, 1)).toBe(0);
  });

  it('holds as many as the rate names when no capacity is set', () => {
    expect(tokenBucket({ rate: { count: 60, per: 60_000 } }).limit).toBe(60);
    expect(tokenBucket({ rate: { count: 0.5, per: 1000 } }).limit).toBe(1);
  });

  it('refills by fractions, without losing any to rounding', () => {
    const limiter = tokenBucket({ rate: { count: 3, per: 1000 }, capacity: 1 });
    const state = limiter.initial(0);
    let passed = 0;
    // Asked every 7 ms for 100 s: a bucket that dropped fractions would pass far fewer.
    for (let now = 0; now < 100_000; now += 7) {
      if (limiter.wait(state, now, 1) > 0) continue;
      limiter.take(state, now, 1);
      passed++;
    }
    expect(passed).toBeGreaterThan(290);
    expect(passed).toBeLessThanOrEqual(301);
  });

  it('passes exactly its rate to clients that come when they are told to', () => {
    const limiter = tokenBucket({ rate: { count: 7, per: 1000 }, capacity: 1 });
    const now = 1_785_000_000_123;
    const state = limiter.initial(now);
    let at = now;
    for (let call = 0; call < 700; call++) {
      at += limiter.wait(state, at, 1);
      limiter.take(state, at, 1);
    }
    // 142.86 ms apart, each told in whole milliseconds.
    expect(at - now).toBeGreaterThanOrEqual(99_857);
    expect(at - now).toBeLessThan(99_857 + 700);
  });

  it('gives a refund only for what has not been refilled since', () => {
    const limiter = tokenBucket({ rate: { count: 1, per: 1000 }, capacity: 1 });
    const state = limiter.initial(0);
    const first = limiter.take(state, 0, 1);
    limiter.take(state, 1000, 1);
    limiter.refund(state, 1000, first, 1);
    expect(limiter.wait(state, 1000, 1)).toBe(1000);
  });
});
