import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineDiff, type DiffLine } from '../../src/commands/line-diff.ts';

const SIGNS = { same: ' ', gone: '-', new: '+', gap: '…' };
const shown = (lines: readonly DiffLine[]) => lines.map(({ kind, text }) => SIGNS[kind] + text);

const lines = fc.array(fc.constantFrom('a', 'b', 'c', '', 'a b'), { maxLength: 20 });
const asText = (all: readonly string[]) => all.map((line) => `${line}\n`).join('');

describe('the difference of two texts', () => {
  test('is what to take away and what to add, with a little of what is around it', () => {
    const before = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
    const after = before.with(9, 'another');
    after.push('more');
    expect(shown(lineDiff(asText(before), asText(after)))).toEqual([
      '…',
      ' line 7',
      ' line 8',
      ' line 9',
      '-line 10',
      '+another',
      ' line 11',
      ' line 12',
      ' line 13',
      '…',
      ' line 18',
      ' line 19',
      ' line 20',
      '+more',
    ]);
  });

  test('is nothing between equals', () => {
    expect(lineDiff('a\nb\n', 'a\nb\n')).toEqual([]);
  });

  test('makes one of the other, and takes no more away than it must', () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const all = lineDiff(asText(before), asText(after));
        fc.pre(!all.some(({ kind }) => kind === 'gap'));
        const side = (without: DiffLine['kind']) =>
          all.filter(({ kind }) => kind !== without).map(({ text }) => text);
        if (all.length === 0) {
          expect(before).toEqual(after);
          return;
        }
        expect(side('new')).toEqual(before);
        expect(side('gone')).toEqual(after);
        expect(all.filter(({ kind }) => kind === 'same').length).toBe(common(before, after));
      }),
    );
  });

  test('of large texts is found in time', () => {
    const long = asText(Array.from({ length: 5000 }, (_, index) => `line ${index}`));
    const all = lineDiff(long, `${long}more\n`);
    expect(all.filter(({ kind }) => kind === 'new').at(-1)?.text).toBe('more');
  });
});

/** The length of the longest common subsequence, in the plainest way. */
function common(a: readonly string[], b: readonly string[]): number {
  let previous = Array.from({ length: b.length + 1 }, () => 0);
  for (const line of a) {
    const current = [0];
    for (const [index, other] of b.entries()) {
      current.push(
        line === other ? previous[index]! + 1 : Math.max(previous[index + 1]!, current[index]!),
      );
    }
    previous = current;
  }
  return previous[b.length]!;
}
