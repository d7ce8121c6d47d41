import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { broken } from '../../src/commands/prose.ts';
import { widthOf } from '../../src/dashboard/text.ts';

describe('a line that is wider than the terminal', () => {
  it('goes on below its text, beside its label or sign', () => {
    expect(broken('minute  4.9 calls/s, 31 % errors, 1.9 s each', 30)).toEqual([
      'minute  4.9 calls/s, 31 %',
      '        errors, 1.9 s each',
    ]);
    expect(broken('    → is it running? Its usual port is 8000.', 30)).toEqual([
      '    → is it running? Its usual',
      '      port is 8000.',
    ]);
    expect(broken('✓ gpu  vllm  version 0.11, 3 models', 26)).toEqual([
      '✓ gpu  vllm  version 0.11,',
      '             3 models',
    ]);
    // A label that takes most of the line is none.
    expect(broken('a label that is rather long  text', 20)).toEqual([
      'a label that is',
      '    rather long',
      '    text',
    ]);
  });

  it('is left as it is when it fits, or can be broken nowhere', () => {
    expect(broken('all is well', 11)).toEqual(['all is well']);
    expect(broken('http://127.0.0.1:4747/v1', 10)).toEqual(['http://127.0.0.1:4747/v1']);
  });

  it('keeps its colours, which take no room', () => {
    const red = '\u001b[31mit refuses our credentials\u001b[39m';
    expect(broken(`  ${red}`, 20).map(stripVTControlCharacters)).toEqual([
      '  it refuses our',
      '  credentials',
    ]);
    expect(broken(`  ${red}`, 20).join('')).toContain('\u001b[31mit refuses our');
  });

  it('loses no word, and has no line that is too wide but for a long word', () => {
    const word = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 30 }),
        fc.integer({ min: 20, max: 80 }),
        (all, width) => {
          const line = all.map((one) => one.replaceAll(' ', '-')).join(' ');
          const lines = broken(line, width);
          expect(lines.join(' ').split(/ +/)).toEqual(line.split(/ +/));
          for (const one of lines) expect(widthOf(one)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });
});
