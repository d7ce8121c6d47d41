import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonPrefix } from '../../src/adapters/json-prefix.ts';
import { mendArguments, readLoose } from '../../src/adapters/loose-json.ts';

const object = fc.dictionary(fc.string(), fc.jsonValue());

describe('arguments', () => {
  it('that are JSON stay as they are', () => {
    fc.assert(
      fc.property(object, fc.constantFrom(undefined, 1, 2, '\t'), (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        expect(mendArguments(text)).toBe(text);
      }),
    );
  });

  it('cut off anywhere become an object that begins the same', () => {
    fc.assert(
      fc.property(object, fc.nat(), (value, at) => {
        const text = JSON.stringify(value);
        const mended = mendArguments(text.slice(0, 1 + (at % text.length)));
        expect(JSON.parse(mended!)).toBeTypeOf('object');
      }),
    );
  });

  it('of any text are an object or nothing', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'{}[]":,\'\\ab1- \n'.split('')) }),
        (text) => {
          const mended = mendArguments(text);
          if (mended !== undefined) expect(JSON.parse(mended)).toBeTypeOf('object');
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["{'city': 'Paris'}", { city: 'Paris' }],
    [`{"city": "Paris",}`, { city: 'Paris' }],
    ['{"days": [1, 2, ], }', { days: [1, 2] }],
    ['{city: "Paris", days: 3}', { city: 'Paris', days: 3 }],
    ['{"now": True, "late": False, "how": None}', { now: true, late: false, how: null }],
    ['{"text": "two\nlines\tand a tab"}', { text: 'two\nlines\tand a tab' }],
    ['{"path": "C:\\dir"}', { path: 'C:\\dir' }],
    ["{'say': 'it\\'s \"so\"'}", { say: `it's "so"` }],
    ['{"a": 1 "b": 2}', { a: 1, b: 2 }],
    ['{"a": {"b": [1, 2', { a: { b: [1, 2] } }],
    ['{"a": "cut off he', { a: 'cut off he' }],
    ['{"a": 1, "b', { a: 1 }],
    ['{"a": 1, "b":', { a: 1 }],
    ['{"a": 1}</tool_call>', { a: 1 }],
    ['{"a": 1}{"a": 1}', { a: 1 }],
    ['{"a": [1, 2}', { a: [1, 2] }],
    ['"{\\"a\\": 1}"', { a: 1 }],
    ['```json\n{"a": 1}\n```', { a: 1 }],
    ['', {}],
    ['  ', {}],
    ['{"a": tru', { a: true }],
    ['{"emoji": "\\ud83d\\ude00 \\u00e9"}', { emoji: '😀 é' }],
  ])('like %j are mended', (text, expected) => {
    expect(JSON.parse(mendArguments(text)!)).toEqual(expected);
  });

  it.each(['Paris', '[1, 2]', 'null', '42', '"text"', '{{{', '<a>', '{"a": what}'])(
    'like %j are past mending',
    (text) => {
      expect(mendArguments(text)).toBe(undefined);
    },
  );

  it('are read from within a text, and tell where it goes on', () => {
    expect(readLoose('x {"a": 1} y', 1)).toEqual({ json: '{"a": 1}', end: 10, cut: false });
    expect(readLoose('{"a": 1')?.cut).toBe(true);
  });

  it('do not end the stack, however deep they are', () => {
    expect(mendArguments('{"a":'.repeat(100_000))).toBe(undefined);
  });
});

describe('the beginning of an object', () => {
  it('is one at every place of one, in any pieces', () => {
    fc.assert(
      fc.property(object, fc.array(fc.nat({ max: 6 })), (value, cuts) => {
        const text = JSON.stringify(value, undefined, cuts.length % 3);
        const prefix = new JsonPrefix();
        let at = 0;
        for (const cut of cuts) {
          prefix.push(text.slice(at, at + cut));
          at += cut;
          expect(prefix.broken).toBe(false);
          expect(prefix.complete).toBe(at >= text.length);
        }
        prefix.push(text.slice(at));
        expect([prefix.broken, prefix.complete, prefix.hangs]).toEqual([false, true, false]);
      }),
    );
  });

  it('is none exactly where nothing can make JSON of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]":,\\a1-te '.split('')) }), (text) => {
        const prefix = new JsonPrefix();
        prefix.push(text);
        let valid = true;
        try {
          const value: unknown = JSON.parse(text);
          valid = typeof value === 'object' && value !== null && !Array.isArray(value);
        } catch {
          valid = false;
        }
        expect(prefix.complete).toBe(valid);
      }),
      { numRuns: 3000 },
    );
  });

  it.each(["{'", '{"a":1,}', '[', '"', '{"a" "', '{"a":01', '{"a":tr_', '{"a":1}x', '{"a":"\n'])(
    'is none any more after %j',
    (text) => {
      const prefix = new JsonPrefix();
      prefix.push(text);
      expect(prefix.broken).toBe(true);
    },
  );

  it.each(['{"a":1,', '{"a":[1, '])('hangs after a comma: %j', (text) => {
    const prefix = new JsonPrefix();
    prefix.push(text);
    expect([prefix.broken, prefix.hangs]).toEqual([false, true]);
  });
});
