import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freeTextOf, freeTextReader, wrapFreeText } from '../../src/dialects/free-text.ts';

const text = fc.string({ unit: 'binary', maxLength: 40 });
/** Half of a pair of surrogates, alone. */
const LONE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** The JSON in pieces, cut at these shares of its length. */
function pieces(json: string, shares: readonly number[]): readonly string[] {
  const places = [0, ...shares.map((share) => Math.floor(share * json.length)), json.length];
  places.sort((a, b) => a - b);
  return places.slice(1).map((place, index) => json.slice(places[index], place));
}

describe('the text in the arguments of a tool that takes free text', () => {
  it('comes out as it went in, wherever the JSON is cut', () => {
    fc.assert(
      fc.property(text, fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (input, shares) => {
        const reader = freeTextReader();
        const told = pieces(wrapFreeText(input), shares).map((piece) => reader.push(piece));
        const all = told.join('') + reader.rest();
        expect(all).toBe(input);
        // Nobody can write half of a pair as UTF-8.
        for (const part of told) expect(LONE.test(part)).toBe(LONE.test(input));
      }),
    );
  });

  it.each([
    ['with every sign escaped', String.raw`{"input":"\u0041\u00e9\ud83d\ude00\/\n"}`, 'Aé😀/\n'],
    ['with spaces', '{ "input" : "x" }', 'x'],
    ['with a line end as it is', '{"input":"a\nb"}', 'a\nb'],
    ['after another field', '{"why":1,"input":"x"}', 'x'],
    ['without the field', '{"patch":"x"}', '{"patch":"x"}'],
  ])('is found %s', (_, json, wanted) => {
    const reader = freeTextReader();
    const told = Array.from(json, (sign) => reader.push(sign)).join('');
    expect(told + reader.rest()).toBe(wanted);
    if (!json.includes('a\nb')) expect(freeTextOf(json)).toBe(wanted);
  });

  it('comes as early as it can', () => {
    const reader = freeTextReader();
    expect(reader.push('{"input":"ab')).toBe('ab');
    expect(reader.push('c\\')).toBe('c');
    expect(reader.push('n')).toBe('\n');
    expect(reader.push(String.raw`\ud83d`)).toBe('');
    expect(reader.push(String.raw`\ude00"}`)).toBe('😀');
  });
});
