import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counted, countdown, duration, percent, rate } from '../../src/dashboard/figures.ts';

describe('numbers for people', () => {
  it('tell durations in the unit that fits', () => {
    expect([0.42, 9.94, 9.96, 212, 999.4, 999.6, 1234, 12_400, 59_900].map(duration)).toEqual([
      '0.4 ms',
      '9.9 ms',
      '10 ms',
      '212 ms',
      '999 ms',
      '1.0 s',
      '1.2 s',
      '12 s',
      '60 s',
    ]);
    expect([60_000, 150_000, 3_600_000, 11_160_000, 86_400_000].map(duration)).toEqual([
      '1.0 m',
      '2.5 m',
      '1.0 h',
      '3.1 h',
      '1.0 d',
    ]);
    expect(duration(undefined)).toBe('–');
  });

  it('count down to the end', () => {
    expect([-5, 1, 12_000, 12_001, 65_000, 3_720_000].map(countdown)).toEqual([
      '0 s',
      '1 s',
      '12 s',
      '13 s',
      '1:05',
      '1 h 02 m',
    ]);
  });

  it('tell rates and shares with three digits', () => {
    expect([0, 0.02, 0.4, 12.34, 120, 3400].map(rate)).toEqual([
      '0',
      '0.02',
      '0.4',
      '12.3',
      '120',
      '3.4k',
    ]);
    expect([undefined, 0, 0.004].map(percent)).toEqual(['–', '0 %', '0.4 %']);
    expect([counted(1, 'call'), counted(2400, 'call')]).toEqual(['1 call', '2.4k calls']);
  });

  it('never take more columns than a table has for them', () => {
    const value = fc.double({ min: 0, max: 1e11, noNaN: true });
    fc.assert(
      fc.property(value, (given) => {
        expect(duration(given).length).toBeLessThanOrEqual(6);
        expect(rate(given).length).toBeLessThanOrEqual(5);
      }),
    );
  });
});
