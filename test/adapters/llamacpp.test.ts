import { describe, expect, it } from 'vitest';
import { llamacpp } from '../../src/adapters/llamacpp.ts';
import { wireSample } from '../support/wire-samples.ts';
import { scene, type Script } from './exchange.ts';
import { serve, serveWire, type Routes } from './server.ts';

const health = { body: { status: 'ok' } };
const list = { body: { data: [{ id: 'a', object: 'model', owned_by: 'llamacpp', created: 1 }] } };
const unsupported = {
  status: 501,
  body: { error: { code: 501, message: 'no', type: 'not_supported_error' } },
};
const empty = { status: 400, body: { error: { code: 400, message: 'missing', type: 'x' } } };
const loading = {
  status: 503,
  body: { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
};

describe('a probe of llama.cpp', () => {
  it('tells its model, its context and its other names', async () => {
    const { backend } = await serveWire('llamacpp');
    const { models, ...result } = await llamacpp.probe(backend);
    expect(result).toMatchObject({ state: 'healthy', version: 'b10488-0a1b2c3' });
    expect(models?.[0]).toEqual({
      id: 'qwen3-8b-q4.gguf',
      contextLength: 16384,
      created: 1755850000,
      ownedBy: 'llamacpp',
      loaded: true,
    });
  });

  it.each([
    ['chat', [unsupported, unsupported, empty], ['chat', 'completions', 'transcriptions']],
    ['embeddings', [empty, unsupported, unsupported], ['embeddings']],
    ['rerank', [empty, empty, unsupported], ['embeddings', 'rerank']],
    [
      'all of it',
      [empty, unsupported, empty],
      ['chat', 'completions', 'embeddings', 'transcriptions'],
    ],
  ])('finds out once that it was started for %s', async (_, answers, operations) => {
    const [embeds, ranks, chats] = answers as [Routes[string], Routes[string], Routes[string]];
    const { backend, asked } = await serve({
      'GET /health': health,
      'GET /v1/models': list,
      'POST /v1/embeddings': embeds,
      'POST /v1/rerank': ranks,
      'POST /v1/chat/completions': chats,
    });
    expect((await llamacpp.probe(backend)).operations).toEqual(operations);
    expect((await llamacpp.probe(backend)).operations).toEqual(operations);
    expect(asked.filter((route) => route === 'POST /v1/embeddings')).toHaveLength(1);
  });

  it('hears only with a model that hears', async () => {
    const { backend } = await serve({
      'GET /health': health,
      'GET /v1/models': list,
      'GET /props': { body: { modalities: { vision: true, audio: false } } },
    });
    expect((await llamacpp.probe(backend)).operations).toEqual(['chat', 'completions']);
  });

  it('leaves open what a busy server does not tell, and asks again', async () => {
    const { backend, asked } = await serve({
      'GET /health': health,
      'GET /v1/models': list,
      'POST /v1/embeddings': { status: 503, body: 'busy' },
    });
    expect(await llamacpp.probe(backend)).not.toHaveProperty('operations');
    await llamacpp.probe(backend);
    expect(asked.filter((route) => route === 'POST /v1/embeddings')).toHaveLength(2);
  });

  it('knows a model that sleeps', async () => {
    const { backend } = await serve({
      'GET /health': health,
      'GET /v1/models': list,
      'GET /props': { body: { is_sleeping: true } },
    });
    expect((await llamacpp.probe(backend)).models).toMatchObject([{ loaded: false }]);
  });

  it('reads a router’s list, wherever that is, and asks its models nothing', async () => {
    const { backend, asked } = await serve({
      'GET /health': health,
      'GET /models': { body: wireSample('llamacpp', 'models-router').response.body },
    });
    const { models, operations } = await llamacpp.probe(backend);
    expect(models?.map(({ id, loaded }) => [id, loaded])).toEqual([
      ['ggml-org/gemma-3-4b-it-GGUF:Q4_K_M', true],
      ['qwen3-8b', false],
    ]);
    expect(operations).toBeUndefined();
    expect(asked.some((route) => route.startsWith('POST'))).toBe(false);
  });

  it('that loads is loading, and one with a wrong key is misconfigured', async () => {
    const busy = await serve({ 'GET /health': loading, 'GET /v1/models': loading });
    expect(await llamacpp.probe(busy.backend)).toMatchObject({ state: 'loading' });
    const { response } = wireSample('llamacpp', 'error-401');
    const locked = await serve({
      'GET /health': health,
      'GET /v1/models': list,
      'GET /props': { status: 401, body: response.body },
    });
    expect(await llamacpp.probe(locked.backend)).toMatchObject({ state: 'misconfigured' });
  });
});

describe('whether llama.cpp is loading', () => {
  it.each([
    ['the server is', { 'GET /v1/models': loading }, true],
    [
      'the router’s model is',
      { 'GET /v1/models': { body: { data: [{ id: 'a', status: { value: 'loading' } }] } } },
      true,
    ],
    [
      'the router’s model is there',
      { 'GET /v1/models': { body: { data: [{ id: 'a', status: { value: 'loaded' } }] } } },
      false,
    ],
    ['its one model is there', { 'GET /v1/models': list }, false],
  ])('%s', async (_, routes, expected) => {
    const { backend } = await serve(routes);
    expect(await llamacpp.loading(backend, 'a')).toBe(expected);
  });
});

describe('llama.cpp behind the gateway', () => {
  const scores = {
    body: {
      model: 'm',
      object: 'list',
      usage: { prompt_tokens: 9, total_tokens: 9 },
      results: [
        { index: 0, relevance_score: -2 },
        { index: 1, relevance_score: 0 },
      ],
    },
  };
  const ask = { model: 'm', query: 'q', documents: ['a', { text: 'b' }] };

  it.each([
    [undefined, [0, -2]],
    [{ score: 'raw' as const }, [0, -2]],
    [{ score: 'sigmoid' as const }, [0.5, 1 / (1 + Math.exp(2))]],
  ])('gives its scores as the config wants them: %j', async (rerank, expected) => {
    const instance = rerank ? { rerank } : {};
    const { post, json } = await scene('llamacpp', { 'POST *': scores }, instance);
    const reply = await post('/v1/rerank', ask);
    const { results } = (await reply.json()) as { results: { relevance_score: number }[] };
    expect(results.map(({ relevance_score: score }) => score)).toEqual(expected);
    expect(json()['documents']).toEqual(['a', 'b']);
  });

  it.each([
    'input (900 tokens) is too large to process. increase the physical batch size',
    '[json.exception.type_error.302] type must be string, but is null',
  ])('takes the client’s mistake for one: %s', async (message) => {
    const { post } = await scene('llamacpp', {
      'POST *': { status: 500, body: { error: { code: 500, message, type: 'server_error' } } },
    });
    const reply = await post('/v1/chat/completions', { model: 'm', messages: [] });
    expect(reply.status).toBe(400);
  });

  it('never asks a connection more than it answers', async () => {
    // As cpp-httplib does: after 100 requests the connection is closed.
    const counts = new Map<unknown, number>();
    let most = 0;
    const count: Script = (_, response) => {
      const used = (counts.get(response.socket) ?? 0) + 1;
      counts.set(response.socket, used);
      most = Math.max(most, used);
      if (used > 100) {
        response.socket?.destroy();
        return undefined;
      }
      return { body: { choices: [] } };
    };
    const { post, outcomes } = await scene('llamacpp', { 'POST *': count });
    for (let times = 0; times < 220; times += 1) {
      const reply = await post('/v1/chat/completions', { model: 'm', messages: [] });
      await reply.arrayBuffer();
    }
    expect(outcomes.every(({ ending, attempts }) => ending === 'ok' && attempts.length === 1)).toBe(
      true,
    );
    expect(most).toBe(100);
  });
});
