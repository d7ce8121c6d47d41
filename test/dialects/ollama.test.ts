import { Ollama } from 'ollama';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fakeBackend, json, startEvents } from '../support/fake-backend.ts';
import { startGateway } from '../support/gateway.ts';
import { startWireBackend } from '../support/wire-backend.ts';
import { callChunks, chunk, completion, ending, overChat, type Scene } from './upstream.ts';

function sdk({ gateway }: Pick<Scene, 'gateway'>, headers: Record<string, string> = {}): Ollama {
  return new Ollama({ host: gateway.url, headers });
}

async function all<Line>(lines: AsyncIterable<Line>): Promise<Line[]> {
  const list: Line[] = [];
  for await (const line of lines) list.push(line);
  return list;
}

/** The client writes on what it is given, so each call is to have its own. */
function hi() {
  return { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };
}

const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Get weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', description: 'Where' } },
      required: ['city'],
    },
  },
};
/** The least that is a PNG, to those who look at its first bytes. */
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

describe("Ollama's client over a backend of chat completions", () => {
  it('gets an answer, with its counts and times', async () => {
    const scene = await overChat(completion({ content: 'Hi!', reasoning_content: 'Hm.' }));
    const answer = await sdk(scene).chat(hi());
    expect(answer).toEqual({
      model: 'm-2025',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      message: { role: 'assistant', content: 'Hi!', thinking: 'Hm.' },
      done: true,
      done_reason: 'stop',
      total_duration: expect.any(Number) as number,
      load_duration: 0,
      prompt_eval_count: 21,
      prompt_eval_duration: expect.any(Number) as number,
      eval_count: 7,
      eval_duration: expect.any(Number) as number,
    });
    expect(scene.asked()).toEqual({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] });
    expect(scene.gateway.outcomes[0]).toMatchObject({
      operation: 'ollamaChat',
      ending: 'ok',
      usage: { input: 21, output: 7 },
    });
  });

  it('gets a stream, which is lines of JSON and the default', async () => {
    const script = [
      chunk({ reasoning: 'Let me see.' }),
      chunk({ content: 'Grüß' }),
      chunk({ content: ' Gott 漢字' }),
      ...ending('length'),
    ];
    const scene = await overChat(script, { cut: 7 });
    const lines = await all(await sdk(scene).chat({ ...hi(), stream: true }));
    expect(lines.map(({ message }) => message.thinking ?? message.content)).toEqual([
      'Let me see.',
      'Grüß',
      ' Gott 漢字',
      '',
    ]);
    expect(lines.at(-1)).toMatchObject({ done: true, done_reason: 'length', eval_count: 7 });
    // Who does not say whether it is to be a stream gets one.
    const answer = await scene.gateway.post('/api/chat', hi());
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    expect(text.trim().split('\n')).toHaveLength(4);
    expect(scene.asked()).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(scene.gateway.outcomes[1]).toMatchObject({ stream: true, ending: 'ok' });
  });

  it('calls tools, whose arguments are objects, and answers them by name', async () => {
    const scene = await overChat([
      ...callChunks(0, { id: 'call_1', name: 'get_weather', pieces: ['{"ci', 'ty":"Paris"}'] }),
      ...callChunks(1, { id: 'call_2', name: 'get_weather', pieces: ['{"city":"Rome"}'] }),
      ...ending('tool_calls'),
    ]);
    const lines = await all(await sdk(scene).chat({ ...hi(), tools: [WEATHER], stream: true }));
    const calls = lines.flatMap(({ message }) => message.tool_calls ?? []);
    expect(calls).toMatchObject([
      { function: { name: 'get_weather', arguments: { city: 'Paris' } } },
      { function: { name: 'get_weather', arguments: { city: 'Rome' } } },
    ]);
    expect(scene.asked()['tools']).toEqual([WEATHER]);
    await all(
      await sdk(scene).chat({
        model: 'm',
        stream: true,
        messages: [
          ...hi().messages,
          { role: 'assistant', content: '', tool_calls: calls.map(withoutId) },
          { role: 'tool', tool_name: 'get_weather', content: 'Rain' },
          { role: 'tool', tool_name: 'get_weather', content: 'Sun' },
        ],
      }),
    );
    const [first, second] = ['call_0', 'call_1'];
    expect(scene.asked()['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant', tool_calls: [{ id: first }, { id: second }] },
      { role: 'tool', tool_call_id: first, content: 'Rain' },
      { role: 'tool', tool_call_id: second, content: 'Sun' },
    ]);
  });

  it('says all that a backend can be told, and what it can not is named', async () => {
    const scene = await overChat(completion({ content: '{}' }), { adapter: 'vllm' });
    const asked = {
      ...hi(),
      messages: [{ role: 'user', content: 'What is it?', images: [PNG.toString('base64')] }],
      format: { type: 'object', properties: { name: { type: 'string' } } },
      think: 'high',
      stream: false,
      keep_alive: '5m',
      options: {
        num_predict: 50,
        num_ctx: 8192,
        temperature: 0.5,
        top_p: 0.9,
        top_k: 40,
        repeat_penalty: 1.1,
        seed: 7,
        stop: ['END'],
      },
    };
    const answer = await scene.gateway.post('/api/chat', asked);
    expect(scene.asked()).toMatchObject({
      messages: [
        {
          content: [
            { type: 'text', text: 'What is it?' },
            {
              type: 'image_url',
              image_url: { url: `data:image/png;base64,${PNG.toString('base64')}` },
            },
          ],
        },
      ],
      response_format: { type: 'json_schema', json_schema: { schema: asked.format } },
      reasoning_effort: 'high',
      max_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      repetition_penalty: 1.1,
      seed: 7,
      stop: ['END'],
    });
    expect(answer.headers.get('x-jairouter-dropped')!.split(', ').sort()).toEqual([
      'keep_alive',
      'options.num_ctx',
    ]);
    await scene.gateway.post('/api/chat', { ...hi(), stream: false, format: 'json', think: false });
    expect(scene.asked()).toMatchObject({ response_format: { type: 'json_object' } });
  });

  it('generates from a prompt', async () => {
    const scene = await overChat([chunk({ content: 'Blue' }), ...ending('stop')]);
    const stream = await sdk(scene).generate({
      model: 'm',
      prompt: 'Which colour?',
      system: 'Be short.',
      images: [PNG],
      stream: true,
    });
    const lines = await all(stream);
    expect(lines.map(({ response }) => response)).toEqual(['Blue', '']);
    expect(lines.at(-1)).toMatchObject({ done: true, done_reason: 'stop', prompt_eval_count: 21 });
    expect(scene.asked()).toMatchObject({
      messages: [
        { role: 'system', content: 'Be short.' },
        { role: 'user', content: [{ text: 'Which colour?' }, { type: 'image_url' }] },
      ],
    });
  });

  it.each([
    ['raw', { raw: true }, undefined],
    ['with a suffix', { suffix: 'end' }, 'end'],
  ])('has a text completed that is %s', async (_, fields, suffix) => {
    const scene = await overChat({
      id: 'cmpl-1',
      object: 'text_completion',
      model: 'm-2025',
      choices: [{ index: 0, text: 'middle', finish_reason: 'length' }],
      usage: { prompt_tokens: 4, completion_tokens: 2 },
    });
    const answer = await sdk(scene).generate({ model: 'm', prompt: 'start', ...fields });
    expect(answer).toMatchObject({
      response: 'middle',
      done_reason: 'length',
      prompt_eval_count: 4,
      eval_count: 2,
    });
    expect(scene.backend.received[0]!.path).toBe('/v1/completions');
    expect(scene.asked()).toMatchObject({ prompt: 'start', ...(suffix ? { suffix } : {}) });
  });

  it('has no text filled in where the backend can only chat, and says so', async () => {
    const backend = await startWireBackend('anthropic');
    onTestFinished(() => backend.close());
    const gateway = await startGateway({
      instances: { a: { adapter: 'anthropic', baseUrl: backend.url, apiKey: 'sk-ant-x' } },
    });
    const asked = { model: 'claude-sonnet-4-5', prompt: 'Say hi', suffix: 'there', stream: false };
    const answer = await gateway.post('/api/generate', asked);
    expect(await answer.json()).toMatchObject({ response: 'Hi!', done: true });
    expect(answer.headers.get('x-jairouter-dropped')).toBe('suffix');
  });

  it('embeds one text and several, in the order that they were asked in', async () => {
    const scene = await overChat({
      object: 'list',
      model: 'm',
      data: [
        { index: 1, embedding: [0.3, 0.4] },
        { index: 0, embedding: [0.1, 0.2] },
      ],
      usage: { prompt_tokens: 5, total_tokens: 5 },
    });
    const answer = await sdk(scene).embed({ model: 'm', input: ['a', 'b'], dimensions: 2 });
    expect(answer).toMatchObject({
      model: 'm',
      embeddings: [
        [0.1, 0.2],
        [0.3, 0.4],
      ],
      prompt_eval_count: 5,
    });
    expect(scene.asked()).toEqual({
      model: 'm',
      input: ['a', 'b'],
      encoding_format: 'float',
      dimensions: 2,
    });
    expect(await sdk(scene).embeddings({ model: 'm', prompt: 'a' })).toEqual({
      embedding: [0.1, 0.2],
    });
  });

  it('may call a model by the tag that Ollama gives to names without one', async () => {
    const scene = await overChat(completion({ content: 'Hi' }), {
      config: { server: { apiKeys: [{ name: 'k', key: 'sk-1', models: ['m'] }] } },
    });
    const client = sdk(scene, { authorization: 'Bearer sk-1' });
    const asked = { model: 'm:latest', messages: [{ role: 'user', content: 'Hi' }] };
    expect((await client.chat(asked)).message.content).toBe('Hi');
    expect(scene.asked()).toMatchObject({ model: 'm' });
    expect(await client.show({ model: 'm:latest' })).toMatchObject({
      model_info: { 'general.basename': 'm' },
    });
    await expect(client.chat({ ...asked, model: 'n:latest' })).rejects.toMatchObject({
      status_code: 403,
    });
  });

  it('is told what of its embedding could not be said', async () => {
    const vector = { object: 'list', data: [{ index: 0, embedding: [1] }] };
    const asked = { model: 'm', input: 'x', truncate: false, options: { num_ctx: 9 } };
    const scene = await overChat(vector);
    const answer = await scene.gateway.post('/api/embed', asked);
    expect(answer.headers.get('x-jairouter-dropped')).toBe('truncate, options');
    const strict = await overChat(vector, { config: { defaults: { unsupported: 'reject' } } });
    const refused = await strict.gateway.post('/api/embed', asked);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: expect.stringContaining('"options"') as string,
    });
  });

  it('gets no vectors for no text, without asking a backend', async () => {
    const scene = await overChat({});
    const client = sdk(scene);
    expect(await client.embed({ model: 'm', input: [] })).toMatchObject({ embeddings: [] });
    expect(await client.embed({ model: 'm', input: '' })).toMatchObject({ embeddings: [] });
    expect(await client.embeddings({ model: 'm', prompt: '' })).toEqual({ embedding: [] });
    expect(scene.backend.received).toEqual([]);
  });

  it('is listed the models, shown one, and told a version', async () => {
    const ollama = await startWireBackend('ollama');
    onTestFinished(() => ollama.close());
    const vllm = await startWireBackend('vllm');
    onTestFinished(() => vllm.close());
    const gateway = await startGateway({
      instances: {
        o: { adapter: 'ollama', baseUrl: ollama.url },
        v: { adapter: 'vllm', baseUrl: vllm.url },
      },
    });
    const client = sdk({ gateway });
    const { models } = await client.list();
    expect(models.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Qwen/Qwen3-8B', 'qwen3:8b']) as string[],
    );
    expect(models[0]).toMatchObject({
      digest: expect.stringMatching(/^[\da-f]{64}$/) as string,
      details: { family: expect.any(String) as string },
    });
    // What Ollama says of its own passes as it is.
    expect((await client.show({ model: 'qwen3:8b' })).details.parameter_size).toBe('8.2B');
    expect(await client.show({ model: 'Qwen/Qwen3-8B' })).toMatchObject({
      capabilities: ['completion', 'tools'],
      model_info: { 'general.architecture': 'vllm', 'vllm.context_length': 40960 },
    });
    await expect(client.show({ model: 'none' })).rejects.toMatchObject({
      status_code: 404,
      error: "model 'none' not found",
    });
    expect((await client.ps()).models.every(({ expires_at: until }) => until)).toBe(true);
    expect(await client.version()).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
    for (const path of ['/', '/api/tags', '/api/version']) {
      expect((await fetch(gateway.url + path, { method: 'HEAD' })).status).toBe(200);
    }
    expect(await (await fetch(gateway.url)).text()).toBe('Ollama is running');
  });

  it('loads and unloads a model, where that is nothing to do', async () => {
    const scene = await overChat({});
    const client = sdk(scene);
    expect(await client.generate({ model: 'm', prompt: '' })).toMatchObject({
      response: '',
      done: true,
      done_reason: 'load',
    });
    expect(await client.chat({ model: 'm', keep_alive: 0 })).toMatchObject({
      done_reason: 'unload',
    });
    expect(scene.backend.received).toEqual([]);
    await expect(client.generate({ model: 'none', prompt: '' })).rejects.toMatchObject({
      status_code: 404,
    });
  });
});

describe("an error reaches Ollama's client as its own", () => {
  it('before an answer', async () => {
    const { gateway, backend } = await overChat(
      {},
      { config: { server: { apiKeys: [{ name: 'k', key: 'k' }] } } },
    );
    const client = sdk({ gateway }, { authorization: 'Bearer k' });
    await expect(client.chat({ ...hi(), model: 'none' })).rejects.toMatchObject({
      status_code: 404,
      error: expect.stringContaining('"none"') as string,
    });
    await expect(sdk({ gateway }).chat(hi())).rejects.toMatchObject({ status_code: 401 });
    await expect(sdk({ gateway }).list()).rejects.toMatchObject({ status_code: 401 });
    await expect(
      client.chat({ model: 'm', messages: [{ role: 'wizard', content: '' }] }),
    ).rejects.toMatchObject({ status_code: 400, error: expect.stringContaining('role') as string });
    backend.behave = (_, response) => {
      json(response, 400, { error: { message: 'Too long', code: 'context_length_exceeded' } });
    };
    await expect(client.chat(hi())).rejects.toMatchObject({ status_code: 400, error: 'Too long' });
    const lost = await fetch(`${gateway.url}/api/me`, { method: 'POST' });
    expect(lost.status).toBe(404);
    expect(await lost.json()).toEqual({ error: expect.stringContaining('/api/me') as string });
  });

  it.each([
    [
      'which it tells',
      `data: {"error":{"message":"Out of memory","code":500}}\n\n`,
      'Out of memory',
    ],
    ['as it breaks off', '', /./],
    ['of a call that is no JSON', brokenCall(), /get_weather/],
  ])('in the midst of a stream, %s', async (_, rest, told) => {
    const { gateway, backend } = await overChat({});
    backend.behave = (__, response) => {
      startEvents(response);
      response.end(`data: ${JSON.stringify(chunk({ content: 'Half' }))}\n\n${rest}`);
    };
    const seen: string[] = [];
    await expect(
      (async () => {
        for await (const { message } of await sdk({ gateway }).chat({ ...hi(), stream: true })) {
          seen.push(message.content);
        }
      })(),
    ).rejects.toThrow(told);
    expect(seen[0]).toBe('Half');
    expect(gateway.outcomes[0]!.ending).not.toBe('ok');
  });

  it('after it was kept alive', async () => {
    const backend = await fakeBackend(async (_, response) => {
      await new Promise((resolve) => setTimeout(resolve, 120));
      json(response, 500, { error: { message: 'Broken' } });
    });
    const gateway = await startGateway({
      services: { chat: { keepAlive: '20ms' } },
      defaults: { retry: { attempts: 1 } },
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    const lines = (await (await gateway.post('/api/generate', { model: 'm', prompt: 'Hi' })).text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines[0]).toMatchObject({ response: '', done: false });
    expect(lines.at(-1)).toEqual({ error: 'Broken' });
  });
});

function brokenCall(): string {
  const chunks = [
    ...callChunks(0, { id: 'c', name: 'get_weather', pieces: ['{"city":'] }),
    ...ending('tool_calls'),
  ];
  return `${chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')}data: [DONE]\n\n`;
}

function withoutId(call: { function: { name: string; arguments: Record<string, unknown> } }) {
  return { function: { name: call.function.name, arguments: call.function.arguments } };
}

async function overOllama() {
  const backend = await startWireBackend('ollama');
  onTestFinished(() => backend.close());
  const gateway = await startGateway({
    instances: { o: { adapter: 'ollama', baseUrl: backend.url } },
  });
  return { backend, gateway };
}

describe('an Ollama', () => {
  it('is asked byte for byte, and its stream passes as it is', async () => {
    const { backend, gateway } = await overOllama();
    const body =
      '{ "model":"llama3.2", "messages":[{"role":"user","content":"Say hi"}], "keep_alive":"10m"}';
    const answer = await gateway.post('/api/chat', body);
    const direct = await fetch(`${backend.url}/api/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(await answer.text()).toBe(await direct.text());
    expect(answer.headers.get('content-type')).toBe(direct.headers.get('content-type'));
    expect(backend.requests.find(({ path }) => path === '/api/chat')!.body.toString()).toBe(body);
    expect(gateway.outcomes[0]).toMatchObject({
      stream: true,
      ending: 'ok',
      usage: { input: 27, output: 3 },
    });
  });

  it('that fails in the midst of a stream is told in its own words', async () => {
    const { backend, gateway } = await overOllama();
    backend.next('native-chat-stream-error');
    const stream = await sdk({ gateway }).chat({ ...hi(), model: 'llama3.2', stream: true });
    await expect(all(stream)).rejects.toThrow('CUDA error');
    expect(gateway.outcomes[0]!.ending).not.toBe('ok');
  });

  it('that breaks off is told as an error, never by silence', async () => {
    const backend = await fakeBackend((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.end(`${JSON.stringify({ model: 'm', message: { content: 'Ha' }, done: false })}\n`);
    });
    const gateway = await startGateway({
      instances: { o: { adapter: 'ollama', baseUrl: backend.url, models: ['m'] } },
    });
    const text = await (await gateway.post('/api/chat', hi())).text();
    expect(JSON.parse(text.trim().split('\n').at(-1)!)).toEqual({
      error: expect.stringContaining('o') as string,
    });
  });

  it('has its models managed where it is named, and only there', async () => {
    const managed: { method: string; path: string; body: string }[] = [];
    const backend = await fakeBackend(({ method, path, body }, response) => {
      managed.push({ method, path, body: body.toString() });
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write('{"status":"pulling manifest"}\n');
      response.end('{"status":"success"}\n');
    });
    const gateway = await startGateway({
      instances: { o: { adapter: 'ollama', baseUrl: backend.url, models: ['m'] } },
    });
    const client = sdk({ gateway });
    const steps = await all(await client.pull({ model: 'o/llama3.2', stream: true }));
    expect(steps.map(({ status }) => status)).toEqual(['pulling manifest', 'success']);
    await client.copy({ source: 'o/llama3.2', destination: 'o/mine' });
    await client.delete({ model: 'o/mine' });
    await sdk({ gateway }, { 'x-jairouter-instance': 'o' }).delete({ model: 'x' });
    await fetch(`${gateway.url}/api/blobs/sha256:00`, {
      method: 'POST',
      headers: { 'x-jairouter-instance': 'o' },
      body: 'weights',
    });
    expect(managed.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', '/api/pull', '{"name":"llama3.2","stream":true}'],
      ['POST', '/api/copy', '{"source":"llama3.2","destination":"mine"}'],
      ['DELETE', '/api/delete', '{"name":"mine"}'],
      ['DELETE', '/api/delete', '{"name":"x"}'],
      ['POST', '/api/blobs/sha256:00', 'weights'],
    ]);
    await expect(client.pull({ model: 'llama3.2' })).rejects.toMatchObject({
      status_code: 501,
      error: expect.stringMatching(/x-jairouter-instance.*\bo\b/) as string,
    });
    expect(managed).toHaveLength(5);
  });
});
