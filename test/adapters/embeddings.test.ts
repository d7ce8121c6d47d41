import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  embeddings,
  floatEmbeddings,
  fromBase64,
  toBase64,
  vectorLength,
} from '../../src/adapters/embeddings.ts';
import { jsonCall } from './call.ts';

const answer = (embedding: unknown, extra = {}) =>
  JSON.stringify({
    object: 'list',
    data: [{ object: 'embedding', embedding, index: 0 }],
    ...extra,
  });
const convert = (encoding_format: unknown, body: string) => {
  const call = jsonCall('embeddings', { model: 'm', input: 'a', encoding_format });
  return embeddings.response(call)?.body(Buffer.from(body));
};
const embeddingIn = (body: Buffer | string | undefined): unknown =>
  (JSON.parse(String(body)) as { data: { embedding: unknown }[] }).data[0]!.embedding;

describe('an embedding', () => {
  it('survives the way through base64, but for what 32 bits cannot hold', () => {
    const vector = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });
    fc.assert(
      fc.property(vector, (numbers) => {
        expect(fromBase64(toBase64(numbers))).toEqual(numbers);
      }),
    );
  });

  it('is little-endian, as the SDKs read it', () => {
    const text = toBase64([1, -2.5]);
    const bytes = Buffer.from(text, 'base64');
    expect([...bytes]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]);
  });

  it('becomes base64 for the client that asks for it', () => {
    const changed = convert('base64', answer([1, -2.5], { usage: { total_tokens: 3 }, x: 1 }));
    expect(JSON.parse(String(changed?.body))).toEqual({
      object: 'list',
      data: [{ object: 'embedding', embedding: toBase64([1, -2.5]), index: 0 }],
      usage: { total_tokens: 3 },
      x: 1,
    });
  });

  it.each([undefined, null, 'float'])('becomes numbers when the client says %s', (wanted) => {
    expect(embeddingIn(convert(wanted, answer(toBase64([1, -2.5])))?.body)).toEqual([1, -2.5]);
  });

  it('is left alone, unparsed, when it is right already', () => {
    expect(convert('float', `${answer([1])} not even JSON`)).toBe(undefined);
    expect(convert('base64', `${answer('AAAA')} not even JSON`)).toBe(undefined);
  });

  it('is found behind any white space', () => {
    const spaced = '{"data": [ {"object": "embedding", "embedding" :\n [1] } ]}';
    expect(embeddingIn(convert('base64', spaced)?.body)).toBe(toBase64([1]));
  });

  it('is left alone when it is sparse, or one vector a token', () => {
    expect(convert('base64', answer({ '17': 0.5 }))).toBe(undefined);
    expect(embeddingIn(convert('base64', answer([[1], [2]]))?.body)).toEqual([[1], [2]]);
  });

  it('is left alone in a format that only its backend knows', () => {
    expect(embeddings.response(jsonCall('embeddings', { encoding_format: 'bytes' }))).toBe(
      undefined,
    );
  });
});

describe('a backend that ignores the format', () => {
  const patch = (encoding_format?: unknown) =>
    floatEmbeddings.request(jsonCall('embeddings', { encoding_format }));

  it('is asked for floats', () => {
    expect(patch()).toBe(undefined);
    expect(patch('float')).toBe(undefined);
    expect(patch('base64')).toEqual({ set: { encoding_format: 'float' } });
  });

  it('is not asked for what it would silently get wrong', () => {
    expect(() => patch('int8')).toThrow(/use "float" or "base64"/);
  });
});

describe('the length of a vector', () => {
  it.each([
    [[0.5, -1, 3e-7], 3],
    [[1], 1],
    [toBase64([1, 2, 3, 4]), 4],
    ['not base64', undefined],
    [[], undefined],
    [
      [
        [1, 2],
        [3, 4],
      ],
      undefined,
    ],
    [{ token: 0.5 }, undefined],
    [null, undefined],
  ])('of %j is %j', (embedding, length) => {
    expect(vectorLength(Buffer.from(answer(embedding)))).toBe(length);
    expect(vectorLength(Buffer.from(JSON.stringify(JSON.parse(answer(embedding)), null, 2)))).toBe(
      length,
    );
  });

  it('of no answer is none', () => {
    expect(vectorLength(Buffer.from('{"error":"embedding"}'))).toBe(undefined);
  });
});
