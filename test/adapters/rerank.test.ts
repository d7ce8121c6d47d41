import { describe, expect, it } from 'vitest';
import { rerank, textRerank } from '../../src/adapters/rerank.ts';
import { jsonCall } from './call.ts';

const documents = ['Paris is in France.', 'Cats purr.', 'Rome is in Italy.'];
const base = { model: 'm', query: 'Where is Paris?', documents };
const outward = (answer: unknown, fields = {}): unknown => {
  const call = jsonCall('rerank', { ...base, ...fields });
  const body = Buffer.from(JSON.stringify(answer));
  const changed = rerank.response(call).body(body);
  return JSON.parse(String(changed?.body ?? body));
};
const result = (index: number, relevance_score: number, document?: unknown) => ({
  index,
  relevance_score,
  ...(document === undefined ? {} : { document }),
});

describe('a rerank answer', () => {
  it('has the best first', () => {
    const results = [result(0, 0.1), result(1, 0.9), result(2, -3)];
    expect(outward({ results })).toMatchObject({
      object: 'list',
      model: 'm',
      results: [result(1, 0.9), result(0, 0.1), result(2, -3)],
    });
  });

  it('has as many results as were asked for, and all of them for none or zero', () => {
    const results = [result(0, 0.1), result(1, 0.9), result(2, 0.5)];
    const count = (top_n: unknown) =>
      (outward({ results }, { top_n }) as { results: unknown[] }).results.length;
    expect([2, 1, 9, 0, null, undefined].map(count)).toEqual([2, 1, 3, 3, 3, 3]);
  });

  it('leaves documents out unless they are asked for', () => {
    const results = [result(0, 1, { text: 'Paris is in France.', multi_modal: null })];
    expect(outward({ results })).toMatchObject({ results: [result(0, 1)] });
    expect((outward({ results }) as { results: object[] }).results[0]).not.toHaveProperty(
      'document',
    );
  });

  it.each([
    ['left out', undefined],
    ['null', null],
    ['a text', 'Cats purr.'],
    ['an object', { text: 'Cats purr.' }],
    ['an object of vLLM', { text: 'Cats purr.', multi_modal: null }],
  ])('has the documents that are asked for, where the backend has them %s', (_, document) => {
    const results = [{ ...result(1, 1), document }];
    expect(outward({ results }, { return_documents: true })).toMatchObject({
      results: [result(1, 1, { text: 'Cats purr.' })],
    });
  });

  it('gives documents of another kind back as the client sent them', () => {
    const image = { image: 'https://example.com/a.png' };
    const fields = { documents: [image], return_documents: true };
    expect(outward({ results: [result(0, 1)] }, fields)).toMatchObject({
      results: [result(0, 1, image)],
    });
  });

  it("is made of SGLang's bare array", () => {
    const meta = (prompt_tokens: number) => ({ meta_info: { prompt_tokens } });
    const array = [
      { score: 0.2, document: 'Cats purr.', index: 1, ...meta(11) },
      { score: 0.9, document: 'Paris is in France.', index: 0, ...meta(13) },
    ];
    expect(outward(array, { return_documents: true })).toEqual({
      id: expect.stringMatching(/^rerank-/) as string,
      model: 'm',
      object: 'list',
      usage: { prompt_tokens: 24, total_tokens: 24 },
      results: [
        result(0, 0.9, { text: 'Paris is in France.' }),
        result(1, 0.2, { text: 'Cats purr.' }),
      ],
    });
  });

  it('is empty where LocalAI says null', () => {
    expect(outward({ model: 'x', results: null })).toMatchObject({ model: 'x', results: [] });
  });

  it("takes its usage from Cohere's meta", () => {
    const meta = { tokens: { input_tokens: 24, output_tokens: 24 } };
    const usage = { prompt_tokens: 24, total_tokens: 24 };
    expect(outward({ id: 'x', results: [], meta })).toMatchObject({ id: 'x', usage });
    expect(outward({ results: [], usage: { total_tokens: 7 } })).toMatchObject({
      usage: { prompt_tokens: 7, total_tokens: 7 },
    });
  });

  it('says that its usage is a guess where the backend does not count', () => {
    // The query of 15 bytes with each of 3 documents of 19, 10 and 17.
    const tokens = Math.ceil((3 * 15 + 19 + 10 + 17) / 4);
    expect(outward({ results: [] })).toMatchObject({
      usage: { prompt_tokens: tokens, total_tokens: tokens, estimated: true },
    });
  });

  it('keeps raw scores: only the user knows what they mean', () => {
    expect(outward({ results: [result(0, 7.89)] })).toMatchObject({ results: [result(0, 7.89)] });
  });

  it('is left alone when it is right, or is something else', () => {
    const call = jsonCall('rerank', base);
    const right = {
      id: 'a',
      model: 'm',
      object: 'list',
      usage: { prompt_tokens: 1, total_tokens: 1 },
      results: [result(0, 1)],
    };
    for (const answer of [right, { hello: 'world' }, 'text']) {
      expect(rerank.response(call).body(Buffer.from(JSON.stringify(answer)))).toBe(undefined);
    }
  });

  it('is broken without a score', () => {
    expect(() => outward({ results: [{ index: 0 }] })).toThrow(/no score/);
  });
});

describe('a rerank request', () => {
  it('goes as it is to a backend that takes objects, but for those that are texts', () => {
    const rich = [{ text: 'a', title: 'b' }, { image: 'c' }, 'd'];
    const fields = { ...base, documents: rich, top_n: 1 };
    expect(rerank.request(jsonCall('rerank', fields))).toBe(undefined);
    const mixed = { ...fields, documents: [...rich, { text: 'e' }] };
    expect(rerank.request(jsonCall('rerank', mixed))).toEqual({
      set: { documents: [...rich, 'e'] },
    });
  });

  it('has texts for a backend that takes only those', () => {
    const patch = (list: unknown) =>
      textRerank.request(jsonCall('rerank', { ...base, documents: list }));
    expect(patch(['a', 'b'])).toBe(undefined);
    expect(patch([{ text: 'a' }, 'b', { text: 'c', id: 7 }])).toEqual({
      set: { documents: ['a', 'b', 'c'] },
    });
    expect(() => patch(['a', { image: 'x' }])).toThrow(/documents\[1\] must be a string/);
  });

  it('does not say top_n 0, which some take for all and some for an error', () => {
    const patch = (top_n: unknown) => rerank.request(jsonCall('rerank', { ...base, top_n }));
    expect(patch(0)).toEqual({ remove: ['top_n'] });
    expect(patch(2)).toBe(undefined);
  });
});
