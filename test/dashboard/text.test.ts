import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { fitLine, spread, textOf, type Line } from '../../src/dashboard/line.ts';
import { cut, fit, plainLines, widthOf, wrap } from '../../src/dashboard/text.ts';
import { plain } from '../../src/format.ts';

/** Of narrow and wide characters, of those that we draw with, and of whatever else there is. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(...Array.from('ab ─●▁█…→✓千问한あé–×')) }),
  fc.string({ unit: 'grapheme' }).map(plain),
);
const width = fc.integer({ min: 1, max: 60 });

describe('the width of a text', () => {
  it('is that of its characters in a terminal', () => {
    expect(widthOf('gpu-1 ● healthy ▁▂▃ …')).toBe(21);
    expect(widthOf('通义千问:8b')).toBe(11);
    expect(widthOf('e\u0301')).toBe(1);
  });

  it('is found without measuring only where both agree', () => {
    fc.assert(fc.property(text, (given) => widthOf(given) === stringWidth(given)));
  });
});

describe('a text that is fitted', () => {
  it('has exactly the width, at either side', () => {
    fc.assert(
      fc.property(text, width, fc.constantFrom('left', 'right'), (given, columns, align) => {
        expect(widthOf(fit(given, columns, align))).toBe(columns);
      }),
    );
  });

  it('is cut with an ellipsis, never within a wide character', () => {
    expect(cut('coder', 5)).toBe('coder');
    expect(cut('coders', 5)).toBe('code…');
    expect(cut('千问千问', 4)).toBe('千…');
    expect(fit('千问千问', 4)).toBe('千… ');
    expect(fit('7', 4, 'right')).toBe('   7');
  });

  it('keeps its tones when it is a line of several', () => {
    const line: Line = [['● ', 'good'], 'gpu-1', ['/Qwen', 'faint']];
    expect(fitLine(line, 9)).toEqual([['● ', 'good'], 'gpu-1', ['/…', 'faint']].slice(0, 3));
    expect(fitLine(['ab'], 4, 'right')).toEqual(['  ', 'ab']);
    fc.assert(
      fc.property(fc.array(text), width, (pieces, columns) => {
        expect(widthOf(textOf(fitLine(pieces, columns)))).toBe(columns);
      }),
    );
  });

  it('gives way to what stands at its right, and that to it', () => {
    expect(textOf(spread(['left'], ['right'], 12))).toBe('left   right');
    expect(textOf(spread(['left'], ['right'], 10))).toBe('left');
  });
});

describe('a text that is wrapped', () => {
  it('is broken at blanks, and keeps its indent', () => {
    expect(wrap('the sky is blue', 8)).toEqual(['the sky', 'is blue']);
    expect(wrap('  "content": "light"', 14)).toEqual(['  "content":', '  "light"']);
    expect(wrap('abcdefgh', 3)).toEqual(['abc', 'def', 'gh']);
    expect(wrap('a\n\nb', 9)).toEqual(['a', '', 'b']);
  });

  it('may be one line of megabytes, as bodies with pictures in them are', () => {
    const began = performance.now();
    expect(wrap('x'.repeat(2_000_000), 100)).toHaveLength(20_000);
    expect(wrap('千'.repeat(20_000), 100)).toHaveLength(400);
    // It takes half a second; cutting off one line after the other takes minutes.
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  it('loses no character, and is never too wide', () => {
    const words = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '千') });
    fc.assert(
      fc.property(words, fc.integer({ min: 2, max: 20 }), (given, columns) => {
        const lines = wrap(given, columns);
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
        expect(lines.join('').replaceAll(' ', '')).toBe(given.replaceAll(' ', ''));
      }),
    );
  });
});

describe('a text from elsewhere', () => {
  it('cannot steer the terminal, turn the writing, or hide', () => {
    expect(plain('a\u001b[2Jb')).toBe('a [2Jb');
    expect(plain('\u202eevil\u2066 \ud800 zero\u200bwidth')).toBe(' evil    zero width');
    expect(plain('通义千问 émile')).toBe('通义千问 émile');
    expect(plainLines('a\r\nb\tc\rd')).toBe('a\nb  c d');
  });
});
