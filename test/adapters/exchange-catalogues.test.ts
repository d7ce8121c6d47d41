import { describe, expect, it } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { instanceOf, list, probed, scene, scripted, type Scene } from './exchange.ts';

describe('a catalogue', () => {
  const services = (here: Scene) =>
    Object.fromEntries(
      [...instanceOf(here).catalogue.models].map(([name, { services: those }]) => [name, those]),
    );

  it('of Ollama without digests asks for each model by itself, once', async () => {
    const names = ['chat', 'vectors', 'gone'].map((name) => ({ name }));
    const { probe } = await probed('ollama', {
      'GET /api/tags': { body: { models: names } },
      'POST /api/show': ({ body }) => {
        const { model } = JSON.parse(body.toString()) as { model: string };
        if (model === 'gone') return { status: 404, body: { error: 'not found' } };
        return { body: { capabilities: model === 'chat' ? ['completion'] : ['embedding'] } };
      },
    });
    const services = { chat: ['chat'], vectors: ['embeddings'], gone: undefined };
    expect((await probe()).services).toEqual(services);
    const second = await probe();
    expect(second.services).toEqual(services);
    expect(second.asked).not.toContain('POST /api/show');
  });

  it('of Ollama with no abilities told at all leaves them open', async () => {
    const here = await scene('ollama', {
      'GET /api/tags': { body: { models: [{ name: 'm', digest: 'd', capabilities: [] }] } },
      'POST /api/show': { body: { details: { family: 'llama' } } },
    });
    expect(services(here)).toEqual({ m: undefined });
  });

  it('of vLLM without its API description leaves the routes open', async () => {
    const here = await scene('vllm', { 'POST *': { body: { data: [] } } });
    expect(instanceOf(here).state).toBe('healthy');
    const reply = await here.post('/v1/embeddings', { model: 'm', input: 'a' });
    expect(reply.status).toBe(200);
  });

  it('of vLLM behind another description leaves them open, too', async () => {
    const here = await scene('vllm', {
      'POST *': { body: { choices: [] } },
      'GET /openapi.json': { body: { openapi: '3', paths: { '/proxy/{path}': {} } } },
    });
    const reply = await here.post('/v1/chat/completions', { model: 'm', messages: [] });
    expect(reply.status).toBe(200);
  });

  it('of vLLM asks again for a description that did not come in time', async () => {
    let times = 0;
    const { probe } = await probed('vllm', {
      'GET /openapi.json': (_, response) => {
        times += 1;
        if (times > 1) return { body: { paths: { '/v1/embeddings': {} } } };
        response.destroy();
        return undefined;
      },
    });
    expect(await probe()).not.toHaveProperty('operations');
    expect(await probe()).toMatchObject({ operations: ['embeddings'] });
    expect((await probe()).asked).not.toContain('GET /openapi.json');
  });

  it('of vLLM that is scaling is one that loads', async () => {
    const here = await scene('vllm', {
      'GET /health': {
        status: 503,
        body: { error: 'The model is currently scaling. Please try again later.' },
      },
    });
    expect(instanceOf(here).state).toBe('loading');
  });

  it('of a dead vLLM is unhealthy', async () => {
    const here = await scene('vllm', { 'GET /health': { status: 503, body: '' } });
    expect(instanceOf(here).state).toBe('unhealthy');
  });

  it('of LocalAI before capabilities were told', async () => {
    const here = await scene('localai', {
      'GET /v1/models/capabilities': {
        status: 404,
        body: { error: { code: 404, message: 'Resource not found', type: '' } },
      },
      'GET /v1/models': list({ id: 'old', object: 'model' }),
    });
    expect(instanceOf(here).state).toBe('healthy');
    expect(services(here)).toEqual({ old: undefined });
  });

  it('of LocalAI while it starts', async () => {
    const here = await scene('localai', {
      'GET /readyz': { status: 503, body: { status: 'starting', reason: 'loading backends' } },
    });
    expect(instanceOf(here).state).toBe('loading');
    expect(instanceOf(here).stateDetail).toBe('loading backends');
  });

  it('of llama.cpp while it loads', async () => {
    const error = { message: 'Loading model', type: 'unavailable_error', code: 503 };
    const here = await scene('openai', { 'GET /v1/models': { status: 503, body: { error } } });
    expect(instanceOf(here).state).toBe('loading');
  });

  it('of GPUStack knows each model’s kind, and learns of a new one', async () => {
    const models = new Map([
      ['llm', ['qwen']],
      ['embedding', ['acme/bge']],
      ['unknown', ['odd']],
    ]);
    const { probe } = await probed('gpustack', {
      'GET /v1/models': ({ path }) => {
        const wanted = new URL(path, 'http://x').searchParams.getAll('categories');
        const kinds = wanted.length > 0 ? wanted : [...models.keys()];
        const ids = kinds.flatMap((name) => models.get(name) ?? []);
        return list(...ids.map((id) => ({ id, owned_by: 'gpustack', created: 1, meta: null })));
      },
      'GET /version': { body: { version: '2.2.3', git_commit: 'abc' } },
    });
    const services = { qwen: ['chat'], 'acme/bge': ['embeddings'], odd: undefined };
    expect((await probe()).services).toEqual(services);
    expect((await probe()).asked).toHaveLength(2);
    models.set('reranker', ['jina']);
    expect((await probe()).services).toEqual({ ...services, jina: ['rerank'] });
  });

  it('of GPUStack that knows fewer categories', async () => {
    const here = await scene('gpustack', {
      'GET /v1/models': ({ path }) =>
        path.includes('categories=llm') || !path.includes('categories')
          ? list({ id: 'm', owned_by: 'gpustack' })
          : path.includes('categories=unknown')
            ? { status: 422, body: { code: 422, reason: 'Invalid', message: 'no such category' } }
            : list(),
    });
    expect(services(here)).toEqual({ m: ['chat'] });
  });
});

it('a model in memory comes first', async () => {
  const installed = { body: { models: [{ name: 'm', capabilities: ['completion'] }] } };
  const cold = await scripted({
    'GET /api/tags': installed,
    'GET /api/ps': { body: { models: null } },
  });
  const warm = await scripted({
    'GET /api/tags': installed,
    'GET /api/ps': { body: { models: [{ name: 'm', model: 'm', context_length: 4096 }] } },
    'POST *': { body: { choices: [] } },
  });
  const gateway = await startGateway({
    services: { chat: { loadBalance: { strategy: 'round-robin', preferLoaded: true } } },
    instances: {
      cold: { adapter: 'ollama', baseUrl: cold.url, weight: 100 },
      warm: { adapter: 'ollama', baseUrl: warm.url },
    },
  });
  for (let times = 0; times < 3; times += 1) {
    const reply = await gateway.post('/v1/chat/completions', { model: 'm', messages: [] });
    expect(reply.headers.get('x-jairouter-instance')).toBe('warm');
  }
});
