import { describe, expect, it } from 'vitest';
import { openai } from '../../src/adapters/openai.ts';
import { serve, serveWire } from './server.ts';

describe('a probe of OpenAI', () => {
  it('lists the models, with their services where the name tells', async () => {
    const { backend } = await serveWire('openai');
    const { state, models } = await openai.probe(backend);
    expect(state).toBe('healthy');
    expect(models?.slice(0, 3)).toEqual([
      { id: 'gpt-4o-mini', services: ['chat'], created: 1721172741, ownedBy: 'system' },
      {
        id: 'text-embedding-3-small',
        services: ['embeddings'],
        created: 1705948997,
        ownedBy: 'system',
      },
      {
        id: 'whisper-1',
        services: ['transcription'],
        created: 1677532384,
        ownedBy: 'openai-internal',
      },
    ]);
  });

  it('reads what compatible servers tell besides', async () => {
    const { backend } = await serve({
      'GET /v1/models': {
        body: {
          data: [
            { id: 'a.gguf', aliases: ['a.gguf', 'a'], meta: { n_ctx: 16384 } },
            { id: 'b', status: { value: 'loaded' }, max_model_len: 4096 },
            { id: 'c', status: { value: 'sleeping' }, context_window: 8192 },
            { object: 'model' },
          ],
        },
      },
    });
    expect((await openai.probe(backend)).models).toEqual([
      { id: 'a.gguf', aliases: ['a'], contextLength: 16384 },
      { id: 'b', loaded: true, contextLength: 4096 },
      { id: 'c', loaded: false, contextLength: 8192 },
    ]);
  });

  it.each([
    [
      'a wrong key',
      { status: 401, body: { error: { message: 'Bad key' } } },
      'misconfigured',
      /401: Bad key\): set the instance's apiKey/,
    ],
    [
      'a model being loaded',
      { status: 503, body: { error: { message: 'Loading model' } } },
      'loading',
      /Loading model/,
    ],
    ['a fault', { status: 500, body: { error: { message: 'boom' } } }, 'unhealthy', /500: boom/],
    [
      '200 with an error (LM Studio)',
      { body: { error: 'Unexpected endpoint' } },
      'unhealthy',
      /Unexpected endpoint.*baseUrl/,
    ],
    ['a web page', { body: '<html>' }, 'unhealthy', /no list of models: is baseUrl right/],
    ['a page that is not there', { status: 404, body: 'nothing here' }, 'unhealthy', /baseUrl/],
    ['another API', { status: 404, body: { detail: 'Not Found' } }, 'unhealthy', /baseUrl/],
    [
      'a redirect',
      { status: 301, headers: { location: '/ui' }, body: '' },
      'unhealthy',
      /redirects to \/ui/,
    ],
  ])('tells %s', async (_, route, state, detail) => {
    const { backend } = await serve({ 'GET /v1/models': route });
    expect(await openai.probe(backend)).toEqual({
      state,
      detail: expect.stringMatching(detail) as string,
    });
  });

  it.each([
    ['is asked too often', { status: 429, body: { error: { message: 'slow down' } } }],
    ['has no list', { status: 404, body: { error: { message: 'Unknown URL', code: null } } }],
  ])('leaves a server that %s as it is', async (_, route) => {
    const { backend } = await serve({ 'GET /v1/models': route });
    expect(await openai.probe(backend)).toEqual({ state: 'healthy' });
  });
});
