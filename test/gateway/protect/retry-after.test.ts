import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  LONGEST_WAIT,
  parseGoDuration,
  retryAfter,
} from '../../../src/gateway/protect/retry-after.ts';
import { refusal } from './refusals.ts';

/** Sun, 06 Nov 1994 08:49:37 GMT */
const NOW = 784_111_777_000;
const HOUR = 3_600_000;

const wait = (headers: Record<string, string | string[]>, text?: string) =>
  retryAfter({ headers, ...(text === undefined ? {} : { text }) }, NOW);

describe('a backend that asks to be left alone', () => {
  it.each([
    ['milliseconds', { 'retry-after-ms': '250' }, 250],
    ['fractional milliseconds', { 'retry-after-ms': '16824.5' }, 16_824.5],
    ['seconds', { 'retry-after': '12' }, 12_000],
    ['fractional seconds', { 'retry-after': '0.5' }, 500],
    ['no time at all', { 'retry-after': '0' }, 0],
    ['a date', { 'retry-after': 'Sun, 06 Nov 1994 08:50:37 GMT' }, 60_000],
    ['an RFC 850 date', { 'retry-after': 'Sunday, 06-Nov-94 08:50:37 GMT' }, 60_000],
    ['an asctime date', { 'retry-after': 'Sun Nov  6 08:50:37 1994' }, 60_000],
    ['a date in the past', { 'retry-after': 'Sat, 05 Nov 1994 08:50:37 GMT' }, 0],
    ['more than an hour', { 'retry-after': '86400' }, HOUR],
    ['the first of several', { 'retry-after': ['3', '5'] }, 3000],
    ['spaces around', { 'retry-after': ' 3 ' }, 3000],
  ])('may name %s', (_, headers, expected) => {
    expect(wait(headers)).toBe(expected);
  });

  it('means Greenwich by a date without a zone, wherever we are', () => {
    vi.stubEnv('TZ', 'America/New_York');
    try {
      expect(wait({ 'retry-after': 'Sun Nov  6 08:50:37 1994' })).toBe(60_000);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('is understood by milliseconds first, which are the finer', () => {
    expect(wait({ 'retry-after': '17', 'retry-after-ms': '16824' })).toBe(16_824);
    expect(wait({ 'retry-after': '17', 'retry-after-ms': 'soon' })).toBe(17_000);
  });

  it('is believed its own clock', () => {
    const headers = {
      date: 'Sun, 06 Nov 1994 09:00:00 GMT',
      'retry-after': 'Sun, 06 Nov 1994 09:00:05 GMT',
    };
    expect(wait(headers)).toBe(5000);
  });

  it.each([
    ['nothing', {}],
    ['nonsense', { 'retry-after': 'later' }],
    ['a negative number', { 'retry-after': '-1' }],
    ['a number with a tail', { 'retry-after': '5s' }],
    ['an impossible date', { 'retry-after': 'Sun, 99 Nov 1994 08:50:37 GMT' }],
    ['an endless number', { 'retry-after': 'Infinity' }],
    ['emptiness', { 'retry-after': '' }],
  ])('has not said so by %s', (_, headers) => {
    expect(wait(headers)).toBeUndefined();
  });
});

describe('limits that are used up', () => {
  it('are waited for, the longest of them', () => {
    const headers = {
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '6ms',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '1m2.3s',
    };
    expect(wait(headers)).toBe(62_300);
  });

  it('are waited for only when they are', () => {
    expect(
      wait({
        'x-ratelimit-remaining-requests': '59',
        'x-ratelimit-reset-requests': '1s',
        'x-ratelimit-remaining-tokens': '-1',
        'x-ratelimit-reset-tokens': '6m0s',
      }),
    ).toBeUndefined();
  });

  it('may be in plain seconds, as Azure writes them', () => {
    const headers = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '17' };
    expect(wait(headers)).toBe(17_000);
  });

  it('may be dates, as Anthropic writes them', () => {
    expect(
      wait({
        'anthropic-ratelimit-input-tokens-remaining': '0',
        'anthropic-ratelimit-input-tokens-reset': '1994-11-06T08:49:47Z',
        'anthropic-ratelimit-requests-remaining': '3',
        'anthropic-ratelimit-requests-reset': '1994-11-06T08:59:47Z',
      }),
    ).toBe(10_000);
  });
});

describe('Google’s error details', () => {
  const gemini = (details: unknown) => JSON.stringify([{ error: { code: 429, details } }]);

  it('name the delay', () => {
    expect(wait({}, gemini([{ '@type': 'RetryInfo', retryDelay: '34.5s' }]))).toBe(34_500);
    expect(wait({}, JSON.stringify({ error: { details: [{ retryDelay: '2s' }] } }))).toBe(2000);
  });

  it('give way to a header', () => {
    expect(wait({ 'retry-after': '1' }, gemini([{ retryDelay: '34s' }]))).toBe(1000);
  });

  it('name a delay of seconds for the quota of a day, which is not believed', () => {
    const details = [
      { violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }] },
      { retryDelay: '8s' },
    ];
    expect(wait({}, gemini(details))).toBe(LONGEST_WAIT);
  });

  it.each(['{"retryDelay"', '"retryDelay"', gemini([{ retryDelay: 34 }]), gemini('retryDelay')])(
    'may be broken: %s',
    (text) => {
      expect(wait({}, text)).toBeUndefined();
    },
  );
});

it.each([
  ['gemini', 'error-429', 34_000],
  ['azure', 'error-429', 16_824],
  ['anthropic', 'error-429', 12_000],
  ['xinference', 'error-503-loading', 30_000],
  ['localai', 'error-503-loading', 5000],
  ['openai', 'error-429-quota', undefined],
  ['tei', 'error-429', undefined],
])('%s says it in its %s', (backend, name, expected) => {
  expect(retryAfter(refusal(backend, name), NOW)).toBe(expected);
});

it('whatever an answer says, the wait is none, or from zero to an hour', () => {
  const value = fc.oneof(
    fc.string(),
    fc.nat().map(String),
    fc.double().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  );
  const names = [
    'date',
    'retry-after',
    'retry-after-ms',
    'x-ratelimit-remaining-requests',
    'x-ratelimit-reset-requests',
  ];
  const headers = fc.dictionary(fc.constantFrom(...names), value);
  fc.assert(
    fc.property(headers, fc.oneof(fc.string(), fc.json()), (headers, text) => {
      const found = retryAfter({ headers, text: `"retryDelay"${text}` }, NOW);
      if (found === undefined) return;
      expect(found).toBeGreaterThanOrEqual(0);
      expect(found).toBeLessThanOrEqual(LONGEST_WAIT);
    }),
  );
});

describe('a Go duration', () => {
  it.each([
    ['6ms', 6],
    ['1m2.3s', 62_300],
    ['34s', 34_000],
    ['0s', 0],
    ['1h0m0s', HOUR],
    ['2m', 120_000],
    ['1.5h', 5_400_000],
    ['250.5ms', 250.5],
    ['250µs', 0.25],
    ['5us', 0.005],
    ['1000000ns', 1],
  ])('%s is %d ms', (text, ms) => {
    expect(parseGoDuration(text)).toBeCloseTo(ms, 9);
  });

  it.each(['', '5', 's', '1s1m', '-1s', '1m 2s', '1d', 'constructor', '1..2s'])(
    'is not “%s”',
    (text) => {
      expect(parseGoDuration(text)).toBeUndefined();
    },
  );
});
