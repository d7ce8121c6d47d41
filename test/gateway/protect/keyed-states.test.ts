import { describe, expect, it } from 'vitest';
import { KeyedStates } from '../../../src/gateway/protect/keyed-states.ts';
import { fixedWindow } from '../../../src/gateway/protect/limiters/fixed-window.ts';
import { tokenBucket } from '../../../src/gateway/protect/limiters/token-bucket.ts';

const limiter = tokenBucket({ rate: { count: 60, per: 60_000 }, capacity: 10 });

describe('states by key', () => {
  it('keeps each key to its own state', () => {
    const states = new KeyedStates(limiter);
    limiter.take(states.state('a', 0), 0, 10);
    expect(limiter.wait(states.state('a', 0), 0, 1)).toBeGreaterThan(0);
    expect(limiter.wait(states.state('b', 0), 0, 1)).toBe(0);
    expect(states.peek('c')).toBeUndefined();
  });

  it('forgets idle clients as others come: a million leave only those of the last seconds', () => {
    const states = new KeyedStates(limiter);
    let most = 0;
    // One each millisecond, busy for a second: a thousand are busy at any time.
    for (let client = 0; client < 1_000_000; client++) {
      limiter.take(states.state(`client-${client}`, client), client, 1);
      most = Math.max(most, states.size);
    }
    expect(most).toBeGreaterThanOrEqual(1000);
    expect(most).toBeLessThan(3000);
  });

  it('forgets them also when only known clients come', () => {
    const states = new KeyedStates(limiter);
    for (let client = 0; client < 5000; client++) {
      limiter.take(states.state(`client-${client}`, 0), 0, 1);
    }
    for (let call = 0; call < 6000; call++) states.state('client-1', 10_000);
    expect(states.size).toBeLessThanOrEqual(1);
  });

  it('never forgets a client that has used something, while there is room', () => {
    const states = new KeyedStates(limiter);
    limiter.take(states.state('busy', 0), 0, 10);
    for (let client = 0; client < 20_000; client++) {
      const now = client / 4;
      limiter.take(states.state(`client-${client}`, now), now, 1);
    }
    expect(limiter.wait(states.state('busy', 5000), 5000, 10)).toBe(5000);
  });

  it('holds a million clients that all are busy to its bound', () => {
    const daily = fixedWindow({ rate: { count: 5, per: 3_600_000 } });
    const states = new KeyedStates(daily, 10_000);
    for (let client = 0; client < 1_000_000; client++) {
      daily.take(states.state(`client-${client}`, 0), 0, 1);
      if (client % 1000 === 0) expect(states.size).toBeLessThanOrEqual(10_000);
    }
    expect(states.size).toBe(10_000);
  });

  it('gives up those nearest to idle first when it is full', () => {
    const states = new KeyedStates(limiter, 1000);
    for (let client = 0; client < 1000; client++) {
      limiter.take(states.state(`old-${client}`, 0), 0, client % 2 ? 10 : 1);
    }
    for (let client = 0; client < 450; client++) {
      limiter.take(states.state(`new-${client}`, 0), 0, 10);
    }
    const kept = Array.from({ length: 500 }, (_, pair) => states.peek(`old-${2 * pair + 1}`));
    expect(kept.filter((state) => state !== undefined).length).toBeGreaterThan(480);
  });
});
