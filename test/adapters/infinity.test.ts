import { describe, expect, it } from 'vitest';
import { infinity } from '../../src/adapters/infinity.ts';
import { list, scene } from './exchange.ts';
import { serve, serveWire } from './server.ts';

const health = { body: { unix: 1755850000.5 } };

describe('a probe of Infinity', () => {
  it('tells its models and what each can do', async () => {
    const { backend } = await serveWire('infinity');
    const { state, models, facts } = await infinity.probe(backend);
    expect(state).toBe('healthy');
    expect(facts).toEqual({ prefix: '' });
    expect(models?.map(({ id, services }) => [id, services])).toEqual([
      ['BAAI/bge-m3', ['embeddings']],
      ['BAAI/bge-reranker-v2-m3', ['rerank']],
    ]);
  });

  it('finds its paths below /v1', async () => {
    const { backend } = await serve({
      'GET /health': health,
      'GET /v1/models': { body: { data: [{ id: 'a', capabilities: ['classify'] }] } },
    });
    expect(await infinity.probe(backend)).toEqual({
      state: 'healthy',
      facts: { prefix: '/v1' },
      models: [{ id: 'a', services: [], loaded: true }],
    });
  });
});

describe('Infinity behind the gateway', () => {
  const vectors = { body: { data: [{ index: 0, embedding: [1] }], usage: {} } };

  it('is asked without /v1, or with it where its operator has put that', async () => {
    const plain = await scene('infinity', { 'POST *': vectors });
    await plain.post('/v1/embeddings', { model: 'm', input: 'a' });
    expect(plain.last().path).toBe('/embeddings');
    const prefixed = await scene('infinity', {
      'GET /models': { status: 404, body: { detail: 'Not Found' } },
      'GET /v1/models': list({ id: 'm', owned_by: 'infinity' }),
      'POST *': vectors,
    });
    await prefixed.post('/v1/embeddings', { model: 'm', input: 'a' });
    expect(prefixed.last().path).toBe('/v1/embeddings');
    await prefixed.post('/v1/rerank', { model: 'm', query: 'q', documents: [{ text: 'a' }] });
    expect(prefixed.last().path).toBe('/v1/rerank');
    expect(prefixed.json()['documents']).toEqual(['a']);
  });

  it('calls a model that it has not unknown', async () => {
    const message = 'Invalid model: Engine for model name `m` not found.';
    const { post } = await scene('infinity', {
      'POST *': { status: 400, body: { error: { message, type: null, param: null, code: 400 } } },
    });
    const reply = await post('/v1/embeddings', { model: 'm', input: 'a' });
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ error: { code: 'model_not_found', message } });
  });
});
