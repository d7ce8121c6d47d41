import { describe, expect, it } from 'vitest';
import { offering, scene, type OwnName } from './exchange.ts';

const floats = [0.5, -0.25, 3];
const base64 = Buffer.from(Float32Array.from(floats).buffer).toString('base64');

const answerOf = (vectors: readonly unknown[]) => ({
  body: {
    model: 'm',
    usage: { prompt_tokens: 3, total_tokens: 3 },
    data: vectors.map((embedding, index) => ({ index, object: 'embedding', embedding })),
    object: 'list',
  },
});

interface Embedded {
  data: { embedding: unknown; index: number }[];
  usage: unknown;
}

describe.each(offering('embeddings'))('embeddings through %s', (adapter) => {
  it.each([
    ['float', 'base64', [floats, floats]],
    ['float', undefined, [base64, base64]],
    ['float', null, [base64]],
    ['base64', 'base64', [floats, floats, floats]],
    ['base64', 'base64', [base64]],
    ['float', 'float', [floats]],
  ])('are %s when %s was asked', async (wanted, asked, vectors) => {
    if (wanted === 'float' && asked === 'base64') return;
    const { post, json } = await scene(adapter, { 'POST *': answerOf(vectors) });
    const input = vectors.map((_, index) => `text ${index} 日本語`);
    const format = asked === undefined ? {} : { encoding_format: asked };
    const reply = await post('/v1/embeddings', { input, model: 'm', dimensions: 3, ...format });
    expect(reply.status).toBe(200);
    const body = (await reply.json()) as Embedded;
    const expected = wanted === 'float' ? floats : base64;
    expect(body.data.map(({ embedding }) => embedding)).toEqual(vectors.map(() => expected));
    expect(body.usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
    expect(json()).toMatchObject({ input, dimensions: 3 });
  });

  it('take tokens, one list or several, and answers that are pretty-printed', async () => {
    const { post, json } = await scene(adapter, {
      'POST *': () => ({
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(answerOf([floats, floats]).body, undefined, 2),
      }),
    });
    const input = [
      [1, 2],
      [3, 4],
    ];
    const reply = await post('/v1/embeddings', { model: 'm', input, encoding_format: 'base64' });
    const body = (await reply.json()) as Embedded;
    expect(body.data.map(({ embedding }) => embedding)).toEqual([base64, base64]);
    expect(json()['input']).toEqual(input);
  });
});

const documents = ['日本', { text: 'Paris' }, 'cats "purr"'];
const texts = ['日本', 'Paris', 'cats "purr"'];

/** The same result in the dialects of the engines; the order is theirs, wrong on purpose. */
const DIALECTS = {
  jina: {
    id: 'r1',
    model: 'backend-name',
    usage: { total_tokens: 9, prompt_tokens: 9 },
    results: [
      { index: 2, relevance_score: -3.5, document: { text: 'cats "purr"' } },
      { index: 1, relevance_score: 4, document: { text: 'Paris' } },
      { index: 0, relevance_score: 0, document: { text: '日本' } },
    ],
  },
  vllm: {
    id: 'score-1',
    model: 'm',
    usage: { prompt_tokens: 9, total_tokens: 9 },
    results: [
      { index: 1, document: { text: 'Paris', multi_modal: null }, relevance_score: 4 },
      { index: 0, document: { text: '日本', multi_modal: null }, relevance_score: 0 },
      { index: 2, document: { text: 'cats "purr"', multi_modal: null }, relevance_score: -3.5 },
    ],
  },
  cohere: {
    id: 'c1',
    results: [
      { index: 1, relevance_score: 4, document: null },
      { index: 0, relevance_score: 0, document: null },
      { index: 2, relevance_score: -3.5, document: null },
    ],
    meta: { api_version: null, billed_units: null, tokens: { input_tokens: 9, output_tokens: 0 } },
  },
  sglang: [
    { score: 4, document: 'Paris', index: 1, meta_info: { prompt_tokens: 3 } },
    { score: 0, document: '日本', index: 0, meta_info: { prompt_tokens: 3 } },
    { score: -3.5, document: 'cats "purr"', index: 2, meta_info: { prompt_tokens: 3 } },
  ],
  infinity: {
    object: 'rerank',
    id: 'i1',
    model: 'm',
    created: 1,
    usage: { prompt_tokens: 9, total_tokens: 9 },
    results: [
      { relevance_score: 4, index: 1, document: null },
      { relevance_score: 0, index: 0, document: null },
      { relevance_score: -3.5, index: 2, document: null },
    ],
  },
  llamacpp: {
    model: 'm',
    object: 'list',
    usage: { prompt_tokens: 9, total_tokens: 9 },
    results: [
      { index: 0, relevance_score: 0 },
      { index: 1, relevance_score: 4 },
      { index: 2, relevance_score: -3.5 },
    ],
  },
} as const;

const RERANKERS: readonly (readonly [OwnName, keyof typeof DIALECTS])[] = [
  ['openai', 'jina'],
  ['openai', 'infinity'],
  ['openai', 'llamacpp'],
  ['vllm', 'vllm'],
  ['xinference', 'cohere'],
  ['localai', 'jina'],
  ['gpustack', 'vllm'],
  ['gpustack', 'sglang'],
  ['llamacpp', 'llamacpp'],
  ['sglang', 'sglang'],
  ['infinity', 'infinity'],
];

interface Reranked {
  id: string;
  model: string;
  object: string;
  usage: { total_tokens: number; prompt_tokens: number };
  results: { index: number; relevance_score: number; document?: { text: string } }[];
}

describe.each(RERANKERS)('rerank through %s, answered as %s does', (adapter, dialect) => {
  const routes = { 'POST *': { body: DIALECTS[dialect] } };

  it.each([
    [{}, 3, false],
    [{ top_n: 0 }, 3, false],
    [{ top_n: null, return_documents: null }, 3, false],
    [{ top_n: 99, return_documents: true }, 3, true],
    [{ top_n: 2, return_documents: false }, 2, false],
    [{ top_n: '1', return_documents: true }, 1, true],
  ])('with %j', async (more, count, withDocuments) => {
    const { post, json, last } = await scene(adapter, routes);
    const reply = await post('/v2/rerank', { query: 'où?', documents, model: 'm', ...more });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toMatch(/^application\/json/);
    const body = (await reply.json()) as Reranked;
    expect(Object.keys(body).sort()).toEqual(['id', 'model', 'object', 'results', 'usage']);
    expect(body.object).toBe('list');
    expect(body.usage).toEqual({ prompt_tokens: 9, total_tokens: 9 });
    const order = [
      { index: 1, relevance_score: 4 },
      { index: 0, relevance_score: 0 },
      { index: 2, relevance_score: -3.5 },
    ];
    expect(body.results).toEqual(
      order
        .slice(0, count)
        .map((one) => (withDocuments ? { ...one, document: { text: texts[one.index] } } : one)),
    );
    expect(last().path).toBe(adapter === 'infinity' ? '/rerank' : '/v1/rerank');
    expect(json()['documents'], 'text is all that every reranker takes').toEqual(texts);
    expect([undefined, 99, 2, '1', 1]).toContain(json()['top_n']);
  });
});

describe('rerank', () => {
  it('keeps documents of several fields, and images, for those that know them', async () => {
    const rich = [{ text: 'a', title: 'b' }, { content: [{ type: 'image_url', image_url: {} }] }];
    const { post, json } = await scene('vllm', { 'POST *': { body: { results: [] } } });
    const reply = await post('/rerank', { model: 'm', query: 'q', documents: rich });
    expect(json()['documents']).toEqual(rich);
    expect(await reply.json()).toMatchObject({ results: [], usage: { estimated: true } });
  });

  it('of nothing is empty', async () => {
    const body = { results: null, usage: { total_tokens: 0, prompt_tokens: 0 }, model: 'm' };
    const { post } = await scene('localai', { 'POST *': { body } });
    const reply = await post('/v1/rerank', { model: 'm', query: 'q', documents: ['a'] });
    expect(await reply.json()).toMatchObject({ results: [], usage: { total_tokens: 0 } });
  });
});
