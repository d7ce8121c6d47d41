import { describe, expect, it } from 'vitest';
import { gpustack } from '../../src/adapters/gpustack.ts';
import { serve, serveWire } from './server.ts';

const at = (category: string) => `GET /v1/models?with_meta=true&categories=${category}`;
const empty = { body: { object: 'list', data: [] } };
const all = (...data: object[]) => ({
  'GET /v1/models?with_meta=true': { body: { object: 'list', data } },
});
const everywhere = Object.fromEntries(
  ['llm', 'embedding', 'reranker', 'text_to_speech', 'speech_to_text', 'image'].map((category) => [
    at(category),
    empty,
  ]),
);

describe('a probe of GPUStack', () => {
  it('learns the kinds by asking for one category at a time', async () => {
    const { backend, requests } = await serveWire('gpustack');
    const { models, ...result } = await gpustack.probe(backend);
    expect(result).toEqual({ state: 'healthy', version: 'v2.2.3' });
    expect(models).toContainEqual({
      id: 'bge-m3',
      services: ['embeddings'],
      loaded: true,
      contextLength: 8192,
      created: 1755000000,
      ownedBy: 'gpustack',
    });
    const services = Object.fromEntries((models ?? []).map((model) => [model.id, model.services]));
    expect(services).toEqual({
      qwen3: ['chat'],
      'bge-m3': ['embeddings'],
      'bge-reranker-v2-m3': ['rerank'],
      cosyvoice: ['speech'],
      'whisper-large-v3': ['transcription'],
      'qwen-image': ['imageGeneration', 'imageEdit'],
      'qwen-image-edit': ['imageGeneration', 'imageEdit'],
    });
    expect(requests.filter(({ path }) => path.startsWith('/v1/models'))).toHaveLength(7);
    await gpustack.probe(backend);
    expect(requests.filter(({ path }) => path.startsWith('/v1/models'))).toHaveLength(8);
  });

  it('takes a model for all that its categories say', async () => {
    const data = [{ id: 'omni' }];
    const { backend } = await serve({
      ...all({ id: 'omni' }, { id: 'any', meta: null }),
      ...everywhere,
      [at('text_to_speech')]: { body: { data } },
      [at('llm')]: { body: { data } },
    });
    expect((await gpustack.probe(backend)).models).toEqual([
      { id: 'omni', services: ['chat', 'speech'], loaded: true },
      { id: 'any', loaded: true },
    ]);
  });

  it('bears an older version that does not know a category', async () => {
    const { backend } = await serve({
      ...all({ id: 'any' }),
      ...everywhere,
      [at('image')]: { status: 422, body: { code: 422, reason: 'Invalid', message: 'image' } },
    });
    expect(await gpustack.probe(backend)).toEqual({
      state: 'healthy',
      models: [{ id: 'any', loaded: true }],
    });
  });

  it('says when it refuses the key', async () => {
    const body = { code: 401, reason: 'Unauthorized', message: 'Invalid credentials' };
    const { backend } = await serve({ 'GET /v1/models?with_meta=true': { status: 401, body } });
    expect(await gpustack.probe(backend)).toMatchObject({
      state: 'misconfigured',
      detail: expect.stringMatching(/401: Invalid credentials/) as string,
    });
  });
});
