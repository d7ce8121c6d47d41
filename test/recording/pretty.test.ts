import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pretty } from '../../src/recording/pretty.ts';

describe('JSON for people', () => {
  it('has short things, vectors and events on one line each', () => {
    const value = {
      message: { role: 'user', content: 'Hi' },
      none: undefined,
      vector: Array.from({ length: 60 }, (_, index) => index / 8),
      events: [{ at: 1.5, text: 'x'.repeat(200) }],
      empty: {},
    };
    const lines = pretty(value).split('\n');
    expect(lines).toHaveLength(8);
    expect(lines[1]).toBe('  "message": { "role": "user", "content": "Hi" },');
    expect(lines[4]).toMatch(/^ {4}\{ "at": 1\.5, "text": "x+" \}$/);
  });

  it('says the same as JSON.stringify', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(pretty(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
