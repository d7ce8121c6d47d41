import { describe, expect, it } from 'vitest';
import { vllm } from '../../src/adapters/vllm.ts';
import { serve, serveWire } from './server.ts';

const list = { body: { data: [{ id: 'a', owned_by: 'vllm' }] } };

describe('a probe of vLLM', () => {
  it('tells the models in memory and the routes that they have', async () => {
    const { backend } = await serveWire('vllm');
    const { models, ...result } = await vllm.probe(backend);
    expect(result).toEqual({
      state: 'healthy',
      version: '0.11.0',
      operations: [
        'chat',
        'messages',
        'embeddings',
        'rerank',
        'transcriptions',
        'translations',
        'speech',
        'imageGenerations',
        'imageEdits',
      ],
    });
    expect(models?.slice(0, 2)).toEqual([
      {
        id: 'Qwen/Qwen3-8B',
        contextLength: 40960,
        created: 1755850000,
        ownedBy: 'vllm',
        loaded: true,
      },
      { id: 'sql-lora', created: 1755850000, ownedBy: 'vllm', loaded: true },
    ]);
  });

  it('asks for the routes again only when it serves something else', async () => {
    const routes = {
      'GET /health': { body: '' },
      'GET /v1/models': list,
      'GET /openapi.json': { body: { paths: { '/v1/rerank': {}, '/score': {} } } },
    };
    const { backend, asked } = await serve(routes);
    expect((await vllm.probe(backend)).operations).toEqual(['rerank']);
    expect((await vllm.probe(backend)).operations).toEqual(['rerank']);
    const count = () => asked.filter((route) => route === 'GET /openapi.json').length;
    expect(count()).toBe(1);
    routes['GET /v1/models'] = { body: { data: [{ id: 'b', owned_by: 'vllm' }] } };
    await vllm.probe(backend);
    expect(count()).toBe(2);
  });

  it('leaves the routes open where the API description is turned off', async () => {
    const { backend } = await serve({ 'GET /health': { body: '' }, 'GET /v1/models': list });
    expect(await vllm.probe(backend)).toEqual({
      state: 'healthy',
      models: [{ id: 'a', ownedBy: 'vllm', loaded: true }],
    });
  });

  it('knows a dead engine and a wrong key', async () => {
    const dead = await serveWire('vllm');
    dead.next('health-dead');
    expect(await vllm.probe(dead.backend)).toMatchObject({
      state: 'unhealthy',
      detail: expect.stringMatching(/engine is dead/) as string,
    });
    const { backend } = await serve({
      'GET /health': { body: '' },
      'GET /v1/models': { status: 401, body: { error: 'Unauthorized' } },
    });
    expect(await vllm.probe(backend)).toEqual({
      state: 'misconfigured',
      detail: expect.stringMatching(/401: Unauthorized/) as string,
    });
  });
});
