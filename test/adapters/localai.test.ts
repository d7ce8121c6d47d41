import { describe, expect, it } from 'vitest';
import { localai } from '../../src/adapters/localai.ts';
import { serve, serveWire } from './server.ts';

describe('a probe of LocalAI', () => {
  it('tells what each model can do', async () => {
    const { backend } = await serveWire('localai');
    const { models, ...result } = await localai.probe(backend);
    expect(result).toEqual({ state: 'healthy', version: 'v4.9.0 (82c191a)' });
    expect(models?.slice(0, 6)).toEqual([
      { id: 'gpt-4', services: ['chat'] },
      { id: 'whisper-1', services: ['transcription'] },
      { id: 'bert', services: ['embeddings'] },
      { id: 'jina-reranker', services: ['rerank'] },
      { id: 'tts-1', services: ['speech'] },
      { id: 'stablediffusion', services: ['imageGeneration', 'imageEdit'] },
    ]);
  });

  it('waits while it starts', async () => {
    const wire = await serveWire('localai');
    wire.next('readyz-starting');
    expect(await localai.probe(wire.backend)).toMatchObject({
      state: 'loading',
      detail: 'startup preload in progress',
    });
  });

  it('takes the names alone from versions before 4', async () => {
    const { backend } = await serve({
      'GET /readyz': { body: '' },
      'GET /v1/models': { body: { object: 'list', data: [{ id: 'a', object: 'model' }] } },
    });
    expect(await localai.probe(backend)).toEqual({ state: 'healthy', models: [{ id: 'a' }] });
  });

  it('leaves open what a model can do when it lists nothing', async () => {
    const data = [
      { id: 'a', capabilities: null },
      { id: 'b', capabilities: ['vad'] },
    ];
    const { backend } = await serve({ 'GET /v1/models/capabilities': { body: { data } } });
    expect((await localai.probe(backend)).models).toEqual([{ id: 'a' }, { id: 'b', services: [] }]);
  });

  it('says when it wants a key', async () => {
    const error = { code: 401, message: 'An authentication key is required', type: '' };
    const { backend } = await serve({
      'GET /v1/models/capabilities': { status: 401, body: { error } },
    });
    expect(await localai.probe(backend)).toMatchObject({
      state: 'misconfigured',
      detail: expect.stringMatching(/authentication key is required/) as string,
    });
  });
});

describe('a 500 of LocalAI', () => {
  it.each([
    ['rpc error: code = InvalidArgument desc = bad prompt', 400],
    ['the request exceeds the available context size', 400],
    ['rpc error: code = Unimplemented desc = unknown method', 501],
    ['rpc error: code = Unavailable desc = error reading from server: EOF', 500],
  ])('%s is a %i', (message, status) => {
    expect(localai.verdict(500, message)).toBe(status);
  });
});
