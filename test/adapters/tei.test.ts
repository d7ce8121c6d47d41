import { describe, expect, it } from 'vitest';
import { tei } from '../../src/adapters/tei.ts';
import type { Received } from '../support/fake-backend.ts';
import { scene, type Script } from './exchange.ts';
import { serve, serveWire } from './server.ts';

const info = (kind: string, more: object = {}) => ({
  body: { model_id: 'm', served_model_name: 'm', model_type: { [kind]: {} }, ...more },
});
const body = ({ body: bytes }: Received) =>
  JSON.parse(bytes.toString()) as { input: string[]; texts: string[] };

/** As TEI does: no more than 32 inputs, and a vector that names its input. */
const embed: Script = (received) => {
  const { input } = body(received);
  const inputs = Array.isArray(input) ? input : [input];
  if (inputs.length > 32)
    return {
      status: 422,
      body: { message: `batch size ${inputs.length} > 32`, code: 422, type: 'Validation' },
    };
  return {
    body: {
      object: 'list',
      model: 'm',
      data: inputs.map((text, index) => ({
        object: 'embedding',
        index,
        embedding: [Number(text.split(' ')[1] ?? 0)],
      })),
      usage: { prompt_tokens: inputs.length, total_tokens: inputs.length },
    },
  };
};
const texts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`);

describe('a probe of TEI', () => {
  it('tells its one model, what it is for and what it takes', async () => {
    const { backend } = await serveWire('tei');
    expect(await tei.probe(backend)).toEqual({
      state: 'healthy',
      version: '1.9.3',
      models: [
        {
          id: 'BAAI/bge-reranker-base',
          services: ['rerank'],
          loaded: true,
          contextLength: 512,
          ownedBy: 'tei',
        },
      ],
      operations: ['rerank'],
      facts: { maxInputs: 32 },
    });
  });

  it.each([
    ['embedding', ['embeddings']],
    ['reranker', ['rerank']],
    ['classifier', []],
  ])('of a %s offers %j', async (kind, operations) => {
    const { backend } = await serve({ 'GET /health': { body: '' }, 'GET /info': info(kind) });
    expect((await tei.probe(backend)).operations).toEqual(operations);
  });

  it('knows a model under both its names', async () => {
    const { backend } = await serve({
      'GET /health': { body: '' },
      'GET /info': info('embedding', { served_model_name: 'nice' }),
    });
    expect((await tei.probe(backend)).models).toMatchObject([{ id: 'nice', aliases: ['m'] }]);
  });
});

describe('embeddings of TEI', () => {
  it.each([1, 32, 33, 100])('of %i inputs are as many, in their order', async (count) => {
    const { post, asked } = await scene('tei', { 'POST *': embed });
    const reply = await post('/v1/embeddings', { model: 'm', input: texts(count), user: 'u' });
    expect(reply.status).toBe(200);
    expect(await reply.json()).toEqual({
      object: 'list',
      model: 'm',
      data: texts(count).map((_, index) => ({ object: 'embedding', index, embedding: [index] })),
      usage: { prompt_tokens: count, total_tokens: count },
    });
    const calls = asked.filter(({ method }) => method === 'POST');
    expect(calls).toHaveLength(Math.ceil(count / 32));
    for (const { headers, body: bytes, path } of calls) {
      expect(path).toBe('/v1/embeddings');
      expect(headers['content-length']).toBe(String(bytes.length));
      expect(JSON.parse(bytes.toString())).toMatchObject({ model: 'm', user: 'u' });
    }
    expect(reply.headers.get('x-jairouter-attempts')).toBe('1');
  });

  it('are in base64 from all of the parts, for who asked so', async () => {
    const { post } = await scene('tei', { 'POST *': embed });
    const ask = { model: 'm', input: texts(40), encoding_format: 'base64' };
    const { data } = (await (await post('/v1/embeddings', ask)).json()) as {
      data: { embedding: string }[];
    };
    expect(Buffer.from(data[39]!.embedding, 'base64').readFloatLE()).toBe(39);
  });

  it('go by what the server says it takes', async () => {
    const { post, asked } = await scene('tei', {
      'GET /info': info('embedding', { max_client_batch_size: 4 }),
      'POST *': embed,
    });
    await post('/v1/embeddings', { model: 'm', input: texts(10) });
    const sizes = asked
      .filter(({ method }) => method === 'POST')
      .map((received) => body(received).input.length);
    expect(sizes).toEqual([4, 4, 2]);
  });

  it('keep below what it reads at once', async () => {
    const { post, asked } = await scene('tei', { 'POST *': embed });
    const long = texts(8).map((text) => `${text} ${'x'.repeat(500_000)}`);
    const reply = await post('/v1/embeddings', { model: 'm', input: long });
    expect(((await reply.json()) as { data: object[] }).data).toHaveLength(8);
    for (const { body: bytes } of asked) expect(bytes.length).toBeLessThan(2_000_000);
  });

  it.each([['one text'], [[1, 2, 3]], [[...Array(64).keys()]]])(
    'of %j are one request',
    async (input) => {
      const { post, json } = await scene('tei', {
        'POST *': { body: { data: [{ embedding: [1] }] } },
      });
      await post('/v1/embeddings', { model: 'm', input });
      expect(json()['input']).toEqual(input);
    },
  );

  it.each([
    [{ status: 429, body: { message: 'Model is overloaded', code: 429, type: 'Overloaded' } }, 429],
    [{ status: 413, body: 'length limit exceeded' }, 413],
    [{ status: 200, body: { error: { message: 'no', code: 503 } } }, 503],
    [{ status: 200, body: 'no JSON' }, 502],
  ])('fail as a whole when one part does: %j', async (failure, status) => {
    const { post, outcomes } = await scene('tei', {
      'POST *': (received) =>
        body(received).input[0] === 'text 64'
          ? failure
          : (embed as (r: Received) => object)(received),
    });
    const reply = await post('/v1/embeddings', { model: 'm', input: texts(200) });
    expect(reply.status).toBe(status);
    expect(await reply.json()).toHaveProperty('error.message');
    expect(outcomes).toHaveLength(1);
  });

  it('end when the client leaves between the parts', async () => {
    let open = 0;
    const { post, outcomes } = await scene('tei', {
      'POST *': (received, response) => {
        if (body(received).input[0] === 'text 0')
          return (embed as (r: Received) => object)(received);
        open += 1;
        response.on('close', () => {
          open -= 1;
        });
        return undefined;
      },
    });
    const leave = new AbortController();
    const call = post(
      '/v1/embeddings',
      { model: 'm', input: texts(100) },
      { signal: leave.signal },
    );
    await expect.poll(() => open).toBe(3);
    leave.abort();
    await expect(call).rejects.toThrow();
    await expect.poll(() => open).toBe(0);
    await expect.poll(() => outcomes.map(({ ending }) => ending)).toEqual(['aborted']);
  });
});

describe('rerank of TEI', () => {
  /** The later a text, the better. */
  const rank: Script = (received) => {
    const ranks = body(received).texts.map((text, index) => ({
      index,
      score: Number(text.split(' ')[1]) / 1000,
    }));
    return {
      headers: { 'x-compute-tokens': String(ranks.length * 2) },
      body: ranks.sort((one, other) => other.score - one.score),
    };
  };
  const routes = { 'GET /info': info('reranker'), 'POST *': rank };

  it('speaks its own words, and answers in Jina’s', async () => {
    const { post, last, json } = await scene('tei', routes);
    const reply = await post('/v1/rerank', {
      model: 'm',
      query: 'q',
      documents: ['text 1', { text: 'text 2' }],
      top_n: 1,
      return_documents: true,
    });
    const { id, ...rest } = (await reply.json()) as { id: string };
    expect(id).toMatch(/./);
    expect(rest).toEqual({
      model: 'm',
      object: 'list',
      usage: { prompt_tokens: 4, total_tokens: 4 },
      results: [{ index: 1, relevance_score: 0.002, document: { text: 'text 2' } }],
    });
    expect(last().path).toBe('/rerank');
    expect(json()).toEqual({
      query: 'q',
      texts: ['text 1', 'text 2'],
      raw_scores: false,
      return_text: false,
      truncate: true,
    });
  });

  it('ranks more documents than it takes at once as one list', async () => {
    const { post, asked } = await scene('tei', routes);
    const reply = await post('/v1/rerank', {
      model: 'm',
      query: 'q',
      documents: texts(70),
      top_n: 3,
    });
    const { results, usage } = (await reply.json()) as {
      results: { index: number }[];
      usage: object;
    };
    expect(results.map(({ index }) => index)).toEqual([69, 68, 67]);
    expect(usage).toEqual({ prompt_tokens: 140, total_tokens: 140 });
    expect(asked.filter(({ method }) => method === 'POST')).toHaveLength(3);
  });

  it.each([
    [{ error: 'model is not a re-ranker model', error_type: 'Backend' }, 501],
    [{ error: 'CUDA error', error_type: 'Backend' }, 500],
  ])('tells a wrong kind of model from a broken engine: %j', async (answer, status) => {
    const { post } = await scene('tei', {
      'GET /info': info('reranker'),
      'POST *': { status: 424, body: answer },
    });
    const reply = await post('/v1/rerank', { model: 'm', query: 'q', documents: ['a'] });
    expect(reply.status).toBe(status);
  });

  it('refuses what is no text', async () => {
    const { post } = await scene('tei', routes);
    const reply = await post('/v1/rerank', { model: 'm', query: 'q', documents: [{ image: 'x' }] });
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ error: { param: 'documents' } });
  });
});
