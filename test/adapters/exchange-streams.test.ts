import { describe, expect, it } from 'vitest';
import { type OwnName, scene } from './exchange.ts';

const chat = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };

interface Told {
  status: number;
  message: string | RegExp;
  param?: string;
  code?: string;
}

/** The first event of a stream is an error, which is still to be a status. */
const FIRST_EVENTS: readonly (readonly [OwnName, string, Told])[] = [
  [
    'xinference',
    '{"error":"[address=x, pid=1] CUDA out of memory"}',
    { status: 502, message: /CUDA/ },
  ],
  [
    'xinference',
    '{"error": "This model\'s maximum context length is 10 tokens"}',
    { status: 400, message: /maximum context/, code: 'context_length_exceeded' },
  ],
  [
    'vllm',
    '{"error": {"message": "bad", "type": "BadRequestError", "param": "x", "code": 400}}',
    { status: 400, message: 'bad', param: 'x' },
  ],
  [
    'gpustack',
    '{"error":{"object":"error","message":"queue is full","type":"x","code":503}}',
    { status: 503, message: 'queue is full' },
  ],
  [
    'openai',
    '{"error":{"message":"no such tool","type":"invalid_request_error","param":"tools","code":null}}',
    { status: 400, message: 'no such tool', param: 'tools' },
  ],
  [
    'openai',
    '{"error":{"message":"slow down","type":"rate_limit_error","code":"rate_limit_exceeded"}}',
    { status: 429, message: 'slow down', code: 'rate_limit_exceeded' },
  ],
  [
    'openai',
    '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
    { status: 529, message: 'Overloaded' },
  ],
  [
    'localai',
    '{"error":{"message":"rpc error","type":"server_error","code":"server_error"}}',
    { status: 502, message: 'rpc error', code: 'server_error' },
  ],
];

it.each(FIRST_EVENTS)('%s, the first event: %s', async (adapter, data, told) => {
  const { post } = await scene(adapter, {
    'POST *': {
      headers: { 'content-type': 'text/event-stream' },
      body: `: ping\r\n\r\ndata: ${data}\r\n\r\n`,
    },
  });
  const reply = await post('/v1/chat/completions', { ...chat, stream: true });
  const { message, status, ...rest } = told;
  const { error } = (await reply.json()) as { error: Record<string, unknown> };
  expect(reply.status).toBe(status);
  expect(error['message']).toEqual(
    typeof message === 'string' ? message : (expect.stringMatching(message) as string),
  );
  expect(error).toMatchObject(rest);
});

describe('a chat stream', () => {
  const chunk = (content: string) =>
    `data: ${JSON.stringify({ id: '', choices: [{ index: 0, delta: { content } }] })}`;
  it.each<readonly [OwnName, string, RegExp]>([
    ['ollama', `${chunk('Hi')}\n\n${chunk('')}\n\n`, /terminator/],
    [
      'vllm',
      `${chunk('Hi')}\n\ndata: {"error":{"message":"boom","code":500}}\n\ndata: [DONE]\n\n`,
      /boom/,
    ],
    ['xinference', `${chunk('Hi')}\r\n\r\ndata: {"error":"boom"}\r\n\r\n`, /boom/],
    [
      'localai',
      `${chunk('Hi')}\n\ndata: {"error":{"code":"server_error","message":"boom"}}\n\ndata: [DONE]\n\n`,
      /boom/,
    ],
    ['gpustack', `${chunk('Hi')}\n\ndata: {"error":{"code":503,"message":"boom"}}\n\n`, /boom/],
    ['openai', `${chunk('Hi')}\n\nevent: error\ndata: {"error":{"message":"boom"}}\n\n`, /boom/],
  ])('of %s that breaks tells the client: %s', async (adapter, body, told) => {
    const { post, outcomes } = await scene(adapter, {
      'POST *': { headers: { 'content-type': 'text/event-stream' }, body },
    });
    const reply = await post('/v1/chat/completions', { ...chat, stream: true });
    const events = (await reply.text()).trim().split(/(?:\r?\n){2}/);
    expect(events[0]).toBe(chunk('Hi'));
    expect(events.at(-1)).toMatch(/^data: \{"error":\{"message":/);
    expect(events.at(-1)).toMatch(told);
    expect(events.join()).not.toContain('[DONE]');
    expect(outcomes.at(-1)?.ending).toBe('broken');
  });

  it.each<readonly [OwnName, string]>([
    [
      'openai',
      'data: {"choices":[],"id":"","prompt_filter_results":[]}\n\ndata: {"choices":[{"index":0}]}\n\ndata:[DONE]\n\n',
    ],
    [
      'xinference',
      ': ping - 1\r\n\r\ndata: {"choices":[],"error":null}\r\n\r\ndata: [DONE]\r\n\r\n',
    ],
    [
      'ollama',
      'data: {"choices":[{"delta":{"reasoning":"é","content":null}}]}\n\ndata: [DONE]\n\n',
    ],
    [
      'openai',
      'data: {"choices":[{"delta":{"content":"{\\"error\\":{\\"message\\":\\"x\\"}}"}}]}\n\ndata: [DONE]\n\n',
    ],
    ['gpustack', 'data: {"choices":[{"delta":{}}]}\n\n:\n\ndata: [DONE]\n'],
  ])('of %s passes byte for byte: %s', async (adapter, body) => {
    const { post } = await scene(adapter, {
      'POST *': { headers: { 'content-type': 'text/event-stream' }, body },
    });
    const reply = await post('/v1/chat/completions', { ...chat, stream: true });
    expect((await reply.text()).trim()).toBe(body.trim());
  });
});

it('Ollama gets a limit that it reads, whatever else is there', async () => {
  const { post, json } = await scene('ollama', { 'POST *': { body: { choices: [] } } });
  const body = '{"max_completion_tokens" : 5, "model":"m","max_tokens":null, "x":{"max_tokens":1}}';
  await post('/v1/chat/completions', body);
  expect(json()).toEqual({ model: 'm', max_tokens: 5, x: { max_tokens: 1 } });
});
