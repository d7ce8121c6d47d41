import { describe, expect, it } from 'vitest';
import { sglang } from '../../src/adapters/sglang.ts';
import { postForm, scene } from './exchange.ts';
import { serve, serveWire } from './server.ts';

const list = { body: { data: [{ id: 'a', object: 'model', owned_by: 'sglang' }] } };
const info = (generates: boolean) => ({
  body: { model_path: 'a', is_generation: generates },
});

describe('a probe of SGLang', () => {
  it('tells its model without making it generate', async () => {
    const { backend, requests } = await serveWire('sglang');
    const { state, models } = await sglang.probe(backend);
    expect(state).toBe('healthy');
    expect(models?.[0]).toEqual({
      id: 'meta-llama/Llama-3.1-8B-Instruct',
      contextLength: 131072,
      created: 1755850000,
      ownedBy: 'sglang',
      services: ['chat', 'transcription'],
      loaded: true,
    });
    const paths = requests.map(({ path }) => path);
    expect(paths).not.toContain('/health');
    expect(paths).not.toContain('/health_generate');
  });

  it.each([
    [true, ['chat', 'transcription']],
    [false, ['embeddings', 'rerank']],
  ])('knows what it is for: generates %s', async (generates, services) => {
    const { backend } = await serve({
      'GET /v1/models': list,
      'GET /get_model_info': info(generates),
    });
    expect((await sglang.probe(backend)).models).toMatchObject([{ services }]);
  });

  it('knows a diffusion server by its routes', async () => {
    const { backend } = await serve({
      'GET /v1/models': list,
      'GET /openapi.json': {
        body: { paths: { '/v1/images/generations': {}, '/v1/images/edits': {}, '/health': {} } },
      },
    });
    const { operations, models } = await sglang.probe(backend);
    expect(operations).toEqual(['imageGenerations', 'imageEdits']);
    expect(models).toEqual([{ id: 'a', ownedBy: 'sglang', loaded: true }]);
  });

  it.each(['GET /v1/models', 'GET /get_model_info'])(
    'of one that starts is loading: %s',
    async (route) => {
      const { backend } = await serve({
        'GET /v1/models': list,
        'GET /get_model_info': info(true),
        [route]: { status: 503, body: '' },
      });
      expect(await sglang.probe(backend)).toMatchObject({ state: 'loading' });
      expect(await sglang.loading(backend)).toBe(route !== 'GET /v1/models');
    },
  );
});

it('SGLang’s full queue is a status, though its stream began with 200', async () => {
  const error = {
    object: 'error',
    message: 'The request queue is full.',
    type: 'SERVICE_UNAVAILABLE',
    param: null,
    code: 503,
  };
  const { post } = await scene('sglang', {
    'POST *': {
      headers: { 'content-type': 'text/event-stream; charset=utf-8' },
      body: `data: ${JSON.stringify({ error })}\n\ndata: [DONE]\n\n`,
    },
  });
  const reply = await post('/v1/chat/completions', { model: 'm', messages: [], stream: true });
  expect(reply.status).toBe(503);
  expect(await reply.json()).toMatchObject({ error: { message: 'The request queue is full.' } });
});

it('an edited image that SGLang only links is fetched from it', async () => {
  const here = await scene('sglang', {
    'POST *': { body: { created: 1, data: [{ b64_json: null, url: '/v1/images/6f1a/content' }] } },
    'GET /v1/images/6f1a/content': { body: Buffer.from('image') },
  });
  const reply = await postForm(here, '/v1/images/edits', [
    ['image', Buffer.from('image')],
    ['model', 'm'],
    ['prompt', 'add a hat'],
  ]);
  expect(await reply.json()).toEqual({
    created: 1,
    data: [{ b64_json: Buffer.from('image').toString('base64') }],
  });
});
