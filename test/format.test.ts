import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatClock,
  formatCount,
  formatMoment,
  formatShare,
  formatSpan,
  plain,
} from '../src/format.ts';

describe('numbers for people', () => {
  it.each([
    [0, '0.0 ms'],
    [0.44, '0.4 ms'],
    [9.94, '9.9 ms'],
    [9.96, '10 ms'],
    [87.2, '87 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [1234, '1.2 s'],
    [59_949, '59.9 s'],
    [59_951, '1 m 00 s'],
    [245_000, '4 m 05 s'],
    [3_599_600, '1 h 00 m'],
    [7_620_000, '2 h 07 m'],
    [86_399_000, '1 d 00 h'],
    [273_600_000, '3 d 04 h'],
  ])('%d milliseconds are %s', (ms, text) => {
    expect(formatSpan(ms)).toBe(text);
  });

  it.each([
    [0, '0'],
    [7, '7'],
    [0.25, '0.3'],
    [0.01, '<0.1'],
    [61.3, '61'],
    [950, '950'],
    [999.4, '999'],
    [999.5, '1k'],
    [3400, '3.4k'],
    [9960, '10k'],
    [12_345, '12k'],
    [999_500, '1M'],
    [1_234_567, '1.2M'],
    [7e9, '7G'],
    [5e15, '5000T'],
  ])('%d is %s', (count, text) => {
    expect(formatCount(count)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [512, '512 B'],
    [3400, '3.4 kB'],
    [12_000_000, '12 MB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0, '0 %'],
    [0.000_01, '0.1 %'],
    [0.004, '0.4 %'],
    [0.123, '12 %'],
    [0.9999, '99 %'],
    [1, '100 %'],
  ])('a share of %d is %s', (share, text) => {
    expect(formatShare(share)).toBe(text);
  });

  it('have the clock of the place', () => {
    expect(formatClock(new Date(2026, 0, 2, 9, 4, 7).getTime())).toBe('09:04:07');
  });
});

describe('a moment', () => {
  it('has its day when it is not of today', () => {
    const time = new Date(2026, 0, 2, 9, 4, 7).getTime();
    expect(formatMoment(time, time + 3_600_000)).toBe('09:04:07');
    expect(formatMoment(time, time + 86_400_000)).toBe('2026-01-02 09:04');
  });
});

describe('text from elsewhere', () => {
  it('can neither forge a line nor steer the terminal', () => {
    expect(plain('a\nb\u001b[2Jc\u0085d\u2028e\u202ef')).toBe('a b [2Jc d e f');
    expect(plain('模型 ü 🦙')).toBe('模型 ü 🦙');
  });
});
