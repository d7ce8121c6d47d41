import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffWords } from '../../src/dashboard/word-diff.ts';

describe('the difference of two texts', () => {
  it('is told word by word', () => {
    expect(diffWords('the sky is blue', 'the sky looks blue')).toEqual([
      { kind: 'same', text: 'the sky ' },
      { kind: 'removed', text: 'is' },
      { kind: 'added', text: 'looks' },
      { kind: 'same', text: ' blue' },
    ]);
    expect(diffWords('same', 'same')).toEqual([{ kind: 'same', text: 'same' }]);
    expect(diffWords('', 'new')).toEqual([{ kind: 'added', text: 'new' }]);
    expect(diffWords('', '')).toEqual([]);
  });

  it('gives both texts back', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n') });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const parts = diffWords(before, after);
        const without = (kind: string): string =>
          parts
            .filter((part) => part.kind !== kind)
            .map((part) => part.text)
            .join('');
        expect(without('added')).toBe(before);
        expect(without('removed')).toBe(after);
        for (const [index, part] of parts.entries())
          expect(part.kind).not.toBe(parts[index + 1]?.kind);
      }),
    );
  });

  it('comes to an end for texts of any length', () => {
    const words = (seed: number): string =>
      Array.from({ length: 20_000 }, (_, index) => `${(index * seed) % 997}`).join(' ');
    const parts = diffWords(words(3), words(7));
    expect(parts.filter(({ kind }) => kind === 'removed').length).toBeGreaterThan(0);
  });
});
