import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patchJson } from '../../src/http/json-patch.ts';

function patched(source: string, patch: Parameters<typeof patchJson>[1]): string {
  return Buffer.concat(patchJson(Buffer.from(source), patch)).toString();
}

describe('a patch of a JSON object', () => {
  it('changes the value of a key and no other byte', () => {
    const source = ' { "a" : [1, {"model":"inner"}],\n\t"model"  :"x" , "b":"}\\"" } ';
    expect(patched(source, { set: { model: 'y/z' } })).toBe(
      ' { "a" : [1, {"model":"inner"}],\n\t"model"  :"y/z" , "b":"}\\"" } ',
    );
  });

  it('changes every occurrence of a repeated key, as parsers differ on which one counts', () => {
    expect(patched('{"model":"a","model":"b"}', { set: { model: 'c' } })).toBe(
      '{"model":"c","model":"c"}',
    );
  });

  it('finds a key that is written with escapes', () => {
    expect(patched('{"mod\\u0065l":"a"}', { set: { model: 'b' } })).toBe('{"mod\\u0065l":"b"}');
  });

  it('adds what is missing at the end, also to an empty object', () => {
    expect(patched('{"a":1 }', { set: { b: 'x' } })).toBe('{"a":1 ,"b":"x"}');
    expect(patched('{ }', { set: { b: [1] } })).toBe('{ "b":[1]}');
  });

  it('removes members with one comma each', () => {
    expect(patched('{"a":1,"b":2,"c":3}', { remove: ['a'] })).toBe('{"b":2,"c":3}');
    expect(patched('{"a":1,"b":2,"c":3}', { remove: ['c'] })).toBe('{"a":1,"b":2}');
    expect(patched('{"a":1,"b":2,"c":3}', { remove: ['b', 'c'] })).toBe('{"a":1}');
    expect(patched('{"a":1}', { remove: ['a'], set: { b: 2 } })).toBe('{"b":2}');
  });

  it('agrees with parsing, changing and writing, for any object and any white space', () => {
    const key = fc.oneof(fc.constantFrom('model', 'a', 'b'), fc.string());
    const object = fc.dictionary(key, fc.jsonValue());
    fc.assert(
      fc.property(
        object,
        fc.dictionary(fc.constantFrom('model', 'a', 'max_tokens'), fc.jsonValue()),
        fc.array(fc.constantFrom('b', 'z'), { maxLength: 2 }),
        fc.constantFrom(undefined, 1, '\t'),
        (source, set, remove, indent) => {
          const text = JSON.stringify(source, null, indent);
          const expected: Record<string, unknown> = { ...JSON.parse(text), ...set };
          for (const name of remove) delete expected[name];
          const result = JSON.parse(patched(text, { set, remove })) as unknown;
          expect(result).toEqual(JSON.parse(JSON.stringify(expected)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('leaves the text alone byte for byte when the patch says what is there already', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (source, model) => {
        const text = JSON.stringify({ ...source, model });
        expect(patched(text, { set: { model } })).toBe(text);
      }),
    );
  });
});
