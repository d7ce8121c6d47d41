import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fakeBackend, json, startEvents } from '../support/fake-backend.ts';
import { startGateway } from '../support/gateway.ts';
import { startWireBackend } from '../support/wire-backend.ts';

/** A gateway before Anthropic as its samples have it. */
async function overAnthropic() {
  const backend = await startWireBackend('anthropic');
  onTestFinished(() => backend.close());
  const gateway = await startGateway({
    instances: { a: { adapter: 'anthropic', baseUrl: backend.url, apiKey: 'sk-ant-x' } },
    defaults: { retry: { attempts: 1 } },
  });
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
  return { backend, gateway, client };
}

const ASK = {
  model: 'claude-sonnet-4-5',
  messages: [{ role: 'user' as const, content: 'Say hi' }],
};

/** The events of a stream of Messages with a thought, some words and two calls. */
const EVENTS = [
  {
    type: 'message_start',
    message: {
      id: 'msg_1',
      model: 'm-1',
      content: [],
      usage: { input_tokens: 10, cache_read_input_tokens: 4, cache_creation_input_tokens: 2 },
    },
  },
  block(0, { type: 'thinking', thinking: '', signature: '' }),
  delta(0, { type: 'thinking_delta', thinking: 'Hm.' }),
  delta(0, { type: 'signature_delta', signature: 'sig' }),
  { type: 'content_block_stop', index: 0 },
  { type: 'ping' },
  block(1, { type: 'text', text: '' }),
  delta(1, { type: 'text_delta', text: 'Let me look.' }),
  { type: 'content_block_stop', index: 1 },
  block(2, { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: {} }),
  delta(2, { type: 'input_json_delta', partial_json: '{"city":' }),
  delta(2, { type: 'input_json_delta', partial_json: '"Paris"}' }),
  { type: 'content_block_stop', index: 2 },
  block(3, { type: 'tool_use', id: 'toolu_2', name: 'now', input: {} }),
  { type: 'content_block_stop', index: 3 },
  {
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 9 },
  },
  { type: 'message_stop' },
];

function block(index: number, content: object) {
  return { type: 'content_block_start', index, content_block: content };
}

function delta(index: number, change: object) {
  return { type: 'content_block_delta', index, delta: change };
}

function stream(events: readonly { readonly type: string }[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

async function overEvents(text: string) {
  const backend = await fakeBackend((_, response) => {
    startEvents(response);
    response.end(text);
  });
  const gateway = await startGateway({
    instances: { a: { adapter: 'anthropic', baseUrl: backend.url } },
  });
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
  return { backend, gateway, client };
}

describe('the OpenAI SDK over Anthropic', () => {
  it('chats', async () => {
    const { backend, gateway, client } = await overAnthropic();
    const chat = await client.chat.completions.create(ASK);
    expect(chat).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-\w+$/) as string,
      object: 'chat.completion',
      model: 'claude-sonnet-4-5-20250929',
      choices: [
        { index: 0, message: { role: 'assistant', content: 'Hi!' }, finish_reason: 'stop' },
      ],
      usage: { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 },
    });
    const { path, headers, json: sent } = backend.requests.at(-1)!;
    expect(path).toBe('/v1/messages');
    expect(headers).toMatchObject({ 'x-api-key': 'sk-ant-x', 'anthropic-version': '2023-06-01' });
    expect(sent).toEqual({
      model: 'claude-sonnet-4-5',
      max_tokens: 32_000,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Say hi' }] }],
    });
    expect(gateway.outcomes[0]).toMatchObject({
      operation: 'chat',
      usage: { input: 9, output: 5 },
    });
  });

  it('chats in a stream, with the usage only when it is asked for', async () => {
    const { client } = await overAnthropic();
    const read = async (more: object) => {
      const chunks: OpenAI.ChatCompletionChunk[] = [];
      const asked = { ...ASK, ...more, stream: true } as const;
      for await (const chunk of await client.chat.completions.create(asked)) chunks.push(chunk);
      return {
        text: chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''),
        usages: chunks.flatMap(({ usage }) => usage ?? []),
        ids: new Set(chunks.map(({ id }) => id)).size,
        reason: chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? []),
      };
    };
    expect(await read({})).toEqual({ text: 'Hi!', usages: [], ids: 1, reason: ['stop'] });
    const { usages } = await read({ stream_options: { include_usage: true } });
    expect(usages).toMatchObject([{ prompt_tokens: 9, completion_tokens: 5 }]);
  });

  it('gets thoughts, words and calls through its helper', async () => {
    const { client, backend } = await overEvents(stream(EVENTS));
    const runner = client.chat.completions.stream({
      ...ASK,
      model: 'm',
      stream_options: { include_usage: true },
    });
    const chat = await runner.finalChatCompletion();
    expect(chat.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'Let me look.',
        reasoning_content: 'Hm.',
        tool_calls: [
          {
            id: 'toolu_1',
            type: 'function',
            function: { name: 'get_weather', arguments: '{"city":"Paris"}' },
          },
          { id: 'toolu_2', type: 'function', function: { name: 'now', arguments: '{}' } },
        ],
      },
    });
    expect(chat.usage).toEqual({
      prompt_tokens: 16,
      completion_tokens: 9,
      total_tokens: 25,
      prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
      completion_tokens_details: { reasoning_tokens: 0 },
    });
    expect(backend.received[0]!.path).toBe('/v1/messages');
  });

  it('gets the input of its own kind of tool as text', async () => {
    const events = EVENTS.map((event) =>
      JSON.parse(JSON.stringify(event).replace(String.raw`\"city\"`, String.raw`\"input\"`)),
    ) as typeof EVENTS;
    const { client, backend } = await overEvents(stream(events));
    const answer = await client.chat.completions.create({
      ...ASK,
      model: 'm',
      stream: true,
      tools: [{ type: 'custom', custom: { name: 'get_weather', description: 'Free' } }],
    });
    // The SDK has no types for these yet.
    const calls: { type?: string; custom?: { name?: string; input?: string } }[] = [];
    for await (const { choices } of answer) {
      const [call] = choices[0]?.delta.tool_calls ?? [];
      if (call?.index === 0) calls.push(call);
    }
    expect(calls[0]).toMatchObject({ type: 'custom', custom: { name: 'get_weather' } });
    expect(calls.map(({ custom }) => custom?.input ?? '').join('')).toBe('Paris');
    expect(JSON.parse(backend.received[0]!.body.toString())).toMatchObject({
      tools: [{ name: 'get_weather', input_schema: { required: ['input'] } }],
    });
  });

  it.each([
    ['error-400-context', 400, 'context_length_exceeded'],
    ['error-429', 429, 'rate_limit_exceeded'],
    ['error-529', 529, null],
  ])('is told of %s as OpenAI would', async (sample, status, code) => {
    const { backend, client } = await overAnthropic();
    backend.next(sample);
    await expect(client.chat.completions.create(ASK)).rejects.toMatchObject({
      status,
      code,
      error: { message: expect.stringMatching(/\w/) as string, param: null },
    });
  });

  it('is told of an error in the midst of a stream', async () => {
    const { client } = await overEvents(
      `${stream(EVENTS.slice(0, 3))}event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n`,
    );
    const asked = client.chat.completions.create({ ...ASK, model: 'm', stream: true });
    await expect(
      (async () => {
        for await (const _ of await asked);
      })(),
    ).rejects.toThrow('Overloaded');
  });
});

describe('the Anthropic SDK over Anthropic', () => {
  it('is passed through with its betas, threads and errors', async () => {
    const backend = await fakeBackend((received, response) => {
      const { thread } = JSON.parse(received.body.toString()) as { thread?: { type: string } };
      if (thread?.type === 'continue') {
        json(response, 400, {
          type: 'error',
          error: {
            type: 'invalid_request_error',
            message: 'No thread',
            details: { error_code: 'thread_not_found' },
          },
        });
        return;
      }
      json(response, 200, { id: 'msg_1', type: 'message', content: [], usage: {} });
    });
    const gateway = await startGateway({
      instances: { a: { adapter: 'anthropic', baseUrl: backend.url } },
    });
    const client = new Anthropic({ baseURL: gateway.url, apiKey: 'none', maxRetries: 0 });
    const ask = (thread: object) =>
      client.beta.messages.create({
        ...ASK,
        model: 'm',
        max_tokens: 5,
        betas: ['x-2026'],
        ...({ thread } as object),
      });
    await ask({ type: 'create' });
    expect(backend.received[0]!.headers['anthropic-beta']).toContain('x-2026');
    await expect(ask({ type: 'continue', previous_message_id: 'msg_0' })).rejects.toMatchObject({
      error: { error: { details: { error_code: 'thread_not_found' } } },
    });
  });
});
