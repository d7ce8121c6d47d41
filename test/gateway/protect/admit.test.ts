import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admitAll, refusal } from '../../../src/gateway/protect/admit.ts';
import { Limit, type Caller } from '../../../src/gateway/protect/limit.ts';
import type { RateLimit } from '../../../src/gateway/protect/limiters/limiter.ts';
import { ALGORITHMS } from './limiters/arrivals.ts';

const caller: Caller = {
  service: 'chat',
  model: 'coder',
  key: undefined,
  ip: '127.0.0.1',
  client: 'ip 127.0.0.1',
};

function limit(settings: Partial<RateLimit>, scope: 'all' | 'service' = 'service'): Limit {
  const name = scope === 'all' ? '' : 'chat';
  return new Limit({ scope, name, settings: { rate: { count: 2, per: 1000 }, ...settings } });
}

function remaining(limits: readonly Limit[], now: number): number[] {
  return limits.map(({ limiter, states }) => {
    const state = states.peek('');
    return state === undefined ? Math.floor(limiter.limit) : limiter.remaining(state, now);
  });
}

function granted(verdict: ReturnType<typeof admitAll>) {
  if (!verdict.admitted) throw new Error(`refused for ${verdict.retryAfter} ms`);
  return verdict;
}

describe('several limits on one call', () => {
  it('admit it without delay when there are none', () => {
    const grant = granted(admitAll([], caller, { tokens: 1e9, now: 0 }));
    expect(grant.delay).toBe(0);
    grant.settle(5, 0);
    grant.refund(0);
  });

  it('charge all or none, and name the one that refuses for longest', () => {
    const fine = limit({ rate: { count: 100, per: 1000 } }, 'all');
    const tight = limit({});
    granted(admitAll([fine, tight], caller, { tokens: 0, now: 0 }));
    granted(admitAll([fine, tight], caller, { tokens: 0, now: 0 }));
    expect(admitAll([fine, tight], caller, { tokens: 0, now: 0 })).toEqual({
      admitted: false,
      limit: tight,
      retryAfter: 500,
    });
    expect(remaining([fine, tight], 0)).toEqual([98, 0]);
  });

  it('are all or nothing, and keep their word on when to come again, whatever they are', () => {
    const settings = fc.record({
      algorithm: fc.constantFrom(...ALGORITHMS),
      rate: fc.record({ count: fc.integer({ min: 1, max: 9 }), per: fc.constant(1000) }),
      capacity: fc.integer({ min: 1, max: 9 }),
      cost: fc.constantFrom('requests' as const, 'tokens' as const),
    });
    const call = fc.record({ gap: fc.nat(400), tokens: fc.nat(20) });
    let refused = 0;
    fc.assert(
      fc.property(
        fc.array(settings, { minLength: 1, maxLength: 4 }),
        fc.array(call, { maxLength: 40, size: 'max' }),
        (blocks, calls) => {
          const limits = blocks.map((block) => limit(block));
          let now = 0;
          for (const { gap, tokens } of calls) {
            now += gap;
            const before = remaining(limits, now);
            const expected = refusal(limits, caller, { tokens, now });
            expect(remaining(limits, now)).toEqual(before);
            const verdict = admitAll(limits, caller, { tokens, now });
            expect(verdict.admitted).toBe(expected === undefined);
            if (verdict.admitted) continue;
            refused++;
            expect(verdict).toEqual(expected);
            expect(remaining(limits, now)).toEqual(before);
            const again = now + Math.ceil(verdict.retryAfter / 1000) * 1000;
            for (const then of [now + verdict.retryAfter, again]) {
              expect(refusal(limits, caller, { tokens, now: then })).toBeUndefined();
            }
          }
        },
      ),
      { numRuns: 200 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  it('count each client, key, address, model and instance by itself, as they are told to', () => {
    const other: Caller = {
      service: 'chat',
      model: 'writer',
      key: 'ci',
      ip: '10.0.0.2',
      client: 'key ci',
      instance: 'gpu-2',
    };
    for (const per of ['client', 'key', 'ip', 'model', 'instance'] as const) {
      const each = [limit({ per, rate: { count: 1, per: 60_000 } })];
      const here = { ...caller, instance: 'gpu-1' };
      granted(admitAll(each, here, { tokens: 0, now: 0 }));
      expect(admitAll(each, here, { tokens: 0, now: 0 }).admitted).toBe(false);
      granted(admitAll(each, other, { tokens: 0, now: 0 }));
      expect(admitAll(each, { ...other, [per]: here[per] }, { tokens: 0, now: 0 }).admitted).toBe(
        false,
      );
    }
    const all = [limit({ rate: { count: 1, per: 60_000 } })];
    granted(admitAll(all, caller, { tokens: 0, now: 0 }));
    expect(admitAll(all, other, { tokens: 0, now: 0 }).admitted).toBe(false);
  });

  it('delay a call as long as the slowest shaper among them', () => {
    const slow = limit({ algorithm: 'leaky-bucket', rate: { count: 1, per: 1000 }, capacity: 5 });
    const quick = limit({ algorithm: 'leaky-bucket', rate: { count: 10, per: 1000 }, capacity: 5 });
    const delays = [0, 0, 300].map(
      (now) => granted(admitAll([slow, quick], caller, { tokens: 0, now })).delay,
    );
    expect(delays).toEqual([0, 1000, 1700]);
  });

  it('delay nothing when the clock steps back', () => {
    const only = [limit({ algorithm: 'sliding-window' })];
    granted(admitAll(only, caller, { tokens: 0, now: 5000 }));
    expect(granted(admitAll(only, caller, { tokens: 0, now: 4900 })).delay).toBe(0);
  });
});

describe('a grant', () => {
  it('gives everything back once when it is refunded', () => {
    const limits = [
      limit({ rate: { count: 5, per: 1000 } }),
      limit({ algorithm: 'sliding-window' }),
    ];
    const kept = granted(admitAll(limits, caller, { tokens: 0, now: 0 }));
    const grant = granted(admitAll(limits, caller, { tokens: 0, now: 0 }));
    expect(remaining(limits, 0)).toEqual([3, 0]);
    grant.refund(0);
    grant.refund(0);
    grant.settle(50, 0);
    expect(remaining(limits, 0)).toEqual([4, 1]);
    kept.refund(0);
    expect(remaining(limits, 0)).toEqual([5, 2]);
  });

  it.each(ALGORITHMS)('settles an estimate with the tokens really used: %s', (algorithm) => {
    const settings = { algorithm, rate: { count: 1000, per: 60_000 }, capacity: 1000 };
    const limits = [limit({ ...settings, cost: 'tokens' }), limit(settings)];
    const [full, calls] = remaining(limits, 0) as [number, number];

    const grant = granted(admitAll(limits, caller, { tokens: 600, now: 0 }));
    const left = remaining(limits, 0);
    grant.settle(100, 0);
    expect(remaining(limits, 0)).toEqual([left[0]! + 500, left[1]]);

    const late = granted(admitAll(limits, caller, { tokens: 10, now: 0 }));
    late.settle(5000, 0);
    expect(remaining(limits, 0)[0]).toBe(0);
    expect(remaining(limits, 0)[1]).toBeLessThan(calls);
    expect(admitAll(limits, caller, { tokens: 1, now: 0 }).admitted).toBe(false);
    expect(full).toBeGreaterThanOrEqual(1000);
  });

  it('lets a call that is estimated above the whole limit go when nothing else is used', () => {
    const limits = [limit({ rate: { count: 1000, per: 60_000 }, cost: 'tokens' })];
    const small = { tokens: 10, now: 0 };
    granted(admitAll(limits, caller, small));
    const verdict = admitAll(limits, caller, { tokens: 50_000, now: 0 });
    expect(verdict).toMatchObject({ admitted: false, retryAfter: 600 });
    const grant = granted(admitAll(limits, caller, { tokens: 50_000, now: 600 }));
    grant.settle(3000, 600);
    // 2,000 tokens of debt, at 1,000 a minute, and the call's own 10.
    expect(admitAll(limits, caller, { tokens: 10, now: 600 })).toMatchObject({
      retryAfter: 120_600,
    });
  });

  it('charges what is owed even if the client was forgotten meanwhile', () => {
    const only = limit({ per: 'client', rate: { count: 100, per: 1000 }, cost: 'tokens' });
    const grant = granted(admitAll([only], caller, { tokens: 10, now: 0 }));
    for (let client = 0; client < 10; client++) {
      admitAll([only], { ...caller, client: `${client}` }, { tokens: 1, now: 60_000 });
    }
    expect(only.states.peek(caller.client)).toBeUndefined();
    grant.settle(510, 60_000);
    expect(admitAll([only], caller, { tokens: 1, now: 60_000 })).toMatchObject({
      retryAfter: 4010,
    });
  });

  it('charges a call without tokens for one', () => {
    const only = limit({ cost: 'tokens' });
    granted(admitAll([only], caller, { tokens: 0, now: 0 }));
    expect(remaining([only], 0)).toEqual([1]);
  });
});
