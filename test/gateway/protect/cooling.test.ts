import { describe, expect, it } from 'vitest';
import { Cooling } from '../../../src/gateway/protect/cooling.ts';

describe('an instance that wants no calls', () => {
  it('rests until the time it names, and no longer', () => {
    const cooling = new Cooling();
    expect(cooling.rest(0)).toBeUndefined();
    cooling.cool(100, 2000, 'it is rate limited');
    expect(cooling.rest(100)).toEqual({ until: 2100, reason: 'it is rate limited' });
    expect(cooling.rest(2099.9)).toBeDefined();
    expect(cooling.rest(2100)).toBeUndefined();
  });

  it('rests until the latest of several times', () => {
    const cooling = new Cooling();
    cooling.cool(0, 5000, 'long');
    cooling.cool(10, 1000, 'short');
    cooling.cool(10, 'back-off', 'unsaid');
    expect(cooling.rest(10)).toEqual({ until: 5000, reason: 'long' });
    cooling.cool(20, 6000, 'longer');
    expect(cooling.rest(20)).toEqual({ until: 6020, reason: 'longer' });
  });

  it('rests longer each time when it names none, up to half a minute', () => {
    const cooling = new Cooling();
    const rests: number[] = [];
    let now = 0;
    for (let n = 0; n < 9; n++) {
      cooling.cool(now, 'back-off', 'overloaded');
      const { until } = cooling.rest(now)!;
      rests.push(until - now);
      now = until;
    }
    expect(rests).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    cooling.succeeded(now);
    cooling.cool(now, 'back-off', 'overloaded');
    expect(cooling.rest(now)!.until).toBe(now + 500);
  });

  it('is not punished for a burst: the refusals of one moment count once', () => {
    const cooling = new Cooling();
    for (let n = 0; n < 20; n++) cooling.cool(n, 'back-off', 'overloaded');
    expect(cooling.rest(20)!.until).toBe(500);
    cooling.cool(500, 'back-off', 'overloaded');
    expect(cooling.rest(500)!.until).toBe(1500);
  });

  it('keeps resting though an earlier call goes well meanwhile', () => {
    const cooling = new Cooling();
    cooling.cool(0, 'back-off', 'overloaded');
    cooling.succeeded(10);
    expect(cooling.rest(10)).toBeDefined();
    cooling.cool(500, 'back-off', 'overloaded');
    expect(cooling.rest(500)!.until).toBe(1500);
  });

  it('can be told to go on at once', () => {
    const cooling = new Cooling();
    cooling.cool(0, 1e9, 'quota');
    cooling.reset();
    expect(cooling.rest(1)).toBeUndefined();
  });
});
