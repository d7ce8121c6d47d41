import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fakeBackend, json, startEvents, type Behaviour } from '../support/fake-backend.ts';
import { startGateway, until } from '../support/gateway.ts';
import { wireSample } from '../support/wire-samples.ts';
import { callChunks, chunk, completion, ending, overChat, type Scene } from './upstream.ts';

function sdk({ gateway }: Pick<Scene, 'gateway'>, apiKey = 'none'): OpenAI {
  return new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0 });
}

type Event = OpenAI.Responses.ResponseStreamEvent;

async function eventsOf(stream: AsyncIterable<Event>): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** What must hold of every stream of Responses. */
function expectGrammar(events: readonly Event[]): void {
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
  expect(events.slice(0, 2).map(({ type }) => type)).toEqual([
    'response.created',
    'response.in_progress',
  ]);
  const last = /^response\.(completed|incomplete|failed)$|^error$/;
  expect(events.filter(({ type }) => last.test(type))).toEqual([events.at(-1)]);
  const open = new Set<number>();
  const ids = new Map<number, string>();
  for (const event of events) {
    if (event.type === 'response.output_item.added') {
      expect(open.size).toBe(0);
      open.add(event.output_index);
      ids.set(event.output_index, event.item.id!);
    } else if (event.type === 'response.output_item.done') {
      expect(open.delete(event.output_index)).toBe(true);
      expect(event.item.id).toBe(ids.get(event.output_index));
    } else if ('output_index' in event) {
      expect(open.has(event.output_index)).toBe(true);
      if ('item_id' in event) expect(event.item_id).toBe(ids.get(event.output_index));
    }
  }
  expect(open.size).toBe(0);
}

const WEATHER = {
  type: 'function' as const,
  name: 'get_weather',
  description: 'Get weather',
  strict: true,
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const CALL = { id: 'call_1', name: 'get_weather', pieces: ['{"ci', 'ty":"Pa', 'ris"}'] };

describe('the OpenAI SDK’s Responses over a backend of chat completions', () => {
  it('get an answer', async () => {
    const scene = await overChat(completion({ content: 'Hi!', reasoning: 'Hm.' }));
    const { data, response } = await sdk(scene)
      .responses.create({ model: 'm', input: 'Say hi', instructions: 'Be brief.' })
      .withResponse();
    expect(data).toMatchObject({
      id: expect.stringMatching(/^resp_\w+$/) as string,
      object: 'response',
      status: 'completed',
      error: null,
      incomplete_details: null,
      instructions: 'Be brief.',
      model: 'm-2025',
      output_text: 'Hi!',
      output: [
        { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'Hm.' }] },
        {
          type: 'message',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: 'Hi!', annotations: [] }],
        },
      ],
      parallel_tool_calls: true,
      previous_response_id: null,
      store: true,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      usage: {
        input_tokens: 21,
        input_tokens_details: { cached_tokens: 5 },
        output_tokens: 7,
        output_tokens_details: { reasoning_tokens: 3 },
        total_tokens: 28,
      },
    });
    expect(response.headers.get('x-jairouter-instance')).toBe('a');
    expect(scene.asked()).toEqual({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Say hi' },
      ],
    });
  });

  it('get a stream with the whole grammar of its events', async () => {
    const scene = await overChat([
      chunk({ role: 'assistant', content: '' }),
      chunk({ reasoning_content: 'Let me' }),
      chunk({ reasoning_content: ' see.' }),
      chunk({ content: 'Grüß' }),
      chunk({ content: ' Gott' }),
      ...callChunks(0, CALL),
      ...callChunks(1, { id: 'call_2', name: 'now', pieces: [] }),
      ...ending('tool_calls'),
    ]);
    const stream = await sdk(scene).responses.create({
      model: 'm',
      input: 'Say hi',
      tools: [WEATHER],
      stream: true,
    });
    const events = await eventsOf(stream);
    expectGrammar(events);
    expect(events.map(({ type }) => type.slice('response.'.length))).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'reasoning_text.delta',
      'reasoning_text.delta',
      'reasoning_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.delta',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'completed',
    ]);
  });

  it('get a stream through its helper, which comes to the same as the last event says', async () => {
    const scene = await overChat([
      chunk({ reasoning: 'Hm.' }),
      chunk({ content: 'Hi' }),
      chunk({ content: '!' }),
      ...callChunks(0, CALL),
      ...ending('tool_calls'),
    ]);
    const deltas: string[] = [];
    const stream = sdk(scene).responses.stream({
      model: 'm',
      input: 'x',
      tools: [WEATHER],
      reasoning: { summary: 'auto' },
    });
    let completed: OpenAI.Responses.Response | undefined;
    stream.on('response.output_text.delta', ({ delta }) => deltas.push(delta));
    stream.on('response.completed', ({ response }) => (completed = response));
    const final = await stream.finalResponse();
    expect(deltas).toEqual(['Hi', '!']);
    expect(final.output).toMatchObject(JSON.parse(JSON.stringify(completed!.output)) as object[]);
    expect(final.output).toMatchObject([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] },
      { type: 'message' },
      { type: 'function_call', call_id: 'call_1', arguments: '{"city":"Paris"}' },
    ]);
  });

  it('say all that a backend can be told, and name what it can not', async () => {
    const scene = await overChat(completion({ content: 'ok' }));
    const { response } = await sdk(scene)
      .responses.create({
        model: 'm',
        input: [
          { role: 'developer', content: 'Be kind.' },
          {
            role: 'user',
            content: [
              { type: 'input_text', text: 'What is it?' },
              { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'low' },
              {
                type: 'input_file',
                filename: 'a.txt',
                file_data: `data:text/plain;base64,${Buffer.from('Some notes').toString('base64')}`,
              },
            ],
          },
          { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'of OpenAI' },
          {
            type: 'function_call',
            call_id: 'c1',
            name: 'get_weather',
            arguments: '{"city":"Paris"}',
          },
          { type: 'function_call', call_id: 'c2', name: 'get_weather', arguments: '{}' },
          { type: 'function_call_output', call_id: 'c1', output: 'Sunny' },
          {
            type: 'function_call_output',
            call_id: 'c2',
            output: [{ type: 'input_text', text: 'No city' }],
          },
          { type: 'message', role: 'user', content: 'And?' },
        ],
        tools: [WEATHER, { type: 'web_search' }],
        tool_choice: { type: 'function', name: 'get_weather' },
        parallel_tool_calls: false,
        max_output_tokens: 50,
        temperature: 0.5,
        top_p: 0.9,
        truncation: 'auto',
        prompt_cache_key: 'k',
        metadata: { a: 'b' },
        text: { verbosity: 'low', format: { type: 'json_object' } },
      })
      .withResponse();
    expect(scene.asked()).toEqual({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be kind.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            {
              type: 'image_url',
              image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' },
            },
            { type: 'text', text: 'a.txt:\n\nSome notes' },
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
            { id: 'c2', type: 'function', function: { name: 'get_weather', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'Sunny' },
        { role: 'tool', tool_call_id: 'c2', content: 'No city' },
        { role: 'user', content: 'And?' },
      ],
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_weather',
            description: 'Get weather',
            parameters: WEATHER.parameters,
            strict: true,
          },
        },
      ],
      tool_choice: { type: 'function', function: { name: 'get_weather' } },
      parallel_tool_calls: false,
      max_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      response_format: { type: 'json_object' },
    });
    expect(response.headers.get('x-jairouter-dropped')!.split(', ').sort()).toEqual([
      'metadata',
      'prompt_cache_key',
      'text.verbosity',
      'tools.web_search',
      'truncation',
    ]);
  });

  it('get structured output', async () => {
    const scene = await overChat(completion({ content: '{"city":"Paris"}' }));
    const parsed = await sdk(scene).responses.parse({
      model: 'm',
      input: 'x',
      text: { format: zodTextFormat(z.object({ city: z.string() }), 'place') },
    });
    expect(parsed.output_parsed).toEqual({ city: 'Paris' });
    expect(scene.asked()['response_format']).toMatchObject({
      type: 'json_schema',
      json_schema: { name: 'place', strict: true, schema: { required: ['city'] } },
    });
  });

  it.each([
    ['length', 'incomplete', { reason: 'max_output_tokens' }],
    ['content_filter', 'incomplete', { reason: 'content_filter' }],
    ['stop', 'completed', null],
  ])('say how it ended that ended by %s', async (reason, status, details) => {
    const whole = await overChat(completion({ content: 'x' }, reason));
    const streamed = await overChat([chunk({ content: 'x' }), ...ending(reason)]);
    for (const [scene, stream] of [
      [whole, false],
      [streamed, true],
    ] as const) {
      const answer = stream
        ? await sdk(scene).responses.stream({ model: 'm', input: 'x' }).finalResponse()
        : await sdk(scene).responses.create({ model: 'm', input: 'x' });
      expect(answer).toMatchObject({ status, incomplete_details: details });
    }
  });

  it('get a refusal as one', async () => {
    const scene = await overChat([
      chunk({ refusal: 'No' }),
      chunk({ refusal: '!' }),
      ...ending('stop'),
    ]);
    const stream = await sdk(scene).responses.create({ model: 'm', input: 'x', stream: true });
    const events = await eventsOf(stream);
    expectGrammar(events);
    expect(events.at(-1)).toMatchObject({
      type: 'response.completed',
      response: { output: [{ content: [{ type: 'refusal', refusal: 'No!' }] }] },
    });
  });
});

describe('tools that are no functions', () => {
  const declared = [
    {
      type: 'custom',
      name: 'apply_patch',
      format: { type: 'grammar', syntax: 'lark', definition: 'start: x' },
    },
    { type: 'local_shell' },
    {
      type: 'namespace',
      name: 'agents',
      description: 'Agents',
      tools: [{ ...WEATHER, name: 'spawn' }],
    },
    {
      type: 'tool_search',
      execution: 'client',
      description: 'Finds',
      parameters: { type: 'object' },
    },
  ] as unknown as OpenAI.Responses.Tool[];

  async function called(name: string, pieces: readonly string[]) {
    const scene = await overChat([
      ...callChunks(0, { id: 'call_1', name, pieces }),
      ...ending('tool_calls'),
    ]);
    const stream = await sdk(scene).responses.create({
      model: 'm',
      input: 'x',
      tools: declared,
      stream: true,
    });
    const events = await eventsOf(stream);
    expectGrammar(events);
    const [item] = (events.at(-1) as { response: OpenAI.Responses.Response }).response.output;
    return { scene, events, item };
  }

  it('are functions for the model', async () => {
    const { scene } = await called('local_shell', ['{"command":["ls"]}']);
    expect(scene.asked()['tools']).toMatchObject([
      {
        function: {
          name: 'apply_patch',
          description: expect.stringContaining('start: x') as string,
          parameters: { required: ['input'] },
        },
      },
      { function: { name: 'local_shell', parameters: { required: ['command'] } } },
      { function: { name: 'agents__spawn', parameters: WEATHER.parameters } },
      { function: { name: 'tool_search', description: 'Finds' } },
    ]);
  });

  it('of free text give their text as it comes', async () => {
    const { events, item } = await called('apply_patch', ['{"inp', 'ut":"*** Be', 'gin\\n', 'x"}']);
    expect(item).toMatchObject({
      type: 'custom_tool_call',
      call_id: 'call_1',
      name: 'apply_patch',
      input: '*** Begin\nx',
    });
    const deltas = events.flatMap((event) =>
      event.type === 'response.custom_tool_call_input.delta' ? [event.delta] : [],
    );
    expect(deltas).toEqual(['*** Be', 'gin\n', 'x']);
  });

  it('of a type give an item of that type', async () => {
    const { item } = await called('local_shell', ['{"command":["ls","-l"],"timeout_ms":5}']);
    expect(item).toMatchObject({
      type: 'local_shell_call',
      call_id: 'call_1',
      status: 'completed',
      action: { type: 'exec', command: ['ls', '-l'], timeout_ms: 5 },
    });
  });

  it('of a group are called by their name and the group’s', async () => {
    const { item } = await called('agents__spawn', ['{"city":"x"}']);
    expect(item).toMatchObject({ type: 'function_call', name: 'spawn', namespace: 'agents' });
  });

  it('are searched by the client, and known once they are found', async () => {
    const { scene, item } = await called('tool_search', ['{"query":"weather"}']);
    expect(item).toMatchObject({
      type: 'tool_search_call',
      execution: 'client',
      arguments: { query: 'weather' },
    });
    const found = {
      type: 'tool_search_output',
      call_id: 'call_1',
      execution: 'client',
      status: 'completed',
      tools: [{ type: 'namespace', name: 'mcp', description: '', tools: [WEATHER] }],
    };
    await eventsOf(
      await sdk(scene).responses.create({
        model: 'm',
        input: [item, found] as unknown as OpenAI.Responses.ResponseInput,
        tools: declared,
        stream: true,
      }),
    );
    expect(scene.asked()).toMatchObject({
      messages: [
        { role: 'assistant', tool_calls: [{ id: 'call_1', function: { name: 'tool_search' } }] },
        { role: 'tool', tool_call_id: 'call_1', content: 'Found: mcp__get_weather' },
      ],
      tools: [{}, {}, {}, {}, { function: { name: 'mcp__get_weather' } }],
    });
  });

  it('come back as what they were', async () => {
    const scene = await overChat(completion({ content: 'ok' }));
    await sdk(scene).responses.create({
      model: 'm',
      input: [
        { type: 'custom_tool_call', call_id: 'c1', name: 'apply_patch', input: 'a\n"b"' },
        { type: 'custom_tool_call_output', call_id: 'c1', output: 'Done' },
        {
          type: 'local_shell_call',
          id: 'lsh_1',
          call_id: 'c2',
          status: 'completed',
          action: { type: 'exec', command: ['ls'], env: {} },
        },
        { type: 'local_shell_call_output', id: 'c2', output: '{"output":"a"}' },
        { type: 'shell_call', call_id: 'c3', action: { commands: ['ls'] } },
        {
          type: 'shell_call_output',
          call_id: 'c3',
          output: [{ stdout: 'a', stderr: '', outcome: { type: 'exit', exit_code: 0 } }],
        },
        {
          type: 'apply_patch_call',
          call_id: 'c4',
          status: 'completed',
          operation: { type: 'delete_file', path: 'a' },
        },
        { type: 'apply_patch_call_output', call_id: 'c4', status: 'completed' },
      ] as OpenAI.Responses.ResponseInput,
    });
    expect(scene.asked()['messages']).toMatchObject([
      { tool_calls: [{ id: 'c1', function: { arguments: '{"input":"a\\n\\"b\\""}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: 'Done' },
      {
        tool_calls: [
          { id: 'c2', function: { name: 'local_shell', arguments: '{"command":["ls"],"env":{}}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c2', content: '{"output":"a"}' },
      { tool_calls: [{ id: 'c3', function: { name: 'shell' } }] },
      { role: 'tool', tool_call_id: 'c3', content: expect.stringContaining('exit_code') as string },
      { tool_calls: [{ id: 'c4', function: { arguments: '{"type":"delete_file","path":"a"}' } }] },
      { role: 'tool', tool_call_id: 'c4', content: 'completed' },
    ]);
  });
});

describe('a conversation', () => {
  it('goes on from the response before it', async () => {
    let turn = 0;
    const backend = await fakeBackend((_, response) =>
      json(response, 200, completion({ content: `answer ${++turn}` })),
    );
    const gateway = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    const client = sdk({ gateway });
    const first = await client.responses.create({ model: 'm', input: 'one' });
    const second = await client.responses.create({
      model: 'm',
      input: [{ role: 'user', content: 'two' }],
      instructions: 'New ones.',
      previous_response_id: first.id,
    });
    expect(second.previous_response_id).toBe(first.id);
    await client.responses.create({
      model: 'm',
      input: 'three',
      previous_response_id: second.id,
    });
    const asked = (index: number) =>
      (JSON.parse(backend.received[index]!.body.toString()) as { messages: unknown }).messages;
    expect(asked(1)).toEqual([
      { role: 'system', content: 'New ones.' },
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'answer 1' },
      { role: 'user', content: 'two' },
    ]);
    expect(asked(2)).toEqual([
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'answer 1' },
      { role: 'user', content: 'two' },
      { role: 'assistant', content: 'answer 2' },
      { role: 'user', content: 'three' },
    ]);
    // Items by reference are found too.
    await client.responses.create({
      model: 'm',
      input: [
        { type: 'item_reference', id: first.output[0]!.id! },
        { role: 'user', content: 'four' },
      ],
    });
    expect(asked(3)).toEqual([
      { role: 'assistant', content: 'answer 1' },
      { role: 'user', content: 'four' },
    ]);
  });

  it('can be asked for again, listed and forgotten', async () => {
    const scene = await overChat([chunk({ content: 'Hi' }), ...ending('stop')]);
    const client = sdk(scene);
    const made = await client.responses.stream({ model: 'm', input: 'x' }).finalResponse();
    const again = await client.responses.retrieve(made.id);
    expect(again.output_text).toBe('Hi');
    const items = await client.responses.inputItems.list(made.id);
    expect(items.data).toMatchObject([{ type: 'message', role: 'user', content: 'x' }]);
    await expect(client.responses.cancel(made.id)).rejects.toThrow(/completed already/);
    await client.responses.delete(made.id);
    await expect(client.responses.retrieve(made.id)).rejects.toThrow(OpenAI.NotFoundError);
    await expect(
      client.responses.create({ model: 'm', input: 'x', previous_response_id: made.id }),
    ).rejects.toMatchObject({
      status: 400,
      code: 'previous_response_not_found',
      param: 'previous_response_id',
    });
  });

  it('is not kept when it is not to be', async () => {
    const scene = await overChat(completion({ content: 'Hi' }));
    const client = sdk(scene);
    const made = await client.responses.create({ model: 'm', input: 'x', store: false });
    expect(made).toMatchObject({ store: false });
    await expect(client.responses.retrieve(made.id)).rejects.toThrow(OpenAI.NotFoundError);
  });

  it('belongs to the key that it was made with', async () => {
    const apiKeys = [
      { name: 'one', key: 'sk-1' },
      { name: 'two', key: 'sk-2' },
    ];
    const scene = await overChat(completion({ content: 'Hi' }), {
      config: { server: { apiKeys } },
    });
    const [one, two] = [sdk(scene, 'sk-1'), sdk(scene, 'sk-2')];
    const made = await one.responses.create({ model: 'm', input: 'x' });
    await expect(two.responses.retrieve(made.id)).rejects.toThrow(OpenAI.NotFoundError);
    await expect(two.responses.delete(made.id)).rejects.toThrow(OpenAI.NotFoundError);
    await expect(
      two.responses.create({ model: 'm', input: 'x', previous_response_id: made.id }),
    ).rejects.toMatchObject({ code: 'previous_response_not_found' });
    await expect(one.responses.retrieve(made.id)).resolves.toMatchObject({ id: made.id });
    const open = await fetch(`${scene.gateway.url}/v1/responses/${made.id}`);
    expect(open.status).toBe(401);
  });

  it('can be cancelled while it is written', async () => {
    const backend = await fakeBackend((_, response) => {
      startEvents(response);
      response.write(`data: ${JSON.stringify(chunk({ content: 'Hi' }))}\n\n`);
    });
    const gateway = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    const client = sdk({ gateway });
    const stream = await client.responses.create({ model: 'm', input: 'x', stream: true });
    const events: Event[] = [];
    for await (const event of stream) {
      events.push(event);
      if (event.type !== 'response.output_text.delta') continue;
      const { id } = (events[0] as { response: OpenAI.Responses.Response }).response;
      expect(await client.responses.retrieve(id)).toMatchObject({ id, status: 'in_progress' });
      expect(await client.responses.cancel(id)).toMatchObject({ id, status: 'cancelled' });
    }
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { status: 'cancelled' },
    });
    await until(() => backend.aborted() === 1);
    const { id } = (events[0] as { response: OpenAI.Responses.Response }).response;
    expect(await client.responses.retrieve(id)).toMatchObject({ status: 'cancelled' });
  });

  it('keeps its thoughts with a client that keeps it, though it can not read them', async () => {
    const scene = await overChat(completion({ content: 'Hi', reasoning_content: 'Deep.' }), {
      adapter: 'vllm',
    });
    const client = sdk(scene);
    const made = await client.responses.create({
      model: 'm',
      input: 'x',
      store: false,
      include: ['reasoning.encrypted_content'],
      reasoning: { summary: 'auto' },
    });
    const [thought] = made.output;
    expect(thought).toMatchObject({ encrypted_content: expect.any(String) as string });
    // As Codex gives it back.
    const kept = { ...thought, summary: [], content: undefined };
    await client.responses.create({
      model: 'm',
      input: [kept, { role: 'user', content: 'y' }] as OpenAI.Responses.ResponseInput,
      store: false,
    });
    expect(scene.asked()['messages']).toMatchObject([
      { role: 'assistant', reasoning: 'Deep.', reasoning_content: 'Deep.' },
      { role: 'user' },
    ]);
  });
});

describe('a backend that speaks Responses itself', () => {
  const STREAM = wireSample('openai', 'responses-stream').response.sse!;

  async function native(adapter: string, behave: Behaviour) {
    const backend = await fakeBackend(behave);
    const other = await fakeBackend((_, response) =>
      json(response, 200, completion({ content: 'translated' })),
    );
    const gateway = await startGateway({
      instances: {
        a: { adapter, baseUrl: backend.url, priority: 1 },
        b: { adapter: 'openai', baseUrl: other.url, priority: 2 },
      },
    });
    const [a] = [...gateway.gateway.fleet.instances()];
    a!.learnShown(['responses']);
    return { backend, other, gateway, a: a! };
  }

  it('is asked byte for byte, and its stream passes as it is', async () => {
    const { backend, gateway } = await native('openai', (_, response) => {
      startEvents(response);
      response.end(STREAM);
    });
    const body = '{ "model":"m", "input":"Say hi","stream":true, "odd": [1]}';
    const reply = await gateway.post('/v1/responses', body);
    expect(await reply.text()).toBe(STREAM);
    expect(backend.received[0]!.body.toString()).toBe(body);
    expect(gateway.outcomes[0]).toMatchObject({ ending: 'ok', usage: { input: 9, output: 2 } });
  });

  it('that keeps its responses is asked again for what stands upon one', async () => {
    const { backend, other, gateway, a } = await native('openai', (received, response) => {
      if (received.method === 'DELETE') json(response, 200, { id: 'resp_1', deleted: true });
      else {
        startEvents(response);
        response.end(STREAM);
      }
    });
    await (await gateway.post('/v1/responses', { model: 'm', input: 'x', stream: true })).text();
    const next = { model: 'b/m', input: 'y', previous_response_id: 'resp_1' };
    const refused = await gateway.post('/v1/responses', next);
    expect(await refused.json()).toMatchObject({ error: { code: 'previous_response_not_found' } });
    const reply = await gateway.post('/v1/responses', { ...next, model: 'm' });
    await reply.text();
    expect(reply.headers.get('x-jairouter-instance')).toBe('a');
    expect(JSON.parse(backend.received[1]!.body.toString())).toEqual({ ...next, model: 'm' });
    expect(other.received).toEqual([]);
    // While it is down, nobody else can.
    a.become('unhealthy', 'test');
    const down = await gateway.post('/v1/responses', { ...next, model: 'm' });
    expect(down.status).toBe(503);
    const gone = await fetch(`${gateway.url}/v1/responses/resp_1`, { method: 'DELETE' });
    expect(await gone.json()).toEqual({ id: 'resp_1', deleted: true });
    expect(gone.headers.get('x-jairouter-instance')).toBe('a');
  });

  it('that keeps its responses shows none of them to another key', async () => {
    const backend = await fakeBackend((_, response) => {
      startEvents(response);
      response.end(STREAM);
    });
    backend.serve('/v1/responses/resp_1', () => ({ id: 'resp_1' }));
    backend.serve('/v1/responses/resp_0', () => ({ id: 'resp_0' }));
    const apiKeys = ['sk-1', 'sk-2'].map((key) => ({ name: key, key }));
    const gateway = await startGateway({
      server: { apiKeys },
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    [...gateway.gateway.fleet.instances()][0]!.learnShown(['responses']);
    const [one, two] = [sdk({ gateway }, 'sk-1'), sdk({ gateway }, 'sk-2')];
    const made = await one.responses.stream({ model: 'm', input: 'x' }).finalResponse();
    expect(await one.responses.retrieve(made.id)).toMatchObject({ id: made.id });
    // Nor one of an earlier run, which may be anybody's.
    for (const id of [made.id, 'resp_0']) {
      await expect(two.responses.retrieve(id)).rejects.toThrow(OpenAI.NotFoundError);
      await expect(two.responses.cancel(id)).rejects.toThrow(OpenAI.NotFoundError);
      await expect(
        two.responses.create({ model: 'm', input: 'y', previous_response_id: id }),
      ).rejects.toMatchObject({ code: 'previous_response_not_found' });
    }
    expect(backend.received).toHaveLength(1);
  });

  it('that keeps its responses is asked for them in its own place', async () => {
    const paths: string[] = [];
    const { gateway } = await native('azure', (received, response) => {
      paths.push(`${received.method} ${received.path}`);
      json(response, 200, { id: 'resp_1', object: 'response', status: 'completed', output: [] });
    });
    const client = sdk({ gateway });
    const made = await client.responses.create({ model: 'a/m', input: 'x' });
    await client.responses.cancel(made.id);
    await client.responses.delete(made.id);
    expect(paths).toEqual([
      'POST /openai/v1/responses',
      'POST /openai/v1/responses/resp_1/cancel',
      'DELETE /openai/v1/responses/resp_1',
    ]);
  });

  it('that keeps its responses is asked for one of an earlier run, while there is one key', async () => {
    const { backend, gateway } = await native('openai', (_, response) => json(response, 200, {}));
    backend.serve('/v1/responses/resp_0', () => ({ id: 'resp_0' }));
    expect(await sdk({ gateway }).responses.retrieve('resp_0')).toMatchObject({ id: 'resp_0' });
  });

  it('and keeps nothing has its responses kept here', async () => {
    const { backend, gateway } = await native('vllm', (_, response) => {
      startEvents(response);
      response.end(STREAM);
    });
    await (await gateway.post('/v1/responses', { model: 'm', input: 'x', stream: true })).text();
    const client = sdk({ gateway });
    expect(await client.responses.retrieve('resp_1')).toMatchObject({ output_text: 'Hi!' });
    const next = { model: 'm', input: 'y', stream: true, previous_response_id: 'resp_1' };
    await (await gateway.post('/v1/responses', next)).text();
    const asked = JSON.parse(backend.received[1]!.body.toString()) as Record<string, unknown>;
    expect(asked).not.toHaveProperty('previous_response_id');
    expect(asked['input']).toMatchObject([
      { role: 'user', content: 'x' },
      { role: 'assistant', content: [{ type: 'output_text', text: 'Hi!' }] },
      { role: 'user', content: 'y' },
    ]);
  });

  it('and keeps nothing has a whole answer kept here, too', async () => {
    const whole = wireSample('openai', 'responses').response.body as { id: string };
    const { gateway } = await native('vllm', (_, response) => json(response, 200, whole));
    const reply = await gateway.post('/v1/responses', { model: 'm', input: 'x' });
    expect(await reply.json()).toEqual(whole);
    expect(await sdk({ gateway }).responses.retrieve(whole.id)).toMatchObject({
      output_text: 'Hi!',
    });
  });

  it('and leaves out the numbers of its events has them put in', async () => {
    const response = { id: 'resp_7', object: 'response', model: 'm', output: [] };
    const thought = { id: 'rs_1', type: 'reasoning', summary: [] };
    const said = { id: 'msg_1', type: 'message', role: 'assistant', content: [] };
    const call = { id: 'fc_1', type: 'function_call', call_id: 'c', name: 'f', arguments: '' };
    const part = { type: 'output_text', text: '', annotations: [] };
    const whole = { ...said, content: [{ ...part, text: 'Hi!' }], status: 'completed' };
    const output = [thought, whole, { ...call, arguments: '{}' }];
    // As older versions of llama.cpp write them.
    const bare: readonly (readonly [string, object])[] = [
      ['created', { response: { ...response, status: 'in_progress' } }],
      ['in_progress', { response: { ...response, status: 'in_progress' } }],
      ['output_item.added', { item: thought }],
      ['reasoning_text.delta', { item_id: 'rs_1', delta: 'Hm' }],
      ['output_item.added', { item: said }],
      ['content_part.added', { item_id: 'msg_1', part }],
      ['output_text.delta', { item_id: 'msg_1', delta: 'Hi' }],
      ['output_text.delta', { item_id: 'msg_1', delta: '!' }],
      ['output_item.added', { item: call }],
      ['function_call_arguments.delta', { item_id: 'fc_1', delta: '{}' }],
      ['output_item.done', { item: whole }],
      ['completed', { response: { ...response, status: 'completed', output } }],
    ];
    const { gateway } = await native('llamacpp', (_, answer) => {
      startEvents(answer);
      for (const [name, rest] of bare) {
        const type = `response.${name}`;
        answer.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`);
      }
      answer.end();
    });
    const client = sdk({ gateway });
    const stream = client.responses.stream({ model: 'm', input: 'x' });
    const events: Event[] = [];
    for await (const event of stream) events.push(event);
    expect(events.map(({ type }) => type)).toEqual([
      ...bare.slice(0, 3).map(([name]) => `response.${name}`),
      'response.content_part.added',
      ...bare.slice(3).map(([name]) => `response.${name}`),
    ]);
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, at) => at));
    const places = events.map((event) => [
      'output_index' in event ? event.output_index : '',
      'content_index' in event ? event.content_index : '',
    ]);
    expect(places.map((place) => place.join(':')).join(' ')).toBe(
      ': : 0: 0:0 0:0 1: 1:0 1:0 1:0 2: 2: 1: :',
    );
    expect((await stream.finalResponse()).output_text).toBe('Hi!');
    expect(await client.responses.retrieve('resp_7')).toMatchObject({ output_text: 'Hi!' });
  });

  it('that counts its events itself is not touched, whichever it is', async () => {
    const { gateway } = await native('llamacpp', (_, response) => {
      startEvents(response);
      response.end(STREAM);
    });
    const asked = { model: 'm', input: 'x', stream: true };
    expect(await (await gateway.post('/v1/responses', asked)).text()).toBe(STREAM);
    expect(await sdk({ gateway }).responses.retrieve('resp_1')).toMatchObject({ id: 'resp_1' });
  });

  it('that breaks off is told in an event that counts on', async () => {
    const { gateway } = await native('openai', (_, response) => {
      startEvents(response);
      response.end(STREAM.slice(0, STREAM.indexOf('event: response.output_text.done')));
    });
    const asked = { model: 'm', input: 'x', stream: true };
    const text = await (await gateway.post('/v1/responses', asked)).text();
    const [name, data] = text.trim().split('\n\n').at(-1)!.split('\n');
    expect(name).toBe('event: error');
    expect(JSON.parse(data!.slice('data: '.length))).toEqual({
      type: 'error',
      sequence_number: 5,
      code: 'upstream_unreachable',
      message: expect.stringMatching(/terminator/) as string,
      param: null,
    });
  });

  it('that fails says so itself, and is recorded so', async () => {
    const failing = wireSample('openai', 'responses-stream-failed').response.sse!;
    const { gateway } = await native('openai', (_, response) => {
      startEvents(response);
      response.end(failing);
    });
    const asked = { model: 'm', input: 'x', stream: true };
    expect(await (await gateway.post('/v1/responses', asked)).text()).toBe(failing);
    await until(() => gateway.outcomes.length === 1);
    expect(gateway.outcomes[0]).toMatchObject({
      ending: 'broken',
      error: 'The model failed to generate a response.',
    });
  });
});

describe('an error reaches the client of Responses as OpenAI tells it', () => {
  it('before the stream', async () => {
    const backend = await fakeBackend((_, response) =>
      json(response, 429, { error: { message: 'slow down', type: 'x' } }),
    );
    const gateway = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    await expect(
      sdk({ gateway }).responses.create({ model: 'm', input: 5 as never }),
    ).rejects.toMatchObject({ status: 400, param: 'input' });
    await expect(
      sdk({ gateway }).responses.create({ model: 'm', input: 'x', conversation: 'conv_1' }),
    ).rejects.toMatchObject({ status: 400, param: 'conversation' });
    // Last, as it rests after that.
    await expect(sdk({ gateway }).responses.create({ model: 'm', input: 'x' })).rejects.toThrow(
      OpenAI.RateLimitError,
    );
  });

  it('in its midst, as its only last event', async () => {
    const backend = await fakeBackend((_, response) => {
      startEvents(response);
      response.end(
        `data: ${JSON.stringify(chunk({ content: 'Hi' }))}\n\ndata: {"error":{"message":"CUDA"}}\n\n`,
      );
    });
    const gateway = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    const client = sdk({ gateway });
    const stream = await client.responses.create({ model: 'm', input: 'x', stream: true });
    const events = await eventsOf(stream);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { code: 'server_error', message: 'CUDA' } },
    });
    expect(gateway.outcomes[0]).toMatchObject({ ending: 'broken', error: 'CUDA' });
  });

  it('counts tokens by a guess', async () => {
    const scene = await overChat({});
    const reply = await scene.gateway.post('/v1/responses/input_tokens', {
      model: 'm',
      input: 'x'.repeat(400),
    });
    expect(await reply.json()).toEqual({ object: 'response.input_tokens', input_tokens: 100 });
    expect(reply.headers.get('x-jairouter-estimated')).toBe('true');
  });
});
