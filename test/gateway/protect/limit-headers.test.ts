import { describe, expect, it } from 'vitest';
import { admitAll } from '../../../src/gateway/protect/admit.ts';
import {
  formatReset,
  limitHeaders,
  retryAfterSeconds,
} from '../../../src/gateway/protect/limit-headers.ts';
import { Limit, type Caller } from '../../../src/gateway/protect/limit.ts';
import type { RateLimit } from '../../../src/gateway/protect/limiters/limiter.ts';

const caller: Caller = { service: 'chat', model: 'm', key: undefined, ip: '::1', client: 'ip ::1' };

function limit(name: string, settings: RateLimit): Limit {
  return new Limit({ scope: 'service', name, settings });
}

describe('x-ratelimit headers', () => {
  it('tell what the limit is, what is left and when nothing will be used', () => {
    const limits = [limit('chat', { rate: { count: 60, per: 60_000 } })];
    expect(limitHeaders(limits, caller, 0)).toEqual({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '60',
      'x-ratelimit-reset-requests': '0s',
    });
    admitAll(limits, caller, { tokens: 0, now: 0 });
    admitAll(limits, caller, { tokens: 0, now: 0 });
    expect(limitHeaders(limits, caller, 500)).toEqual({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '58',
      'x-ratelimit-reset-requests': '1.5s',
    });
  });

  it('are of the tightest limit on requests, and of the tightest on tokens', () => {
    const limits = [
      limit('wide', { rate: { count: 100, per: 1000 } }),
      limit('tight', { rate: { count: 5, per: 3_600_000 }, algorithm: 'fixed-window' }),
      limit('tokens', { rate: { count: 10_000, per: 60_000 }, cost: 'tokens' }),
      limit('more tokens', { rate: { count: 90_000, per: 60_000 }, cost: 'tokens' }),
    ];
    admitAll(limits, caller, { tokens: 4000, now: 0 });
    expect(limitHeaders(limits, caller, 0)).toEqual({
      'x-ratelimit-limit-requests': '5',
      'x-ratelimit-remaining-requests': '4',
      'x-ratelimit-reset-requests': '1h0m0s',
      'x-ratelimit-limit-tokens': '10000',
      'x-ratelimit-remaining-tokens': '6000',
      'x-ratelimit-reset-tokens': '24s',
    });
  });

  it('are of the one that lasts longer when two have the same left', () => {
    const limits = [
      limit('hour', { rate: { count: 1, per: 3_600_000 } }),
      limit('second', { rate: { count: 1, per: 1000 } }),
    ];
    admitAll(limits, caller, { tokens: 0, now: 0 });
    expect(limitHeaders(limits, caller, 0)['x-ratelimit-reset-requests']).toBe('1h0m0s');
  });

  it('are left out without limits', () => {
    expect(limitHeaders([], caller, 0)).toEqual({});
  });
});

describe('a reset', () => {
  it.each([
    [0, '0s'],
    [0.2, '1ms'],
    [20, '20ms'],
    [999, '999ms'],
    [999.5, '1s'],
    [1000, '1s'],
    [1234, '1.234s'],
    [59_900, '59.9s'],
    [60_000, '1m0s'],
    [360_000, '6m0s'],
    [61_500, '1m1.5s'],
    [3_600_000, '1h0m0s'],
    [90_061_001, '25h1m1.001s'],
  ])('of %d ms is written as Go does: %s', (ms, text) => {
    expect(formatReset(ms)).toBe(text);
  });
});

describe('Retry-After', () => {
  it.each([
    [1, '1'],
    [1000, '1'],
    [1001, '2'],
    [59_999, '60'],
  ])('of %d ms is %s, never too early', (ms, seconds) => {
    expect(retryAfterSeconds(ms)).toBe(seconds);
  });
});
