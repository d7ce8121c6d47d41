import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { sample } from '../../src/mock/sample.ts';

describe('a value made for a JSON Schema', () => {
  test.each([
    ['a tool as most are written', { type: 'object', properties: { city: { type: 'string' } } }],
    ['an enum', { enum: ['celsius', 'fahrenheit'] }],
    ['a constant', { const: 42 }],
    ['a nullable string', { type: ['string', 'null'] }],
    ['a union', { anyOf: [{ type: 'integer', minimum: 7 }, { type: 'null' }] }],
    ['formats', { type: 'string', format: 'uuid' }],
    ['a date', { type: 'string', format: 'date-time' }],
    ['bounds beyond each other', { type: 'number', exclusiveMinimum: 3, exclusiveMaximum: 3.5 }],
    ['a step', { type: 'integer', multipleOf: 5, minimum: 11, maximum: 19 }],
    ['a negative range', { type: 'integer', maximum: -3 }],
    ['a tuple', { type: 'array', prefixItems: [{ type: 'string' }, { type: 'boolean' }] }],
    ['several items', { type: 'array', items: { type: 'number' }, minItems: 3 }],
    [
      'parts put together',
      {
        allOf: [
          { type: 'object', properties: { one: { type: 'string' } }, required: ['one'] },
          { type: 'object', properties: { two: { type: 'integer' } }, required: ['two'] },
        ],
      },
    ],
    [
      'a tree',
      {
        $ref: '#/$defs/node',
        $defs: {
          node: {
            type: 'object',
            properties: {
              name: { type: 'string' },
              next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
              children: { type: 'array', items: { $ref: '#/$defs/node' } },
            },
            required: ['name', 'next', 'children'],
            additionalProperties: false,
          },
        },
      },
    ],
  ])('is valid for %s', (_, schema) => {
    const value = sample(schema);
    const check = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    expect(check.safeParse(value).error).toBeUndefined();
  });

  test('makes every required property, however deep', () => {
    const schema = {
      type: 'object',
      properties: {
        a: {
          type: 'object',
          properties: {
            b: {
              type: 'object',
              properties: { c: { type: 'object', properties: { d: {} }, required: ['d'] } },
              required: ['c'],
            },
          },
          required: ['b'],
        },
      },
      required: ['a'],
    };
    expect(sample(schema)).toEqual({ a: { b: { c: { d: 'mock d' } } } });
  });

  test('ends, even for a schema that demands itself twice', () => {
    const schema = {
      type: 'object',
      properties: { left: { $ref: '#' }, right: { $ref: '#' } },
      required: ['left', 'right'],
    };
    expect(JSON.stringify(sample(schema)).length).toBeLessThan(1_000_000);
  });

  test('never throws, whatever is given as a schema', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (schema) => {
        expect(() => JSON.stringify(sample(schema))).not.toThrow();
      }),
    );
  });

  test('has strings of the lengths that are allowed', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), (one, other) => {
        const [minLength, maxLength] = [Math.min(one, other), Math.max(one, other)];
        const text = sample({ type: 'string', minLength, maxLength }) as string;
        expect(text.length).toBeGreaterThanOrEqual(minLength);
        expect(text.length).toBeLessThanOrEqual(maxLength);
      }),
    );
  });
});
