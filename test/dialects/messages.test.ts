import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { fakeBackend, json, startEvents, type Behaviour } from '../support/fake-backend.ts';
import { startGateway } from '../support/gateway.ts';
import { callChunks, chunk, completion, ending, overChat, type Scene } from './upstream.ts';

function sdk({ gateway }: Pick<Scene, 'gateway'>, more: Record<string, unknown> = {}): Anthropic {
  return new Anthropic({ baseURL: gateway.url, apiKey: 'sk-none', maxRetries: 0, ...more });
}

const ASK = { model: 'm', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] };
const WEATHER: Anthropic.Tool = {
  name: 'get_weather',
  description: 'Get weather',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const CALL = { id: 'call_1', name: 'get_weather', pieces: ['{"ci', 'ty":"Pa', 'ris"}'] };

describe('the Anthropic SDK over a backend of chat completions', () => {
  it('gets a message', async () => {
    const scene = await overChat(completion({ content: 'Hi!' }));
    const { data, response, request_id: id } = await sdk(scene).messages.create(ASK).withResponse();
    expect(data).toMatchObject({
      id: expect.stringMatching(/^msg_\w+$/) as string,
      type: 'message',
      role: 'assistant',
      model: 'm-2025',
      content: [{ type: 'text', text: 'Hi!' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: {
        input_tokens: 16,
        cache_read_input_tokens: 5,
        cache_creation_input_tokens: 0,
        output_tokens: 7,
      },
    });
    expect(id).toBe(response.headers.get('x-request-id'));
    expect(response.headers.get('x-jairouter-instance')).toBe('a');
    expect(response.headers.has('x-jairouter-dropped')).toBe(false);
    expect(scene.backend.received[0]!.path).toBe('/v1/chat/completions');
    expect(scene.asked()).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      max_tokens: 100,
    });
    expect(scene.gateway.outcomes[0]).toMatchObject({
      operation: 'messages',
      ending: 'ok',
      usage: { input: 21, output: 7 },
    });
  });

  it('gets a stream through its helper, with the thoughts, the text and the usage', async () => {
    const scene = await overChat([
      chunk({ role: 'assistant', content: '' }),
      chunk({ reasoning_content: 'Let me' }),
      chunk({ reasoning_content: ' see.' }),
      chunk({ content: 'Grüß' }),
      chunk({ content: ' Gott 漢字' }),
      ...ending('stop'),
    ]);
    const texts: string[] = [];
    const stream = sdk(scene).messages.stream(ASK);
    stream.on('text', (text) => texts.push(text));
    const message = await stream.finalMessage();
    expect(texts).toEqual(['Grüß', ' Gott 漢字']);
    expect(message).toMatchObject({
      content: [
        { type: 'thinking', thinking: 'Let me see.' },
        { type: 'text', text: 'Grüß Gott 漢字' },
      ],
      stop_reason: 'end_turn',
      usage: {
        input_tokens: 16,
        cache_read_input_tokens: 5,
        output_tokens: 7,
        output_tokens_details: { thinking_tokens: 3 },
      },
    });
    expect(scene.asked()).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  it('gets calls of tools, one after the other, and answers them', async () => {
    const scene = await overChat([
      chunk({ role: 'assistant', content: 'Looking.' }),
      ...callChunks(0, CALL),
      ...callChunks(1, { id: 'call_2', name: 'now', pieces: [] }),
      ...ending('tool_calls'),
    ]);
    const client = sdk(scene);
    const message = await client.messages
      .stream({ ...ASK, tools: [WEATHER, { name: 'now', input_schema: { type: 'object' } }] })
      .finalMessage();
    expect(message.stop_reason).toBe('tool_use');
    expect(message.content).toMatchObject([
      { type: 'text', text: 'Looking.' },
      { type: 'tool_use', id: 'call_1', name: 'get_weather', input: { city: 'Paris' } },
      { type: 'tool_use', id: 'call_2', name: 'now', input: {} },
    ]);
    expect(scene.asked()['tools']).toEqual([
      {
        type: 'function',
        function: {
          name: 'get_weather',
          description: 'Get weather',
          parameters: WEATHER.input_schema,
        },
      },
      { type: 'function', function: { name: 'now', parameters: { type: 'object' } } },
    ]);

    await client.messages
      .stream({
        ...ASK,
        messages: [
          ...ASK.messages,
          { role: 'assistant', content: message.content },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'call_1', content: 'Sunny' },
              {
                type: 'tool_result',
                tool_use_id: 'call_2',
                is_error: true,
                content: [{ type: 'text', text: 'no clock' }],
              },
              { type: 'text', text: 'And?' },
            ],
          },
        ],
      })
      .finalMessage();
    expect(scene.asked()['messages']).toEqual([
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        content: 'Looking.',
        tool_calls: [
          {
            id: 'call_1',
            type: 'function',
            function: { name: 'get_weather', arguments: '{"city":"Paris"}' },
          },
          { id: 'call_2', type: 'function', function: { name: 'now', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'Sunny' },
      { role: 'tool', tool_call_id: 'call_2', content: 'Error: no clock' },
      { role: 'user', content: 'And?' },
    ]);
  });

  it('runs its tool runner over it', async () => {
    let turn = 0;
    const backend = await fakeBackend((_, response) => {
      turn += 1;
      const call = { id: 'c1', type: 'function', function: { name: 'add', arguments: '{"a":2}' } };
      json(
        response,
        200,
        turn === 1
          ? completion({ content: null, tool_calls: [call] })
          : completion({ content: '4' }),
      );
    });
    const gateway = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    const final = await sdk({ gateway }).beta.messages.toolRunner({
      ...ASK,
      tools: [
        {
          type: 'custom',
          name: 'add',
          input_schema: { type: 'object', properties: { a: { type: 'number' } } },
          run: (input: unknown) => String((input as { a: number }).a * 2),
          parse: (input: unknown) => input,
        },
      ],
    });
    expect(final.content).toMatchObject([{ type: 'text', text: '4' }]);
    expect(JSON.parse(backend.received[1]!.body.toString())).toMatchObject({
      messages: [{}, {}, { role: 'tool', tool_call_id: 'c1', content: '4' }],
    });
  });

  it('says all that a backend can be told, and names what it can not', async () => {
    const scene = await overChat(completion({ content: 'ok' }), { adapter: 'vllm' });
    const others = { temperature: 0.5, top_k: 7, container: 'c' };
    const { response } = await sdk(scene)
      .messages.create({
        ...ASK,
        ...others,
        system: [
          { type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } },
          { type: 'text', text: 'Be kind.' },
        ],
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is it?' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
              { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
              {
                type: 'document',
                title: 'notes',
                source: { type: 'text', media_type: 'text/plain', data: 'Some notes' },
              },
              {
                type: 'document',
                source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
              },
            ],
          },
        ],
        stop_sequences: ['END'],
        tools: [WEATHER, { type: 'web_search_20250305', name: 'web_search' }],
        tool_choice: { type: 'any', disable_parallel_tool_use: true },
        thinking: { type: 'enabled', budget_tokens: 2048 },
        metadata: { user_id: 'me' },
        output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
      })
      .withResponse();
    expect(scene.asked()).toEqual({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.\n\nBe kind.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
            { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
            { type: 'text', text: 'notes:\n\nSome notes' },
          ],
        },
      ],
      tools: [expect.objectContaining({ type: 'function' })],
      tool_choice: 'required',
      parallel_tool_calls: false,
      max_tokens: 100,
      temperature: 0.5,
      top_k: 7,
      stop: ['END'],
      reasoning_effort: 'low',
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: { type: 'object' }, strict: true },
      },
      user: 'me',
    });
    const dropped = response.headers.get('x-jairouter-dropped')!.split(', ');
    expect(dropped.sort()).toEqual([
      'cache_control',
      'container',
      'document',
      'tools.web_search_20250305',
    ]);
  });

  it('is told which stop sequence was met, and why it stopped', async () => {
    const stopped = (more: object) =>
      overChat({
        ...completion({ content: 'x' }),
        choices: [{ message: { content: 'x' }, ...more }],
      });
    const ask = async (scene: Scene) => {
      const { stop_reason: reason, stop_sequence: sequence } =
        await sdk(scene).messages.create(ASK);
      return [reason, sequence];
    };
    expect(await ask(await stopped({ finish_reason: 'stop', stop_reason: 'END' }))).toEqual([
      'stop_sequence',
      'END',
    ]);
    expect(await ask(await stopped({ finish_reason: 'length' }))).toEqual(['max_tokens', null]);
    expect(await ask(await stopped({ finish_reason: 'content_filter' }))).toEqual([
      'refusal',
      null,
    ]);
  });

  it('counts tokens by a guess, which says that it is one', async () => {
    const scene = await overChat({});
    const { data, response } = await sdk(scene)
      .messages.countTokens({ model: 'm', messages: [{ role: 'user', content: 'x'.repeat(400) }] })
      .withResponse();
    expect(data.input_tokens).toBeGreaterThan(90);
    expect(response.headers.get('x-jairouter-estimated')).toBe('true');
    expect(scene.backend.received).toEqual([]);
  });

  it('lists models, page by page', async () => {
    const backend = await fakeBackend(undefined, { models: ['c', 'a', 'b'] });
    const gateway = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    const client = sdk({ gateway });
    const names: string[] = [];
    for await (const model of client.models.list({ limit: 2 })) names.push(model.id);
    expect(names).toEqual(['a', 'b', 'c']);
    expect(await client.models.retrieve('b')).toEqual({
      type: 'model',
      id: 'b',
      display_name: 'b',
      created_at: '1970-01-01T00:00:00.000Z',
    });
    await expect(client.models.retrieve('z')).rejects.toThrow(Anthropic.NotFoundError);
  });
});

describe('an error reaches the Anthropic SDK as its own', () => {
  const refusing = (status: number, headers: Record<string, string> = {}): Behaviour =>
    function refuse(_, response) {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify({ error: { message: 'boom', type: 'x', code: null } }));
    };

  it.each([
    [400, Anthropic.BadRequestError, 'invalid_request_error'],
    [404, Anthropic.NotFoundError, 'not_found_error'],
    [413, Anthropic.APIError, 'request_too_large'],
    [429, Anthropic.RateLimitError, 'rate_limit_error'],
    [500, Anthropic.InternalServerError, 'api_error'],
    [529, Anthropic.InternalServerError, 'overloaded_error'],
  ])('of status %i', async (status, kind, type) => {
    const backend = await fakeBackend(refusing(status, { 'retry-after': '7' }));
    const gateway = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    const error = await sdk({ gateway })
      .messages.create(ASK)
      .then(
        () => undefined,
        (thrown: unknown) => thrown as InstanceType<typeof Anthropic.APIError>,
      );
    expect(error).toBeInstanceOf(kind);
    expect(error!.status).toBe(status);
    expect(error!.error).toEqual({
      type: 'error',
      error: { type, message: 'boom' },
      request_id: expect.stringMatching(/^req_/) as string,
    });
    expect(error!.headers!.get('retry-after')).toBe('7');
  });

  it('that a prompt is too long says so in the words that its clients look for', async () => {
    const ours = 'request (9000 tokens) exceeds the available context size (4096 tokens)';
    const theirs = 'prompt is too long: 9000 tokens > 4096 maximum';
    for (const [message, told] of [
      [ours, `prompt is too long: ${ours}`],
      [theirs, theirs],
    ]) {
      const backend = await fakeBackend((_, response) =>
        json(response, 400, { error: { message, type: 'exceed_context_size_error', code: 400 } }),
      );
      const gateway = await startGateway({
        instances: { a: { adapter: 'llamacpp', baseUrl: backend.url } },
      });
      await expect(sdk({ gateway }).messages.create(ASK)).rejects.toMatchObject({
        status: 400,
        error: { error: { type: 'invalid_request_error', message: told } },
      });
    }
  });

  it('that is the gateway own: an unknown model, a wrong key, no JSON, no messages', async () => {
    const scene = await overChat(
      {},
      { config: { server: { apiKeys: [{ name: 'k', key: 'sk-1' }] } } },
    );
    const client = sdk(scene, { apiKey: 'sk-1' });
    await expect(client.messages.create({ ...ASK, model: 'nope' })).rejects.toThrow(
      Anthropic.NotFoundError,
    );
    await expect(sdk(scene, { apiKey: 'sk-2' }).messages.create(ASK)).rejects.toThrow(
      Anthropic.AuthenticationError,
    );
    const headers = { 'x-api-key': 'sk-1' };
    const bad = await scene.gateway.post('/v1/messages', '{', { headers });
    expect(await bad.json()).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error' },
    });
    const empty = await scene.gateway.post('/v1/messages', { model: 'm' }, { headers });
    expect(empty.status).toBe(400);
    expect(await empty.json()).toMatchObject({
      error: {
        type: 'invalid_request_error',
        message: expect.stringMatching(/"messages"/) as string,
      },
    });
    const elsewhere = await fetch(`${scene.gateway.url}/v1/messages/batches`);
    expect(await elsewhere.json()).toMatchObject({
      type: 'error',
      error: { type: 'not_found_error' },
    });
    const doubled = await scene.gateway.post('/v1/v1/messages', ASK, { headers });
    expect(await doubled.json()).toMatchObject({
      error: { message: expect.stringMatching(/should not end in \/v1/) as string },
    });
  });

  const broken: readonly (readonly [string, string, RegExp])[] = [
    ['a stream that ends too soon', '', /terminator/],
    ['an error of the backend', 'data: {"error":{"message":"CUDA"}}\n\n', /CUDA/],
    [
      'arguments that are no JSON',
      `${[...callChunks(0, { ...CALL, pieces: ['{"city":'] }), ...ending('tool_calls')]
        .map((one) => `data: ${JSON.stringify(one)}\n\n`)
        .join('')}data: [DONE]\n\n`,
      /no JSON object/,
    ],
  ];
  it.each(broken)('in the midst of a stream: %s', async (_, rest, told) => {
    const backend = await fakeBackend((__, response) => {
      startEvents(response);
      response.end(`data: ${JSON.stringify(chunk({ content: 'Hi' }))}\n\n${rest}`);
    });
    const gateway = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    const seen: string[] = [];
    const stream = sdk({ gateway }).messages.stream(ASK);
    stream.on('text', (text) => seen.push(text));
    await expect(stream.finalMessage()).rejects.toThrow(told);
    expect(seen).toEqual(['Hi']);
    expect(gateway.outcomes[0]).toMatchObject({ ending: 'broken' });
    const raw = await (await gateway.post('/v1/messages', { ...ASK, stream: true })).text();
    expect(raw).not.toContain('message_stop');
    expect(raw.match(/event: error\n/g)).toHaveLength(1);
    expect(JSON.parse(raw.trim().split('\n').at(-1)!.slice('data: '.length))).toEqual({
      type: 'error',
      error: { type: 'api_error', message: expect.stringMatching(told) as string },
    });
  });
});

describe('a translated call', () => {
  it('moves on to another instance, of another dialect, before its first event', async () => {
    const chat = await fakeBackend((_, response) => {
      startEvents(response);
      response.end('data: {"error":{"message":"out of memory","code":500}}\n\n');
    });
    const native = await fakeBackend((_, response) => {
      startEvents(response);
      response.end(NATIVE_STREAM);
    });
    const gateway = await startGateway({
      instances: {
        a: { adapter: 'openai', baseUrl: chat.url, priority: 0 },
        b: { adapter: 'xinference', baseUrl: native.url, priority: 1 },
      },
    });
    // This backend hides its routes from those who only ask.
    const b = [...gateway.gateway.fleet.instances()][1]!;
    b.learnShown(['messages']);
    const reply = await gateway.post('/v1/messages', { ...ASK, stream: true });
    expect(reply.headers.get('x-jairouter-instance')).toBe('b');
    expect(reply.headers.get('x-jairouter-attempts')).toBe('2');
    expect(await reply.text()).toBe(NATIVE_STREAM);
    expect(native.received[0]!.path).toBe('/v1/messages');
  });

  it('gives its calls ids that no earlier one has, whatever the backend counts by', async () => {
    const call = { id: 'call_0', type: 'function', function: { name: 'f', arguments: '{}' } };
    const scene = await overChat(completion({ tool_calls: [call] }, 'tool_calls'));
    const first = await sdk(scene).messages.create(ASK);
    expect(first.content).toMatchObject([{ type: 'tool_use', id: 'call_0' }]);
    const second = await sdk(scene).messages.create({
      ...ASK,
      messages: [
        ...ASK.messages,
        { role: 'assistant', content: first.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_0' }] },
      ],
    });
    expect(second.content).toMatchObject([
      { type: 'tool_use', id: expect.stringMatching(/^call_\w{32}$/) as string },
    ]);
  });

  it('moves on when what it gets is no answer', async () => {
    for (const none of [{}, { choices: [] }, { object: 'list', data: [] }]) {
      const odd = await fakeBackend((_, response) => json(response, 200, none));
      const good = await fakeBackend((_, response) =>
        json(response, 200, completion({ content: 'Hi' })),
      );
      const gateway = await startGateway({
        instances: {
          a: { adapter: 'openai', baseUrl: odd.url, priority: 0 },
          b: { adapter: 'openai', baseUrl: good.url, priority: 1 },
        },
      });
      const { data, response } = await sdk({ gateway }).messages.create(ASK).withResponse();
      expect(response.headers.get('x-jairouter-instance')).toBe('b');
      expect(data.content).toEqual([{ type: 'text', text: 'Hi' }]);
    }
  });

  it('is a whole stream where the backend has nothing to say', async () => {
    const scene = await overChat([]);
    const message = await sdk(scene).messages.stream(ASK).finalMessage();
    expect(message).toMatchObject({ model: 'm', content: [], stop_reason: 'end_turn' });
  });

  it('is kept alive by pings, and told of an error as an event', async () => {
    const backend = await fakeBackend(async (_, response) => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      json(response, 500, { error: { message: 'late' } });
    });
    const gateway = await startGateway({
      services: { chat: { keepAlive: '50ms' } },
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    const text = await (await gateway.post('/v1/messages', { ...ASK, stream: true })).text();
    expect(text).toMatch(/^(event: ping\ndata: \{"type":"ping"\}\n\n)+event: error\n/);
    expect(text).toContain('"message":"late"');
  });

  it('is refused where it would lose something, when the config says so', async () => {
    const scene = await overChat(completion({ content: 'ok' }), {
      config: { defaults: { unsupported: 'reject' } },
    });
    const client = sdk(scene);
    const tools: Anthropic.ToolUnion[] = [{ type: 'web_search_20250305', name: 'web_search' }];
    await expect(client.messages.create({ ...ASK, tools })).rejects.toThrow(
      /tools\.web_search_20250305/,
    );
    // What changes nothing of the answer is no reason.
    const system = [
      { type: 'text' as const, text: 'x', cache_control: { type: 'ephemeral' as const } },
    ];
    await expect(client.messages.create({ ...ASK, system })).resolves.toBeDefined();
  });

  it('makes a stream of an answer that is none', async () => {
    const scene = await overChat(completion({ content: 'all at once' }));
    expect(await sdk(scene).messages.stream(ASK).finalText()).toBe('all at once');
  });
});

const NATIVE_STREAM =
  'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":12,"output_tokens":0}}}\n\n' +
  'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n' +
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi!"}}\n\n' +
  'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n' +
  'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}\n\n' +
  'event: message_stop\ndata: {"type":"message_stop"}\n\n';

describe('a backend that speaks Messages itself', () => {
  async function native(behave: Behaviour) {
    const backend = await fakeBackend(behave);
    const gateway = await startGateway({
      instances: { a: { adapter: 'vllm', baseUrl: backend.url } },
    });
    [...gateway.gateway.fleet.instances()][0]!.learnShown(['messages', 'countTokens']);
    return { backend, gateway };
  }

  it('is asked byte for byte, and its stream passes as it is', async () => {
    const { backend, gateway } = await native((_, response) => {
      startEvents(response);
      response.end(NATIVE_STREAM);
    });
    const body = '{ "model":"m", "max_tokens":5,"stream":true, "odd": [1],"messages":[]}';
    const reply = await gateway.post('/v1/messages', body, {
      headers: { 'anthropic-version': '2023-06-01', 'anthropic-beta': 'x' },
    });
    expect(await reply.text()).toBe(NATIVE_STREAM);
    const [received] = backend.received;
    expect(received!.body.toString()).toBe(body);
    expect(received!.headers['anthropic-version']).toBe('2023-06-01');
    expect(received!.headers['anthropic-beta']).toBeUndefined();
    expect(gateway.outcomes[0]).toMatchObject({ ending: 'ok', usage: { input: 12, output: 3 } });
  });

  it('counts tokens itself', async () => {
    const { gateway } = await native((_, response) => json(response, 200, { input_tokens: 9 }));
    const reply = await gateway.post('/v1/messages/count_tokens', ASK);
    expect(await reply.json()).toEqual({ input_tokens: 9 });
    expect(reply.headers.has('x-jairouter-estimated')).toBe(false);
  });

  it('that breaks off is told as an error, never by silence', async () => {
    const { gateway } = await native((_, response) => {
      startEvents(response);
      response.end(NATIVE_STREAM.slice(0, NATIVE_STREAM.indexOf('event: message_delta')));
    });
    await expect(sdk({ gateway }).messages.stream(ASK).finalMessage()).rejects.toThrow(
      /terminator/,
    );
  });

  it('and fails is told in its own words', async () => {
    const { gateway } = await native((_, response) =>
      json(response, 529, { type: 'error', error: { type: 'overloaded_error', message: 'Full' } }),
    );
    await expect(sdk({ gateway }).messages.create(ASK)).rejects.toMatchObject({
      status: 529,
      error: { error: { type: 'overloaded_error', message: 'Full' } },
    });
  });
});
