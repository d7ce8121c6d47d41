import { describe, expect, it } from 'vitest';
import { azure } from '../../src/adapters/azure.ts';
import { normalizeBaseUrl } from '../../src/config/base-url.ts';
import { discover } from '../../src/instances/discovery.ts';
import { startGateway } from '../support/gateway.ts';
import { list, postForm, scene, scripted } from './exchange.ts';
import { serveWire } from './server.ts';

const answer = { body: { object: 'chat.completion', choices: [], model: 'gpt-4o-2024-08-06' } };
const chat = { model: 'm', messages: [] };

describe('the address of a call on Azure', () => {
  it.each([
    [{}, '/openai/deployments/m/chat/completions?api-version=2024-10-21', 'm'],
    [
      { deployments: { m: 'my dep' } },
      '/openai/deployments/my%20dep/chat/completions?api-version=2024-10-21',
      'm',
    ],
    [
      { apiVersion: '2025-04-01-preview' },
      '/openai/deployments/m/chat/completions?api-version=2025-04-01-preview',
      'm',
    ],
    [{ api: 'v1' as const, deployments: { m: 'mine' } }, '/openai/v1/chat/completions', 'mine'],
  ])('with %j is %s', async (options, path, model) => {
    const here = await scene('azure', { 'POST *': answer }, { azure: options, apiKey: 'k' });
    const reply = await here.post('/v1/chat/completions', chat);
    expect(reply.status).toBe(200);
    expect(here.last().path).toBe(path);
    expect(here.last().headers['api-key']).toBe('k');
    expect(here.last().headers.authorization).toBeUndefined();
    expect(here.json()['model']).toBe(model);
    expect(reply.headers.get('x-jairouter-model')).toBe('m');
  });

  it.each(['', '/', '/openai', '/openai/v1/'])(
    'does not depend on how its base is written: %j',
    async (end) => {
      const { url, asked } = await scripted({
        'GET /openai/v1/models': list({ id: 'm' }),
        'POST *': answer,
      });
      const gateway = await startGateway({
        instances: { a: { adapter: 'azure', baseUrl: url + end } },
      });
      await gateway.post('/v1/chat/completions', chat);
      expect(asked.map(({ path }) => path.split('?')[0])).toEqual([
        '/openai/v1/models',
        // Whether it is there.
        '/openai/v1/responses',
        '/openai/deployments/m/chat/completions',
      ]);
      expect(normalizeBaseUrl(url + end)).toContain(url);
    },
  );

  it.each([
    ['/v1/completions', { model: 'm', prompt: 'p' }, 'completions'],
    ['/v1/embeddings', { model: 'm', input: 'a' }, 'embeddings'],
    ['/v1/audio/speech', { model: 'm', input: 'a', voice: 'v' }, 'audio/speech'],
    ['/v1/images/generations', { model: 'm', prompt: 'p' }, 'images/generations'],
  ])('of %s is the deployment’s', async (route, ask, path) => {
    const here = await scene('azure', { 'POST *': { body: { data: [] } } });
    await here.post(route, ask);
    expect(here.last().path).toBe(`/openai/deployments/m/${path}?api-version=2024-10-21`);
  });

  it('of a form is, too', async () => {
    const here = await scene('azure', { 'POST *': { body: { text: 'a' } } });
    await postForm(here, '/v1/audio/transcriptions', [
      ['file', Buffer.from('RIFF')],
      ['model', 'm'],
    ]);
    expect(here.last().path).toBe(
      '/openai/deployments/m/audio/transcriptions?api-version=2024-10-21',
    );
  });
});

describe('the models of Azure', () => {
  const all = {
    body: {
      data: [
        { id: 'gpt-4o', capabilities: { chat_completion: true }, created_at: 1 },
        { id: 'text-embedding-3-small', capabilities: { embeddings: true } },
      ],
    },
  };

  it('are all that it lists', async () => {
    const { backend } = await serveWire('azure');
    expect(await azure.probe(backend)).toMatchObject({
      state: 'healthy',
      models: [{ id: 'gpt4o' }],
    });
  });

  it('are the deployments of the config, with what is known of them', async () => {
    const here = await scene(
      'azure',
      { 'GET /openai/v1/models': all, 'POST *': answer },
      { azure: { deployments: { 'gpt-4o': 'a', mine: 'b' } } },
    );
    const reply = await fetch(`${here.url}/v1/models`);
    const { data } = (await reply.json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(['gpt-4o', 'mine']);
    await here.post('/v1/chat/completions', { ...chat, model: 'mine' });
    expect(here.last().path).toMatch(/^\/openai\/deployments\/b\//);
  });

  it('are those also of a resource without a list', async () => {
    const here = await scene(
      'azure',
      {
        'GET /openai/v1/models': { status: 404, body: { error: { code: '404' } } },
        'POST *': answer,
      },
      { azure: { deployments: { m: 'a' } } },
    );
    expect((await here.post('/v1/chat/completions', chat)).status).toBe(200);
  });
});

it('a choice of the content filter gets the delta that clients read', async () => {
  const filtered = {
    id: '',
    choices: [{ index: 0, finish_reason: null, content_filter_offsets: { end_offset: 4 } }],
  };
  const word = {
    id: 'c',
    choices: [{ index: 0, delta: { content: 'Hi' }, content_filter_results: {} }],
  };
  const here = await scene('azure', {
    'POST *': {
      headers: { 'content-type': 'text/event-stream' },
      body: [filtered, word]
        .map((event) => `data: ${JSON.stringify(event)}\n\n`)
        .concat('data: [DONE]\n\n')
        .join(''),
    },
  });
  const reply = await here.post('/v1/chat/completions', { ...chat, stream: true });
  const events = (await reply.text()).split('\n\n').filter(Boolean);
  expect(JSON.parse(events[0]!.slice(6))).toEqual({
    ...filtered,
    choices: [{ ...filtered.choices[0], delta: {} }],
  });
  expect(events.slice(1)).toEqual([`data: ${JSON.stringify(word)}`, 'data: [DONE]']);
});

it('is found by its endpoint and key', async () => {
  const env = {
    AZURE_OPENAI_API_KEY: 'k',
    AZURE_OPENAI_ENDPOINT: 'https://mine.openai.azure.com/',
  };
  expect(await discover({ env, ports: {} })).toMatchObject([
    {
      name: 'azure',
      baseUrl: 'https://mine.openai.azure.com',
      apiKeyVariable: 'AZURE_OPENAI_API_KEY',
    },
  ]);
  expect(await discover({ env: { AZURE_OPENAI_API_KEY: 'k' }, ports: {} })).toEqual([]);
});
