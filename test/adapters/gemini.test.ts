import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { gemini } from '../../src/adapters/gemini.ts';
import { startGateway } from '../support/gateway.ts';
import { instanceOf, list, scene, scripted } from './exchange.ts';
import { serveWire } from './server.ts';

const chat = { model: 'm', messages: [] };
const badKey = {
  status: 400,
  body: [
    {
      error: {
        code: 400,
        message: 'API key not valid. Please pass a valid API key.',
        status: 'INVALID_ARGUMENT',
        details: [{ reason: 'API_KEY_INVALID' }],
      },
    },
  ],
};

describe('the models of Gemini', () => {
  it('go by their names without the prefix', async () => {
    const { backend } = await serveWire('gemini');
    expect((await gemini.probe(backend)).models).toEqual([
      {
        id: 'gemini-2.5-flash',
        aliases: ['models/gemini-2.5-flash'],
        services: ['chat'],
        ownedBy: 'google',
      },
      {
        id: 'gemini-embedding-001',
        aliases: ['models/gemini-embedding-001'],
        services: ['embeddings'],
        ownedBy: 'google',
      },
    ]);
  });

  it.each(['m', 'models/m'])('are called by either name: %s', async (model) => {
    const here = await scene('gemini', { 'POST *': { body: { choices: [] } } }, { apiKey: 'k' });
    const reply = await here.post('/v1/chat/completions', { ...chat, model });
    expect(reply.status).toBe(200);
    expect(here.last().path).toBe('/v1beta/openai/chat/completions');
    expect(here.last().headers.authorization).toBe('Bearer k');
  });

  it.each(['', '/v1beta/openai', '/v1beta/openai/'])(
    'are found however its base is written: %j',
    async (end) => {
      const { url, asked } = await scripted({
        'GET /v1beta/openai/models': list({ id: 'models/m' }),
      });
      await startGateway({ instances: { a: { adapter: 'gemini', baseUrl: url + end } } });
      expect(asked.map(({ path }) => path)).toEqual(['/v1beta/openai/models']);
    },
  );

  it('that its OpenAI dialect can’t serve are for nothing', async () => {
    const ids = [
      'models/veo-3.0-generate-001',
      'models/gemini-2.5-flash-preview-tts',
      'models/imagen-4.0-fast',
    ];
    const here = await scene('gemini', {
      'GET /v1beta/openai/models': list(...ids.map((id) => ({ id }))),
    });
    expect([...instanceOf(here).catalogue.models.values()].map(({ services }) => services)).toEqual(
      [[], [], [], [], ['imageGeneration'], ['imageGeneration']],
    );
  });
});

it('a wrong key is told by 400, and taken for what it is', async () => {
  const probed = await scene('gemini', { 'GET /v1beta/openai/models': badKey });
  expect(instanceOf(probed).state).toBe('misconfigured');
  const called = await scene('gemini', { 'POST *': badKey });
  const reply = await called.post('/v1/chat/completions', chat);
  expect(await reply.json()).toMatchObject({ error: { code: 'invalid_api_key' } });
  expect(instanceOf(called).state).toBe('misconfigured');
});

it('a passing quota is a rest, for as long as it says', async () => {
  const { post } = await scene('gemini', {
    'POST *': {
      status: 429,
      body: [
        {
          error: {
            code: 429,
            message: 'You exceeded your current quota.',
            status: 'RESOURCE_EXHAUSTED',
            details: [{ retryDelay: '34s' }],
          },
        },
      ],
    },
  });
  const first = await post('/v1/chat/completions', chat);
  expect(first.status).toBe(429);
  expect(await first.json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } });
  const second = await post('/v1/chat/completions', chat);
  expect(second.status).toBe(503);
  expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(25);
});

describe('a stream of Gemini', () => {
  const call = (id: string, index?: number) => ({
    ...(index === undefined ? {} : { index }),
    id,
    type: 'function',
    function: { name: id, arguments: '{"a":1}' },
    extra_content: { google: { thought_signature: 'sig' } },
  });
  const stream = (...choices: object[]) => ({
    headers: { 'content-type': 'text/event-stream' },
    body: choices
      .map(
        (choice) =>
          `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [choice] })}\n\n`,
      )
      .concat('data: [DONE]\n\n')
      .join(''),
  });

  it('has its tool calls numbered, so that clients can tell them apart', async () => {
    const here = await scene('gemini', {
      'POST *': stream(
        { index: 0, delta: { role: 'assistant', tool_calls: [call('one')] } },
        { index: 0, delta: { role: 'assistant', tool_calls: [call('two'), call('three')] } },
        { index: 0, delta: { role: 'assistant', content: '' }, finish_reason: 'stop' },
      ),
    });
    const openai = new OpenAI({ baseURL: `${here.url}/v1`, apiKey: 'x' });
    const final = await openai.chat.completions
      .stream({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
      .finalChatCompletion();
    const [choice] = final.choices;
    expect(choice!.finish_reason).toBe('tool_calls');
    expect(choice!.message.tool_calls).toMatchObject([call('one'), call('two'), call('three')]);
  });

  it('without tools passes as it is', async () => {
    const sent = stream(
      { index: 0, delta: { content: 'x "stop"' } },
      { index: 0, delta: {}, finish_reason: 'stop' },
    );
    const here = await scene('gemini', { 'POST *': sent });
    const reply = await here.post('/v1/chat/completions', { ...chat, stream: true });
    expect(await reply.text()).toBe(sent.body);
  });

  it('with numbered calls keeps their numbers', async () => {
    const sent = stream(
      { index: 0, delta: { tool_calls: [call('one', 0)] } },
      { index: 0, delta: {}, finish_reason: 'tool_calls' },
    );
    const here = await scene('gemini', { 'POST *': sent });
    const reply = await here.post('/v1/chat/completions', { ...chat, stream: true });
    expect(await reply.text()).toBe(sent.body);
  });
});

it('images of Gemini have the time that it leaves out', async () => {
  const { post, json } = await scene('gemini', {
    'POST *': { body: { data: [{ b64_json: 'iVBO' }] } },
  });
  const reply = await post('/v1/images/generations', { model: 'm', prompt: 'p' });
  expect(await reply.json()).toEqual({
    created: expect.any(Number) as number,
    data: [{ b64_json: 'iVBO' }],
  });
  expect(json()['response_format']).toBe('b64_json');
});

it('Gemini is told how much to think by clients of other APIs', async () => {
  const { post, json } = await scene('gemini', {
    'POST *': { body: { choices: [{ message: { content: 'Hi' } }] } },
  });
  const messages = [{ role: 'user', content: 'Hi' }];
  const think = { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } };
  const reply = await post('/v1/messages', { model: 'm', max_tokens: 9, messages, ...think });
  expect(reply.status).toBe(200);
  expect(json()).toMatchObject({ reasoning_effort: 'low' });
});
