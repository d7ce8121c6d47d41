import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutOf, writeJson, type JsonLayout } from '../../src/recording/json-layout.ts';

describe('the layout of JSON', () => {
  it.each<[string, string, JsonLayout]>([
    ['JSON.stringify', '{"a":[1,2.5,{"b":"x: y, z"}],"c":"ü"}', {}],
    [
      'Python',
      '{"a": [1, 2], "b": "\\u00fc, \\ud83d\\ude00"}',
      { spaces: 'loose', escapes: 'ascii' },
    ],
    ['Python, compact', '{"b":"\\u00fc"}', { escapes: 'ascii' }],
    ['Go', '{"a":"if a \\u003c b \\u0026\\u0026 c"}\n', { escapes: 'html', end: '\n' }],
    ['an indent', '{\n   "a": [\n      1\n   ]\n}\n', { spaces: 3, end: '\n' }],
  ])('of %s is known', (_who, text, layout) => {
    const value: unknown = JSON.parse(text);
    expect(layoutOf(text, value)).toEqual(layout);
    expect(writeJson(value, layout)).toBe(text);
  });

  it.each(['{"a":1.0}', '{"a":1e-05}', '{ "a":1}', '{"a":1,"a":1}'])(
    'is not guessed where a value would not be written as it was: %s',
    (text) => {
      expect(layoutOf(text, JSON.parse(text))).toBeUndefined();
    },
  );

  it('never changes what is said', () => {
    const layouts = fc.record({
      spaces: fc.constantFrom(undefined, 'loose' as const, 2, 4),
      escapes: fc.constantFrom(undefined, 'html' as const, 'ascii' as const),
      end: fc.constantFrom(undefined, '\n', ' \r\n'),
    });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), layouts, (value, layout) => {
        const text = writeJson(value, layout);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        const found = layoutOf(text, JSON.parse(text));
        if (found) expect(writeJson(JSON.parse(text), found)).toBe(text);
      }),
    );
  });
});
