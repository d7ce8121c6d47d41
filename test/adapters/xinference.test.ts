import { describe, expect, it } from 'vitest';
import { xinference } from '../../src/adapters/xinference.ts';
import { jsonCall } from './call.ts';
import { serve, serveWire } from './server.ts';

describe('a probe of Xinference', () => {
  it('tells what each running model can do', async () => {
    const { backend } = await serveWire('xinference');
    const { state, models } = await xinference.probe(backend);
    expect(state).toBe('healthy');
    expect(models?.every((model) => model.loaded)).toBe(true);
    expect(models?.map(({ id, services, contextLength }) => [id, services, contextLength])).toEqual(
      [
        ['qwen3-chat', ['chat'], 40960],
        ['bge-m3', ['embeddings'], 8192],
        ['bge-reranker', ['rerank'], undefined],
        ['whisper', ['transcription'], undefined],
        ['cosyvoice', ['speech'], undefined],
        ['flux', ['imageGeneration', 'imageEdit'], undefined],
      ],
    );
  });

  it('knows models of no service of ours, and of an unknown kind', async () => {
    const data = [
      { id: 'ocr', model_type: 'image', model_ability: ['ocr'] },
      { id: 'any', model_type: 'image' },
      { id: 'film', model_type: 'video' },
      { id: 'new', model_type: 'thing' },
    ];
    const { backend } = await serve({ 'GET /v1/models': { body: { data } } });
    const { models } = await xinference.probe(backend);
    expect(models?.map(({ services }) => services)).toEqual([
      [],
      ['imageGeneration', 'imageEdit'],
      [],
      undefined,
    ]);
  });

  it('says when it wants a key', async () => {
    const wire = await serveWire('xinference');
    wire.next('error-401');
    expect(await xinference.probe(wire.backend)).toMatchObject({ state: 'misconfigured' });
  });
});

describe('a 500 of Xinference', () => {
  it.each([
    ['[address=10.0.0.5:40125, pid=79] Unsupported response format: srt', 400],
    ['Model not support tools', 400],
    ["This model's maximum context length is 4096 tokens", 400],
    ['[address=10.0.0.5:40124, pid=78] CUDA error', 500],
    ['CUDA error: operation not supported', 500],
  ])('%s is a %i', (message, status) => {
    expect(xinference.verdict(500, message)).toBe(status);
  });

  it('alone is not believed', () => {
    expect(xinference.verdict(503, 'Unsupported')).toBe(503);
    expect(xinference.verdict(404, 'not supported')).toBe(404);
  });
});

describe('a rerank request to Xinference', () => {
  it('has its tokens counted, and texts for documents', () => {
    const { request } = xinference.operations.rerank;
    const fields = { query: 'q', documents: [{ text: 'a' }], top_n: 0 };
    expect(request(jsonCall('rerank', fields))).toEqual({
      set: { documents: ['a'], return_len: true },
      remove: ['top_n'],
    });
    expect(request(jsonCall('rerank', { documents: ['a'], return_len: true }))).toBe(undefined);
  });
});
