import { request as httpRequest } from 'node:http';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { chatChunk, fakeBackend, json, startEvents } from './support/fake-backend.ts';
import { startGateway } from './support/gateway.ts';

const tools = [
  {
    type: 'function' as const,
    function: { name: 'get_weather', parameters: { type: 'object', properties: {} } },
  },
];
const chat = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }], tools };
const HERMES = '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>';
const DONE = 'data: [DONE]\n\n';
const end = (reason: string) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta: {}, finish_reason: reason }] })}\n\n`;

/** As Ollama and LM Studio begin: role and text together. */
const first = (piece: string) =>
  chatChunk(piece).replace('"delta":{', '"delta":{"role":"assistant",');

async function repairing(pieces: readonly string[], repairToolCalls = true) {
  const backend = await fakeBackend((received, response) => {
    const { stream } = JSON.parse(received.body.toString()) as { stream?: boolean };
    if (!stream) {
      json(response, 200, {
        id: 'c',
        object: 'chat.completion',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: pieces.join('') },
            finish_reason: 'stop',
          },
        ],
      });
      return;
    }
    startEvents(response);
    for (const [index, piece] of pieces.entries())
      response.write(index === 0 ? first(piece) : chatChunk(piece));
    response.end(end('stop') + DONE);
  });
  return startGateway({
    instances: { a: { adapter: 'openai', baseUrl: backend.url, repairToolCalls } },
  });
}

/** A call whose trailers can be seen. */
function stream(url: string): Promise<{ headers: object; trailers: object; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      `${url}/v1/chat/completions`,
      { method: 'POST', headers: { 'content-type': 'application/json' } },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => {
          resolve({ headers: response.headers, trailers: response.trailers, body });
        });
      },
    );
    sent.on('error', reject);
    sent.end(JSON.stringify({ ...chat, stream: true }));
  });
}

describe('repairToolCalls', () => {
  it('makes a call of what was written as text, which a header tells', async () => {
    const gateway = await repairing([HERMES]);
    const reply = await gateway.post('/v1/chat/completions', chat);
    expect(reply.headers.get('x-jairouter-repaired')).toBe('text-calls');
    expect(await reply.json()).toMatchObject({
      choices: [
        {
          finish_reason: 'tool_calls',
          message: {
            content: null,
            tool_calls: [
              {
                id: expect.stringMatching(/^call_/) as string,
                function: { name: 'get_weather', arguments: '{"city":"Paris"}' },
              },
            ],
          },
        },
      ],
    });
  });

  it('does so in a stream, as the client’s helpers read it', async () => {
    const { url } = await repairing(HERMES.match(/.{1,5}/g)!);
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x' });
    const final = await openai.chat.completions.stream(chat).finalChatCompletion();
    expect(final.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        tool_calls: [{ function: { name: 'get_weather', arguments: '{"city":"Paris"}' } }],
      },
    });
  });

  it('tells of it in a trailer where the head was out before', async () => {
    const { url } = await repairing(['Let me ', 'look. ', HERMES]);
    const { headers, trailers, body } = await stream(url);
    expect(headers).toMatchObject({
      trailer: expect.stringContaining('x-jairouter-repaired') as string,
    });
    expect(headers).not.toHaveProperty('x-jairouter-repaired');
    expect(trailers).toEqual({ 'x-jairouter-repaired': 'text-calls' });
    expect(body).toContain('"finish_reason":"tool_calls"');
  });

  it('tells of it in the head of a stream that begins with it', async () => {
    const { url } = await repairing([HERMES]);
    const { headers } = await stream(url);
    expect(headers).toMatchObject({ 'x-jairouter-repaired': 'text-calls' });
  });

  it('leaves a clean answer as it is, to the byte', async () => {
    const words = ['Hello', ' <b>', ' [x] `code`'];
    const gateway = await repairing(words);
    const { headers, trailers, body } = await stream(gateway.url);
    expect(body).toBe(
      words.map((word, index) => (index === 0 ? first(word) : chatChunk(word))).join('') +
        end('stop') +
        DONE,
    );
    expect([headers, trailers]).not.toContainEqual(
      expect.objectContaining({ 'x-jairouter-repaired': expect.anything() as string }),
    );
    const reply = await gateway.post('/v1/chat/completions', chat);
    expect(reply.headers.has('x-jairouter-repaired')).toBe(false);
  });

  it('does so for other APIs, which such an instance is asked for in chat completions', async () => {
    const gateway = await repairing([HERMES]);
    const [instance] = [...gateway.gateway.fleet.instances()];
    instance!.learnShown(['messages', 'responses']);
    const ask = (path: string, more: object) => gateway.post(path, { model: 'm', ...more });
    const { function: tool } = tools[0]!;
    const message = await ask('/v1/messages', {
      max_tokens: 9,
      messages: chat.messages,
      tools: [{ name: tool.name, input_schema: tool.parameters }],
    });
    expect(await message.json()).toMatchObject({
      stop_reason: 'tool_use',
      content: [{ type: 'tool_use', name: 'get_weather', input: { city: 'Paris' } }],
    });
    const response = await ask('/v1/responses', {
      input: 'hi',
      tools: [{ type: 'function', ...tool }],
    });
    expect(await response.json()).toMatchObject({
      output: [{ type: 'function_call', name: 'get_weather', arguments: '{"city":"Paris"}' }],
    });
    for (const { headers } of [message, response])
      expect(headers.get('x-jairouter-repaired')).toBe('text-calls');
  });

  it('is off unless an instance wants it', async () => {
    const { url } = await repairing([HERMES], false);
    const { headers, body } = await stream(url);
    expect(body).toBe(first(HERMES) + end('stop') + DONE);
    expect(headers).not.toHaveProperty('trailer');
  });
});
