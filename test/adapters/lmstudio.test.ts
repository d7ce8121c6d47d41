import { describe, expect, it } from 'vitest';
import { lmstudio } from '../../src/adapters/lmstudio.ts';
import { scene } from './exchange.ts';
import { serve } from './server.ts';

const unknown = (path: string) => ({
  body: { error: `Unexpected endpoint or method. (GET ${path})` },
});
const list = {
  body: {
    data: ['qwen/qwen3-8b', 'text-embedding-nomic', 'mine'].map((id) => ({ id, object: 'model' })),
  },
};
/** Its newer list. */
const v1 = {
  body: {
    models: [
      {
        type: 'llm',
        key: 'qwen/qwen3-8b',
        loaded_instances: [{ id: 'mine', config: { context_length: 8192, parallel: 4 } }],
        max_context_length: 131072,
      },
      {
        type: 'embedding',
        key: 'text-embedding-nomic',
        loaded_instances: [],
        max_context_length: 2048,
      },
    ],
  },
};
/** And its older one. */
const v0 = {
  body: {
    object: 'list',
    data: [
      { id: 'qwen/qwen3-8b', type: 'vlm', state: 'loaded', max_context_length: 131072 },
      { id: 'text-embedding-nomic', type: 'embeddings', state: 'not-loaded' },
    ],
  },
};

describe('a probe of LM Studio', () => {
  it('reads its newer list', async () => {
    const { backend } = await serve({ 'GET /v1/models': list, 'GET /api/v1/models': v1 });
    expect((await lmstudio.probe(backend)).models).toEqual([
      { id: 'qwen/qwen3-8b', services: ['chat'], loaded: true, contextLength: 8192 },
      {
        id: 'text-embedding-nomic',
        services: ['embeddings'],
        loaded: false,
        contextLength: 2048,
      },
      { id: 'mine', services: ['chat'], loaded: true, contextLength: 8192 },
    ]);
  });

  it('reads its older list, and asks for no other again', async () => {
    const { backend, asked } = await serve({
      'GET /v1/models': list,
      'GET /api/v1/models': unknown('/api/v1/models'),
      'GET /api/v0/models': v0,
    });
    expect((await lmstudio.probe(backend)).models?.slice(0, 2)).toEqual([
      { id: 'qwen/qwen3-8b', services: ['chat'], loaded: true, contextLength: 131072 },
      { id: 'text-embedding-nomic', services: ['embeddings'], loaded: false },
    ]);
    await lmstudio.probe(backend);
    expect(asked.filter((route) => route === 'GET /api/v1/models')).toHaveLength(1);
  });

  it('does with the plain list, too', async () => {
    const { backend } = await serve({
      'GET /v1/models': list,
      'GET /api/v1/models': unknown('/api/v1/models'),
      'GET /api/v0/models': unknown('/api/v0/models'),
    });
    const { state, models } = await lmstudio.probe(backend);
    expect(state).toBe('healthy');
    expect(models?.map(({ services }) => services)).toEqual([undefined, ['embeddings'], undefined]);
  });

  it('says that a model is not in memory yet', async () => {
    const { backend } = await serve({ 'GET /api/v1/models': v1 });
    expect(await lmstudio.loading(backend, 'text-embedding-nomic')).toBe(true);
    expect(await lmstudio.loading(backend, 'qwen/qwen3-8b')).toBe(false);
    expect(await lmstudio.loading(backend, 'mine')).toBe(false);
    expect(await lmstudio.loading(backend, 'unheard of')).toBe(false);
  });
});

it('a route that LM Studio does not have is an error, though it answers 200', async () => {
  const { post } = await scene('lmstudio', {
    'POST *': { body: { error: 'Unexpected endpoint or method. (POST /v1/embeddings)' } },
  });
  const reply = await post('/v1/embeddings', { model: 'm', input: 'a' });
  expect(reply.status).toBe(502);
  expect(await reply.text()).toMatch(/Unexpected endpoint/);
});
