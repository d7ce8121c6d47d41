import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { scripted, type Script, type Scripted } from './adapters/exchange.ts';
import { startGateway } from './support/gateway.ts';

const PNG = 'iVBORw0KGgo=';
const tools = [
  {
    type: 'function' as const,
    function: {
      name: 'get_weather',
      description: 'Weather',
      parameters: { type: 'object', properties: { city: { type: 'string' } } },
    },
  },
];
const END = {
  model: 'm',
  done: true,
  done_reason: 'stop',
  total_duration: 9,
  prompt_eval_count: 27,
  eval_count: 3,
};

type NumCtx = number | 'auto';
type Answers = Exclude<Script, Scripted>;

/** An Ollama that answers its own chat with these messages, and nothing else. */
async function ollama(
  answer: readonly object[] | Answers,
  numCtx: NumCtx = 32_768,
  more: object = {},
) {
  const script: Answers =
    typeof answer === 'function'
      ? answer
      : ({ body }, response) => {
          const { stream } = JSON.parse(body.toString()) as { stream: boolean };
          if (!stream) return { body: { ...END, message: answer[0] } };
          response.writeHead(200, { 'content-type': 'application/x-ndjson' });
          const lines = answer.map((message) => ({ model: 'm', message, done: false }));
          const text = [...lines, { ...END, message: { role: 'assistant', content: '' } }]
            .map((line) => `${JSON.stringify(line)}\n`)
            .join('');
          // Cut where no line ends.
          const middle = Math.floor(text.length / 2) + 3;
          response.write(text.slice(0, middle));
          setTimeout(() => response.end(text.slice(middle)), 5);
          return undefined;
        };
  const { url, asked } = await scripted({
    'GET /api/tags': {
      body: { models: [{ name: 'm', digest: 'd', capabilities: ['completion', 'tools'] }] },
    },
    'GET /api/ps': { body: { models: [] } },
    'POST /api/chat': script,
    'POST /api/generate': { body: { done: true, done_reason: 'load' } },
  });
  const gateway = await startGateway({
    instances: { laptop: { adapter: 'ollama', baseUrl: url, ollama: { numCtx }, ...more } },
  });
  const sent = () =>
    asked
      .filter(({ path }) => path === '/api/chat')
      .map(({ body }) => JSON.parse(body.toString()) as Record<string, unknown>);
  return {
    gateway,
    sent,
    asked,
    openai: new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'x', maxRetries: 0 }),
  };
}

const hi = [{ role: 'user' as const, content: 'hi' }];

describe('a chat on an Ollama with numCtx', () => {
  it('goes through its own API, with the context and all that was asked', async () => {
    const { openai, sent } = await ollama([{ role: 'assistant', content: 'Hi!', thinking: 'Hm.' }]);
    const answer = await openai.chat.completions.create({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            {
              id: 'c1',
              type: 'function',
              function: { name: 'get_weather', arguments: '{"city":"Paris"}' },
            },
          ],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'sunny' },
      ],
      tools,
      temperature: 0.1,
      top_p: 0.9,
      seed: 7,
      stop: ['END'],
      max_completion_tokens: 50,
      frequency_penalty: 0.5,
      reasoning_effort: 'high',
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'a', schema: { type: 'object' } },
      },
    });
    expect(sent()).toEqual([
      {
        model: 'm',
        stream: false,
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'What is this?', images: [PNG] },
          {
            role: 'assistant',
            content: '',
            tool_calls: [
              { id: 'c1', function: { name: 'get_weather', arguments: { city: 'Paris' } } },
            ],
          },
          { role: 'tool', content: 'sunny', tool_name: 'get_weather', tool_call_id: 'c1' },
        ],
        tools,
        format: { type: 'object' },
        think: 'high',
        options: {
          temperature: 0.1,
          top_p: 0.9,
          seed: 7,
          frequency_penalty: 0.5,
          num_predict: 50,
          stop: ['END'],
          num_ctx: 32_768,
        },
      },
    ]);
    expect(answer).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: 'Hi!' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 27, completion_tokens: 3, total_tokens: 30 },
    });
  });

  it('streams', async () => {
    const { openai, sent } = await ollama([
      { role: 'assistant', content: '', thinking: 'Hm. ' },
      { role: 'assistant', content: 'Hé' },
      { role: 'assistant', content: 'llo' },
    ]);
    const stream = openai.chat.completions.stream({
      model: 'm',
      messages: hi,
      stream_options: { include_usage: true },
    });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]).toMatchObject({
      message: { content: 'Héllo' },
      finish_reason: 'stop',
    });
    expect(final.usage).toMatchObject({ prompt_tokens: 27, completion_tokens: 3 });
    expect(sent()[0]).toMatchObject({ stream: true, options: { num_ctx: 32_768 } });
  });

  it.each([false, true])('calls tools (streamed: %s)', async (streamed) => {
    const call = (city: string) => ({ function: { name: 'get_weather', arguments: { city } } });
    const { openai } = await ollama([
      { role: 'assistant', content: '', tool_calls: [call('Paris'), call('Rome')] },
    ]);
    const ask = { model: 'm', messages: hi, tools };
    const final = streamed
      ? await openai.chat.completions.stream(ask).finalChatCompletion()
      : await openai.chat.completions.create(ask);
    const [choice] = final.choices;
    expect(choice!.finish_reason).toBe('tool_calls');
    const calls = choice!.message.tool_calls as { id: string; function: { arguments: string } }[];
    expect(calls.map(({ function: { arguments: args } }) => JSON.parse(args) as unknown)).toEqual([
      { city: 'Paris' },
      { city: 'Rome' },
    ]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
  });

  it.each([false, true])('has tool calls put right (streamed: %s)', async (streamed) => {
    const call = `<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>`;
    const pieces = streamed ? ['I ', 'look. ', ...call.match(/.{1,9}/g)!] : [`I look. ${call}`];
    const answer = pieces.map((content) => ({ role: 'assistant', content }));
    const { openai, gateway } = await ollama(answer, 32_768, { repairToolCalls: true });
    const asked = { model: 'm', messages: [{ role: 'user' as const, content: 'Hi' }], tools };
    const message = streamed
      ? (await openai.chat.completions.stream(asked).finalChatCompletion()).choices[0]!
      : (await openai.chat.completions.create(asked)).choices[0]!;
    expect(message).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: streamed ? 'I look. ' : 'I look.',
        tool_calls: [{ function: { name: 'get_weather', arguments: '{"city":"Paris"}' } }],
      },
    });
    const reply = await gateway.post('/v1/chat/completions', asked);
    expect(reply.headers.get('x-jairouter-repaired')).toBe(streamed ? null : 'text-calls');
  });

  it('serves those who speak Messages, too', async () => {
    const { gateway, sent } = await ollama([{ role: 'assistant', content: 'Hi!' }]);
    const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: 'x', maxRetries: 0 });
    const message = await anthropic.messages
      .stream({ model: 'm', max_tokens: 20, messages: hi })
      .finalMessage();
    expect(message.content).toMatchObject([{ type: 'text', text: 'Hi!' }]);
    expect(sent()[0]).toMatchObject({ options: { num_predict: 20, num_ctx: 32_768 } });
  });

  it('names what Ollama does not know', async () => {
    const { gateway, sent } = await ollama([{ role: 'assistant', content: 'Hi!' }]);
    const reply = await gateway.post('/v1/chat/completions', {
      model: 'm',
      messages: [
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x/a.png' } }] },
      ],
      logit_bias: { 1: 2 },
      keep_alive: '10m',
      min_p: 0.1,
    });
    expect(reply.status).toBe(200);
    const dropped = reply.headers.get('x-jairouter-dropped')?.split(', ').toSorted();
    expect(dropped).toEqual(['image_url', 'logit_bias']);
    expect(sent()[0]).toMatchObject({ keep_alive: '10m', options: { min_p: 0.1 } });
  });

  it.each([
    ['a status', { status: 404, body: { error: "model 'm' not found" } }, 404],
    [
      'its only line',
      {
        headers: { 'content-type': 'application/x-ndjson' },
        body: '{"error":"llama runner process has terminated"}\n',
      },
      502,
    ],
    ['no end', { headers: { 'content-type': 'application/x-ndjson' }, body: '' }, 502],
  ] as const)('fails with %s', async (_, answer, status) => {
    const { gateway } = await ollama(() => answer);
    const reply = await gateway.post('/v1/chat/completions', {
      model: 'm',
      messages: hi,
      stream: true,
    });
    expect(reply.status).toBe(status);
    expect(await reply.json()).toHaveProperty('error.message');
  });

  it('that breaks midway is told to be broken', async () => {
    const line = JSON.stringify({
      model: 'm',
      message: { role: 'assistant', content: 'Hi' },
      done: false,
    });
    for (const rest of ['{"error":"out of memory"}\n', '']) {
      const { gateway } = await ollama((_, response) => {
        response.writeHead(200, { 'content-type': 'application/x-ndjson' });
        response.write(`${line}\n`);
        setTimeout(() => response.end(rest), 5);
        return undefined;
      });
      const reply = await gateway.post('/v1/chat/completions', {
        model: 'm',
        messages: hi,
        stream: true,
      });
      const text = await reply.text();
      expect(text).toContain('"content":"Hi"');
      expect(text).toContain('"error":{');
      expect(text).not.toContain('[DONE]');
    }
  });

  it('keeps completions where they were, and models of other kinds', async () => {
    const { gateway } = await ollama([]);
    const [instance] = gateway.gateway.fleet.instances();
    expect(
      ['completions', 'embeddings', 'chat', 'messages'].map((name) =>
        instance!.supports(name as 'chat'),
      ),
    ).toEqual([true, true, true, true]);
  });
});

describe('the context that is asked for', () => {
  const contexts = (sent: readonly Record<string, unknown>[]) =>
    sent.map(({ options }) => (options as { num_ctx: number }).num_ctx);

  it('is what prompts need, when it is auto, and never less than before', async () => {
    const { openai, sent } = await ollama([{ role: 'assistant', content: 'Hi!' }], 'auto');
    const ask = (words: number, more: object = {}) =>
      openai.chat.completions.create({
        model: 'm',
        messages: [{ role: 'user', content: 'word '.repeat(words) }],
        ...more,
      });
    await ask(10);
    await ask(6000);
    await ask(10);
    await ask(10, { max_tokens: 20_000 });
    expect(contexts(sent())).toEqual([4096, 16_384, 16_384, 32_768]);
  });

  it('is not blown up by pictures', async () => {
    const { openai, sent } = await ollama([{ role: 'assistant', content: 'Hi!' }], 'auto');
    const url = `data:image/png;base64,${'A'.repeat(400_000)}`;
    await openai.chat.completions.create({
      model: 'm',
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
    });
    expect(contexts(sent())).toEqual([4096]);
  });

  it('is the client’s own, when it names one', async () => {
    const { gateway, sent } = await ollama([{ role: 'assistant', content: 'Hi!' }]);
    const reply = await gateway.post('/v1/chat/completions', {
      model: 'm',
      messages: hi,
      options: { num_ctx: 8192 },
    });
    expect(reply.headers.get('x-jairouter-warning')).toBe(null);
    expect(contexts(sent())).toEqual([8192]);
  });

  it('is that of warm models', async () => {
    const { asked } = await ollama([], 16_384, { warm: ['m'] });
    await expect.poll(() => asked.some(({ path }) => path === '/api/generate')).toBe(true);
    const { body } = asked.find(({ path }) => path === '/api/generate')!;
    expect(JSON.parse(body.toString())).toMatchObject({ model: 'm', options: { num_ctx: 16_384 } });
  });

  it('is still too small for a longer prompt, which is told', async () => {
    const { gateway } = await ollama([{ role: 'assistant', content: 'Hi!' }], 2048);
    const reply = await gateway.post('/v1/chat/completions', {
      model: 'm',
      messages: [{ role: 'user', content: 'word '.repeat(6000) }],
    });
    expect(reply.headers.get('x-jairouter-warning')).toMatch(/context of 2048.*numCtx to more/);
  });
});
