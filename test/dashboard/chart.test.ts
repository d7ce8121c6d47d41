import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bar, sparkline, timeline } from '../../src/dashboard/chart.ts';

describe('a sparkline', () => {
  it('draws each value, the newest at the right, nothing as a blank', () => {
    expect(sparkline([0, 1, 4, 8], { width: 4, max: 8, second: 0 })).toBe(' ▁▄█');
    expect(sparkline([0.001], { width: 3, max: 8, second: 0 })).toBe('  ▁');
    expect(sparkline([9], { width: 1, max: 8, second: 0 })).toBe('█');
    expect(sparkline([], { width: 3, max: 1, second: 0 })).toBe('   ');
  });

  it('joins the same seconds as the time goes by, so that it moves as a whole', () => {
    // Two seconds a bar; those of the same pair stay together.
    const at = (second: number): string => {
      const values = [4, 4, 8, 8, 2, 2, 6, 6].slice(0, second + 1);
      return sparkline([...Array<number>(8).fill(0), ...values].slice(-8), {
        width: 4,
        max: 8,
        second,
      });
    };
    expect([at(1), at(3), at(5), at(7)]).toEqual(['   ▄', '  ▄█', ' ▄█▂', '▄█▂▆']);
    expect(at(4)).toBe(' ▄█▂');
  });

  it('has its width, whatever it is given', () => {
    const values = fc.array(fc.nat(), { maxLength: 80 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 70 }), fc.nat(), (given, width, second) => {
        expect(sparkline(given, { width, max: 100, second })).toHaveLength(width);
      }),
    );
  });
});

describe('a bar', () => {
  it('is exact to an eighth, and shows the least of something', () => {
    expect([0, 0.0001, 0.5, 1, 2].map((share) => bar(share, 4))).toEqual([
      '',
      '▏',
      '██',
      '████',
      '████',
    ]);
    expect(bar(0.5625, 4)).toBe('██▎');
  });
});

describe('a timeline', () => {
  it('shows when something waited and when it answered', () => {
    expect(timeline({ from: 0, until: 100, turn: 50 }, 100, 10)).toBe('░░░░░█████');
    expect(timeline({ from: 50, until: 80, turn: undefined }, 100, 10)).toBe('     ░░░  ');
    expect(timeline({ from: 99, until: 99, turn: undefined }, 100, 10)).toBe('         ░');
    expect(timeline({ from: 0, until: 0, turn: 0 }, 0, 5)).toBe('█    ');
  });
});
