import { describe, expect, test } from 'vitest';
import { client, post, started } from './started.ts';

const MODEL = 'mock-embed';

function dot(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, value, index) => sum + value * other[index]!, 0);
}

describe('embeddings', () => {
  test('are unit vectors, the same for the same text', async () => {
    const openai = await client();
    const { data, usage } = await openai.embeddings.create({
      model: MODEL,
      input: ['a proxy', 'a proxy', '代理服务器'],
      encoding_format: 'float',
    });
    const [one, same, other] = data.map((item) => item.embedding);
    expect(one).toHaveLength(384);
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
    expect(dot(one!, one!)).toBeCloseTo(1, 5);
    expect(dot(other!, other!)).toBeCloseTo(1, 5);
    expect(data.map((item) => item.index)).toEqual([0, 1, 2]);
    expect(usage.prompt_tokens).toBe(2 + 2 + 5);
  });

  test('are nearer the more their texts have in common', async () => {
    const openai = await client();
    const { data } = await openai.embeddings.create({
      model: MODEL,
      input: ['the red fox sleeps', 'a red fox sleeps', 'quarterly tax report'],
    });
    const [fox, similar, tax] = data.map((item) => item.embedding);
    expect(dot(fox!, similar!)).toBeGreaterThan(0.5);
    expect(Math.abs(dot(fox!, tax!))).toBeLessThan(0.3);
  });

  test('have the dimensions that are asked for', async () => {
    const openai = await client();
    const { data } = await openai.embeddings.create({ model: MODEL, input: 'a', dimensions: 8 });
    expect(data[0]!.embedding).toHaveLength(8);
    expect(dot(data[0]!.embedding, data[0]!.embedding)).toBeCloseTo(1, 5);
  });

  test('are the same as base64 and as numbers', async () => {
    const { url } = await started();
    const ask = async (encoding_format?: string): Promise<unknown> => {
      const body = { model: MODEL, input: 'a proxy', dimensions: 16, encoding_format };
      const answer = await (await post(`${url}/v1/embeddings`, body)).json();
      return (answer as { data: { embedding: unknown }[] }).data[0]!.embedding;
    };
    const bytes = Buffer.from((await ask('base64')) as string, 'base64');
    const decoded = Array.from({ length: 16 }, (_, index) => bytes.readFloatLE(index * 4));
    expect(decoded).toEqual(await ask('float'));
    expect(await ask()).toEqual(decoded);
  });

  test('are made of tokens too', async () => {
    const openai = await client();
    const one = await openai.embeddings.create({ model: MODEL, input: [1, 2, 3] });
    expect(one.data).toHaveLength(1);
    const two = await openai.embeddings.create({ model: MODEL, input: [[1, 2, 3], [4]] });
    expect(two.data).toHaveLength(2);
    expect(two.data[0]!.embedding).toEqual(one.data[0]!.embedding);
  });

  test.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['an empty list', []],
    ['too many texts', Array.from({ length: 2049 }, () => 'a')],
  ])('are refused of %s', async (_, input) => {
    const { url } = await started();
    const response = await post(`${url}/v1/embeddings`, { model: MODEL, input });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: 'input' } });
  });
});

describe('rerank', () => {
  const documents = ['bread recipes', 'a proxy routes calls', { text: 'what a proxy is' }];
  const body = { model: 'mock-rerank', query: 'what is a proxy', documents };

  test('puts what shares most words with the query first', async () => {
    const { url } = await started();
    const answer = await (await post(`${url}/v1/rerank`, body)).json();
    expect(answer).toMatchObject({
      model: 'mock-rerank',
      object: 'list',
      usage: { total_tokens: 14 },
      results: [
        { index: 2, relevance_score: 1, document: { text: 'what a proxy is' } },
        { index: 1, relevance_score: 0.5, document: { text: 'a proxy routes calls' } },
        { index: 0, relevance_score: 0, document: { text: 'bread recipes' } },
      ],
    });
  });

  test('honours top_n and return_documents', async () => {
    const { url } = await started();
    const asked = { ...body, top_n: 1, return_documents: false };
    const answer = await (await post(`${url}/v2/rerank`, asked)).json();
    expect((answer as { results: unknown }).results).toEqual([{ index: 2, relevance_score: 1 }]);
  });

  test('refuses documents that are none', async () => {
    const { url } = await started();
    const response = await post(`${url}/rerank`, { ...body, documents: [1] });
    expect(response.status).toBe(400);
  });
});
