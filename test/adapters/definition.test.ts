import { describe, expect, it } from 'vitest';
import { adapterFrom } from '../../src/adapters/definition.ts';
import { openai } from '../../src/adapters/openai.ts';
import { vllm } from '../../src/adapters/vllm.ts';
import { serve } from './server.ts';

const list = { body: { object: 'list', data: [{ id: 'a', object: 'model' }] } };
const pathsOf = (adapter: { operations: Readonly<Record<string, { path: string }>> }) =>
  Object.fromEntries(Object.entries(adapter.operations).map(([name, { path }]) => [name, path]));

describe('an adapter as data', () => {
  it('does as its model does where it says nothing', () => {
    const made = adapterFrom({ name: 'mine' }, vllm);
    expect(made.name).toBe('mine');
    expect(pathsOf(made)).toEqual(pathsOf(vllm));
    expect(made.auth('k')).toEqual({ authorization: 'Bearer k' });
    expect(made.keepAlive).toBe(vllm.keepAlive);
    // Its address and how it is found are its own, or none.
    const plain = adapterFrom({ name: 'mine' }, openai);
    expect(plain.baseUrl).toBeUndefined();
    expect(plain.cloud).toBeUndefined();
    expect(made).not.toHaveProperty('recognise');
    expect(made.ports).toEqual([]);
  });

  it('offers the services that it names, less what it has not', () => {
    const made = adapterFrom(
      { name: 'mine', services: ['chat', 'embeddings'], without: ['completions'] },
      openai,
    );
    expect(Object.keys(made.operations)).toEqual([
      'chat',
      'messages',
      'countTokens',
      'responses',
      'embeddings',
    ]);
  });

  it('has other paths: all of them by their beginning, or one by one', () => {
    const made = adapterFrom(
      {
        name: 'mine',
        services: ['chat', 'rerank'],
        prefix: '/api/v3',
        paths: { rerank: '/api/v4/rank' },
      },
      openai,
    );
    expect(pathsOf(made)).toEqual({
      chat: '/api/v3/chat/completions',
      completions: '/api/v3/completions',
      messages: '/api/v3/messages',
      countTokens: '/api/v3/messages/count_tokens',
      responses: '/api/v3/responses',
      rerank: '/api/v4/rank',
    });
    // What the answer needs is the model's still.
    expect(made.operations.rerank?.response).toBe(openai.operations.rerank.response);
  });

  it('asks for no more embeddings at once than it may', () => {
    const { embeddings } = adapterFrom({ name: 'mine', maxInputs: 2 }, openai).operations;
    const call = { operation: 'embeddings', model: 'm', stream: false } as const;
    expect(embeddings?.split?.({ ...call, fields: { input: ['a', 'b', 'c'] } })?.parts).toEqual([
      { input: ['a', 'b'] },
      { input: ['c'] },
    ]);
    expect(embeddings?.split?.({ ...call, fields: { input: ['a', 'b'] } })).toBe(undefined);
  });

  it.each([
    [{ header: 'API-Key' }, { 'api-key': 'k' }],
    [{ header: 'Authorization' }, { authorization: 'Bearer k' }],
    [{ header: 'Authorization', scheme: 'Token' }, { authorization: 'Token k' }],
    [{ header: 'Authorization', scheme: '' }, { authorization: 'k' }],
  ])('shows its key as %j', (auth, headers) => {
    expect(adapterFrom({ name: 'mine', auth }, openai).auth('k')).toEqual(headers);
  });

  it.each([
    [{ prefix: '' }, 'GET /models'],
    [{ prefix: '/api/v3' }, 'GET /api/v3/models'],
    [{ prefix: '/api/v3', paths: { models: '/list' } }, 'GET /list'],
    [{ paths: { models: '/list' } }, 'GET /list'],
  ])('is probed where its list is: %j', async (places, route) => {
    const { backend, asked } = await serve({ [route]: list });
    const made = adapterFrom({ name: 'mine', ...places }, openai);
    expect(await made.probe(backend)).toEqual({ state: 'healthy', models: [{ id: 'a' }] });
    expect(asked).toEqual([route]);
  });

  it('lets its model remember things by the backend', async () => {
    const routes = {
      'GET /x/models': { body: { data: [{ id: 'a', owned_by: 'vllm' }] } },
      'GET /health': { body: '' },
      'GET /openapi.json': { body: { paths: { '/v1/chat/completions': {} } } },
    };
    const { backend, asked } = await serve(routes);
    const made = adapterFrom({ name: 'mine', prefix: '/x' }, vllm);
    await made.probe(backend);
    expect(await made.probe(backend)).toMatchObject({ operations: ['chat'] });
    expect(asked.filter((route) => route === 'GET /openapi.json')).toHaveLength(1);
  });

  describe('with models of its own', () => {
    const made = adapterFrom({ name: 'mine', models: ['a', 'b'] }, openai);
    const models = [{ id: 'a' }, { id: 'b' }];

    it.each([
      ['has no list', { status: 404, body: 'nothing here' }],
      ['lists others', list],
      ['is asked too often', { status: 429, body: '' }],
    ])('has those when the server %s', async (_, route) => {
      const { backend } = await serve({ 'GET /v1/models': route });
      expect(await made.probe(backend)).toEqual({ state: 'healthy', models });
    });

    it.each([
      ['a wrong key', 401, 'misconfigured'],
      ['a fault', 502, 'unhealthy'],
    ])('still tells %s', async (_, status, state) => {
      const { backend } = await serve({ 'GET /v1/models': { status, body: 'no' } });
      expect(await made.probe(backend)).toMatchObject({ state });
    });
  });
});
