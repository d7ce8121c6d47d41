import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration, parseRate, parseSize } from '../../src/config/units.ts';

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    [' 10 S ', 10_000],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '30', 's', '-1s', '1d', '1s 2s', '1e3s', '0x1s', '1,5s', '5constructor'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it('is written as it is read', () => {
    fc.assert(
      fc.property(fc.nat(1e12), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  it('is written in the largest unit that holds it whole', () => {
    expect([1500, 90_000, 600_000, 7_200_000, 0].map(formatDuration)).toEqual([
      '1500ms',
      '90s',
      '10m',
      '2h',
      '0ms',
    ]);
  });

  it('means the same in every unit', () => {
    fc.assert(
      fc.property(fc.nat(1e6), (n) => {
        expect(parseDuration(`${n * 1000}ms`)).toBe(parseDuration(`${n}s`));
        expect(parseDuration(`${n * 60}s`)).toBe(parseDuration(`${n}m`));
        expect(parseDuration(`${n * 60}m`)).toBe(parseDuration(`${n}h`));
      }),
    );
  });
});

describe('a size', () => {
  it.each([
    ['512b', 512],
    ['100mb', 100_000_000],
    ['1.5 KB', 1500],
    ['1gb', 1e9],
    ['1kib', 1024],
    ['2MiB', 2_097_152],
    ['1gib', 1_073_741_824],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['100', 'mb', '1tb', '-1mb', '10m'])('%j is none', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });
});

describe('a rate', () => {
  it.each([
    ['10/s', { count: 10, per: 1000 }],
    ['60/m', { count: 60, per: 60_000 }],
    ['0.5 / h', { count: 0.5, per: 3_600_000 }],
  ])('%s', (text, rate) => {
    expect(parseRate(text)).toEqual(rate);
  });

  it.each(['0/s', '10', '10/d', '10/ms', '/s', '-1/s'])('%j is none', (text) => {
    expect(parseRate(text)).toBeUndefined();
  });
});
