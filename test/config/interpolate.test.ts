import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeVariables, expand, interpolate } from '../../src/config/interpolate.ts';

const none = (): undefined => undefined;
const from =
  (values: Record<string, string>) =>
  (name: string): string | undefined =>
    values[name];

/** Texts in which the signs that matter are frequent. */
const tricky = fc.string({ unit: fc.constantFrom('$', '{', '}', ':', '-', 'A', 'b', ' ') });

describe('a variable in a text', () => {
  it.each([
    ['${A}', '1'],
    ['x${A}y${B}z', 'x1y2z'],
    ['${A}${A}', '11'],
    ['${NONE:-default}', 'default'],
    ['${NONE:-}', ''],
    ['${A:-default}', '1'],
    ['${EMPTY:-default}', 'default'],
    ['${NONE:-http://x:80/a-b}', 'http://x:80/a-b'],
    ['$${A}', '${A}'],
    ['$$${A}', '$${A}'],
    ['$${A}${A}', '${A}1'],
    ['$A $ {A} $', '$A $ {A} $'],
  ])('%s is %j', (text, expected) => {
    expect(expand(text, from({ A: '1', B: '2', EMPTY: '' }))).toEqual({ text: expected });
  });

  it.each(['${NONE}', 'x${NONE}', '${A}${NONE}', '${EMPTY}'])('%s names an unset one', (text) => {
    expect(expand(text, from({ A: '1', EMPTY: '' }))).toMatchObject({
      unset: expect.stringMatching(/^(NONE|EMPTY)$/),
    });
  });

  it.each(['${}', '${1A}', '${A-B}', '${A', '${ A }', '${A:-${B}}', '${A:default}'])(
    '%s is refused rather than sent as it is',
    (text) => {
      expect(expand(text, from({ A: '1', B: '2' }))).toMatchObject({
        problem: expect.stringContaining('write `${NAME}` or `${NAME:-default}`'),
      });
    },
  );

  it('is not looked for in what a variable gave', () => {
    expect(expand('${A}', from({ A: '${B}', B: 'no' }))).toEqual({ text: '${B}' });
  });

  it('leaves every other text as it is', () => {
    fc.assert(
      fc.property(tricky, (text) => {
        fc.pre(!text.includes('${'));
        expect(expand(text, none)).toEqual({ text });
      }),
    );
  });

  it('can be escaped in every text', () => {
    fc.assert(
      fc.property(tricky, (text) => {
        expect(expand(escapeVariables(text), none)).toEqual({ text });
      }),
    );
  });

  it('gives exactly its value, whatever that is', () => {
    fc.assert(
      fc.property(tricky, fc.string({ minLength: 1 }), tricky, (before, value, after) => {
        const text = `${escapeVariables(before)} \${V}${escapeVariables(after)}`;
        // The escape of what comes after must not touch the reference's own end.
        expect(expand(text, from({ V: value }))).toEqual({ text: `${before} ${value}${after}` });
      }),
    );
  });
});

describe('a config', () => {
  it('has variables in its values, however deep, and never in its keys', () => {
    const { data } = interpolate(
      { '${A}': ['${A}', { deep: 'x${A}' }], number: 1, yes: true },
      from({ A: '1' }),
    );
    expect(data).toEqual({ '${A}': ['1', { deep: 'x1' }], number: 1, yes: true });
  });

  it('stays as it was: the filled-in one is a copy', () => {
    const original = Object.freeze({ list: Object.freeze(['${A}']) });
    interpolate(original, from({ A: '1' }));
    expect(original).toEqual({ list: ['${A}'] });
  });

  it('reports each unset variable with its path', () => {
    expect(interpolate({ a: ['x', '${B}'], c: '${D}' }, none).unset).toEqual([
      { path: ['a', 1], variable: 'B' },
      { path: ['c'], variable: 'D' },
    ]);
  });

  it('takes a key with nothing after it as not given', () => {
    expect(interpolate({ server: null }, none).data).toEqual({ server: undefined });
  });

  it('is refused when it contains itself', () => {
    const circle: Record<string, unknown> = {};
    circle['a'] = circle;
    expect(interpolate(circle, none).findings).toMatchObject([
      { message: 'goes too deep; does it contain itself?' },
    ]);
  });
});
