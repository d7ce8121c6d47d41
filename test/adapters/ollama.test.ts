import { describe, expect, it } from 'vitest';
import { ollama } from '../../src/adapters/ollama.ts';
import { jsonCall } from './call.ts';
import { serve, serveWire } from './server.ts';

describe('a probe of Ollama', () => {
  it('lists what is installed, what each model can do and which are in memory', async () => {
    const { backend, requests } = await serveWire('ollama');
    const result = await ollama.probe(backend);
    expect(result).toMatchObject({ state: 'healthy', version: '0.33.0' });
    expect(result.models?.slice(0, 2)).toEqual([
      {
        id: 'llama3.2:latest',
        aliases: ['llama3.2'],
        services: ['chat'],
        loaded: true,
        contextLength: 4096,
        created: Date.parse('2026-08-21T10:00:00Z') / 1000,
        ownedBy: 'library',
      },
      {
        id: 'nomic-embed-text:latest',
        aliases: ['nomic-embed-text'],
        services: ['embeddings'],
        loaded: false,
        created: Date.parse('2026-08-21T10:00:00Z') / 1000,
        ownedBy: 'library',
      },
    ]);
    expect(result.models?.find(({ id }) => id === 'gemma4-audio')?.services).toEqual([
      'chat',
      'transcription',
    ]);
    expect(requests.map(({ path }) => path)).not.toContain('/api/show');
  });

  it('asks once for each model whose abilities an older version does not list', async () => {
    const models = [1, 2, 3, 4, 5, 6].map((n) => ({ name: `m${n}:8b`, digest: `d${n}` }));
    const { backend, asked } = await serve({
      'GET /api/tags': { body: { models } },
      'POST /api/show': {
        body: {
          capabilities: ['completion', 'vision'],
          model_info: { 'general.architecture': 'qwen3', 'qwen3.context_length': 40960 },
        },
      },
    });
    const first = await ollama.probe(backend);
    expect(first.models).toHaveLength(6);
    expect(first.models?.[5]).toEqual({
      id: 'm6:8b',
      services: ['chat'],
      contextLength: 40960,
      ownedBy: 'library',
    });
    expect(await ollama.probe(backend)).toEqual(first);
    expect(asked.filter((route) => route === 'POST /api/show')).toHaveLength(6);
    models.push({ name: 'new', digest: 'd7' });
    await ollama.probe(backend);
    expect(asked.filter((route) => route === 'POST /api/show')).toHaveLength(7);
  });

  it('leaves open what a model can do when nobody tells', async () => {
    const { backend } = await serve({ 'GET /api/tags': { body: { models: [{ name: 'm' }] } } });
    const { models } = await ollama.probe(backend);
    expect(models).toEqual([{ id: 'm', ownedBy: 'library' }]);
  });

  it('is content with nothing installed', async () => {
    const { backend } = await serve({ 'GET /api/tags': { body: { models: null } } });
    expect(await ollama.probe(backend)).toEqual({ state: 'healthy', models: [] });
  });

  it('says what to do when Ollama refuses our Host', async () => {
    const { backend } = await serve({ 'GET /api/tags': { status: 403, body: '' } });
    expect(await ollama.probe(backend)).toEqual({
      state: 'misconfigured',
      detail: expect.stringMatching(/OLLAMA_HOST=0\.0\.0\.0.*OLLAMA_ORIGINS/) as string,
    });
  });

  it('rejects when nothing answers', async () => {
    const gone = await serveWire('ollama');
    await gone.close();
    await expect(ollama.probe(gone.backend)).rejects.toThrow();
  });
});

describe('a chat request to Ollama', () => {
  const patch = (fields: object) => ollama.operations.chat.request(jsonCall('chat', { ...fields }));

  it('has its limit under the name that Ollama reads', () => {
    expect(patch({ max_completion_tokens: 5 })).toEqual({
      set: { max_tokens: 5 },
      remove: ['max_completion_tokens'],
    });
    expect(patch({ max_completion_tokens: 5, max_tokens: 7 })).toBe(undefined);
    expect(patch({ max_tokens: 7 })).toBe(undefined);
    expect(patch({})).toBe(undefined);
  });
});
