import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AdapterCall, ServerEvent } from '../../src/adapters/adapter.ts';
import { repairOf } from '../../src/adapters/tool-repair.ts';
import type { Repair } from '../../src/adapters/tool-calls.ts';
import { wireSamples } from '../support/wire-samples.ts';
import { eventsOf } from './call.ts';

const tools = ['get_weather', 'write_file'].map((name) => ({
  type: 'function',
  function: { name },
}));

function asked(more: object = {}): AdapterCall {
  return { operation: 'chat', model: 'm', fields: { tools, ...more }, stream: true };
}

/** A stream of chunks that say these deltas and then end. */
function streamOf(deltas: readonly object[], finish = 'stop', more: object = {}): ServerEvent[] {
  const frame = { id: 'c1', object: 'chat.completion.chunk', created: 7, model: 'm' };
  const chunks = [
    ...deltas.map((delta) => ({ ...frame, choices: [{ index: 0, delta, finish_reason: null }] })),
    { ...frame, choices: [{ index: 0, delta: {}, finish_reason: finish, ...more }] },
    { ...frame, choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
  ];
  return [...chunks.map((chunk) => ({ data: JSON.stringify(chunk) })), { data: '[DONE]' }];
}

interface Repaired {
  readonly events: readonly ServerEvent[];
  readonly repairs: readonly Repair[];
}

function repaired(events: readonly ServerEvent[], call = asked()): Repaired {
  const repairs: Repair[] = [];
  const transform = repairOf(call, (repair) => repairs.push(repair));
  const out = events.flatMap((event) => transform?.event?.(event) ?? [event]);
  return { events: out, repairs: [...new Set(repairs)] };
}

interface Message {
  content: string;
  reasoning: string;
  calls: { id: string; name: string; arguments: string }[];
  finish: string | undefined;
}

/** The message as a client puts it together. */
function messageOf(events: readonly ServerEvent[]): Message {
  const message: Message = { content: '', reasoning: '', calls: [], finish: undefined };
  for (const { data } of events) {
    if (data === '[DONE]') continue;
    const { choices } = JSON.parse(data) as {
      choices: {
        delta: {
          content?: string | null;
          reasoning_content?: string;
          tool_calls?: {
            index: number;
            id?: string;
            function?: { name?: string; arguments?: string };
          }[];
        };
        finish_reason: string | null;
      }[];
    };
    for (const { delta, finish_reason: finish } of choices) {
      message.content += delta.content ?? '';
      message.reasoning += delta.reasoning_content ?? '';
      for (const { index, id, function: part } of delta.tool_calls ?? []) {
        const call = (message.calls[index] ??= { id: '', name: '', arguments: '' });
        call.id += id ?? '';
        call.name += part?.name ?? '';
        call.arguments += part?.arguments ?? '';
      }
      message.finish = finish ?? message.finish;
    }
  }
  return message;
}

const said = (text: string) => [{ role: 'assistant', content: '' }, ...pieces(text)];
const pieces = (text: string, size = 3) =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, index) => ({
    content: text.slice(index * size, (index + 1) * size),
  }));
const summary = ({ calls }: Message) =>
  calls.map(({ name, arguments: args }) => [name, JSON.parse(args) as unknown]);

/** Calls as models write them. */
const WRITTEN: readonly (readonly [string, string, (readonly [string, object])[], string])[] = [
  [
    'Hermes',
    '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>',
    [['get_weather', { city: 'Paris' }]],
    '',
  ],
  [
    'Hermes, two and a word before them',
    'Let me look.\n<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>\n<tool_call>{"name": "get_weather", "arguments": {"city": "Rome"}}</tool_call>',
    [
      ['get_weather', { city: 'Paris' }],
      ['get_weather', { city: 'Rome' }],
    ],
    'Let me look.\n',
  ],
  [
    'Hermes without its end',
    '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}',
    [['get_weather', { city: 'Paris' }]],
    '',
  ],
  [
    'Qwen’s coder',
    '<tool_call>\n<function=write_file>\n<parameter=path>\na.py\n</parameter>\n<parameter=text>\nprint("hi")\nx = {1: 2}\n</parameter>\n<parameter=lines>\n2\n</parameter>\n</function>\n</tool_call>',
    [['write_file', { path: 'a.py', text: 'print("hi")\nx = {1: 2}', lines: 2 }]],
    '',
  ],
  [
    'Mistral',
    '[TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Paris"}}, {"name": "write_file", "arguments": {}}]',
    [
      ['get_weather', { city: 'Paris' }],
      ['write_file', {}],
    ],
    '',
  ],
  [
    'newer Mistral',
    '[TOOL_CALLS]get_weather[ARGS]{"city": "Paris"}[TOOL_CALLS]write_file{"path": "a"}',
    [
      ['get_weather', { city: 'Paris' }],
      ['write_file', { path: 'a' }],
    ],
    '',
  ],
  [
    'Llama',
    '{"name": "get_weather", "parameters": {"city": "Paris"}}',
    [['get_weather', { city: 'Paris' }]],
    '',
  ],
  [
    'Llama, with its tag and two',
    '<|python_tag|>{"name": "get_weather", "parameters": {"city": "Paris"}}; {"name": "write_file", "parameters": {"path": "a"}}',
    [
      ['get_weather', { city: 'Paris' }],
      ['write_file', { path: 'a' }],
    ],
    '',
  ],
  [
    'Llama’s own functions',
    '<function=get_weather>{"city": "Paris"}</function>',
    [['get_weather', { city: 'Paris' }]],
    '',
  ],
  [
    'OpenAI’s shape in the text',
    '{"type": "function", "function": {"name": "get_weather", "arguments": "{\\"city\\": \\"Paris\\"}"}}',
    [['get_weather', { city: 'Paris' }]],
    '',
  ],
  [
    'a fence',
    'I will call it:\n```json\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n```',
    [['get_weather', { city: 'Paris' }]],
    'I will call it:\n',
  ],
  [
    'broken JSON',
    "<tool_call>{'name': 'get_weather', 'arguments': {'city': 'Paris',}}</tool_call>",
    [['get_weather', { city: 'Paris' }]],
    '',
  ],
];

/** Texts that are none. */
const PLAIN: readonly string[] = [
  'Hello! How are you?',
  'Use a < b and [x] or {y}, and `code`.',
  'Here:\n```python\nprint({"name": 1})\n```\nThat is all.',
  '```json\n{"temperature": 12}\n```',
  '{"answer": 42}',
  '{"name": "unknown_tool", "arguments": {}}',
  '[1, 2, 3]',
  '<tool_call>nonsense</tool_call>',
  'The template writes <tool_call> before a call.',
  '```json\n{"name": "get_weather", "arguments": {}}\n```\nis how it would look.',
  'a <tool',
  '{',
  '   ',
];

describe('a call that a model wrote into its text', () => {
  it.each(WRITTEN)('is one: %s', (_, text, calls, before) => {
    const { events, repairs } = repaired(streamOf(said(text)));
    const message = messageOf(events);
    expect(summary(message)).toEqual(calls);
    expect(message.content.trim()).toBe(before.trim());
    expect(message.finish).toBe('tool_calls');
    expect(repairs).toEqual(['text-calls']);
    expect(new Set(message.calls.map(({ id }) => id)).size).toBe(calls.length);
    expect(events.at(-1)).toEqual({ data: '[DONE]' });
  });

  it('is one in whatever pieces it comes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...WRITTEN),
        fc.array(fc.nat({ max: 12 }), { minLength: 1 }),
        ([, text, calls, before], sizes) => {
          const deltas: object[] = [];
          for (let at = 0, turn = 0; at < text.length; turn += 1) {
            const size = 1 + sizes[turn % sizes.length]!;
            deltas.push({ content: text.slice(at, at + size) });
            at += size;
          }
          const message = messageOf(repaired(streamOf(deltas)).events);
          expect(summary(message)).toEqual(calls);
          expect(message.content.trim()).toBe(before.trim());
        },
      ),
    );
  });

  it.each(WRITTEN)('is one in an answer that is not streamed: %s', (_, text, calls, before) => {
    const { message, repairs } = whole({ content: text }, 'stop');
    expect(
      message.tool_calls?.map(({ function: { name, arguments: args } }) => [
        name,
        JSON.parse(args),
      ]),
    ).toEqual(calls);
    expect(message.content ?? '').toBe(before.trim());
    expect(repairs).toEqual(['text-calls']);
  });

  it.each(PLAIN)('is none in %j', (text) => {
    const events = streamOf(said(text));
    expect(repaired(events)).toEqual({ events, repairs: [] });
    expect(whole({ content: text }, 'stop').repairs).toEqual([]);
  });

  it('is none where the client asked for JSON, or for no call', () => {
    const [, , , , , , [, llama] = []] = WRITTEN;
    const events = streamOf(said(llama as string));
    for (const more of [
      { response_format: { type: 'json_object' } },
      { tool_choice: 'none' },
      { n: 2 },
      { tools: [] },
    ]) {
      expect(repaired(events, asked(more))).toEqual({ events, repairs: [] });
    }
  });

  it('is none when it was cut off', () => {
    const events = streamOf(
      said('<tool_call>{"name": "write_file", "arguments": {"text": "rm'),
      'length',
    );
    expect(repaired(events)).toEqual({ events, repairs: [] });
    const stopped = streamOf(said('<tool_call>{"name": "write_file", "arguments": {"text": "rm'));
    expect(repaired(stopped).repairs).toEqual([]);
  });
});

interface WholeMessage {
  content: string | null;
  tool_calls?: { id: string; type: string; function: { name: string; arguments: string } }[];
  function_call?: unknown;
}

function whole(message: object, finish: string) {
  const repairs: Repair[] = [];
  const body = Buffer.from(
    JSON.stringify({
      id: 'c',
      choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
      usage: { total_tokens: 3 },
    }),
  );
  const transform = repairOf({ ...asked(), stream: false }, (repair) => repairs.push(repair))!;
  const answer = transform.body!(body, 'application/json')?.body ?? body;
  const { choices, usage } = JSON.parse(answer.toString()) as {
    choices: { message: WholeMessage; finish_reason: string }[];
    usage: unknown;
  };
  expect(usage).toEqual({ total_tokens: 3 });
  return {
    message: choices[0]!.message,
    finish: choices[0]!.finish_reason,
    repairs: [...new Set(repairs)],
  };
}

const begun = (
  index: number | undefined,
  id: string | undefined,
  args: unknown,
  name = 'get_weather',
) => ({
  tool_calls: [
    {
      ...(index === undefined ? {} : { index }),
      ...(id === undefined ? {} : { id }),
      type: 'function',
      function: { name, arguments: args },
    },
  ],
});
const more = (index: number, args: string) => ({
  tool_calls: [{ index, function: { arguments: args } }],
});

describe('a clean stream', () => {
  const streams = [
    'openai',
    'vllm',
    'llamacpp',
    'localai',
    'sglang',
    'lmstudio',
    'gemini',
    'azure',
    'gpustack',
  ].flatMap((backend) =>
    wireSamples(backend)
      .filter(
        ({ name, response }) =>
          name.startsWith('chat-stream') && response.sse && !name.includes('error'),
      )
      .filter(({ name }) => !(backend === 'localai' && name === 'chat-stream-tools'))
      .map((sample) => [`${backend}/${sample.name}`, sample.response.sse!] as const),
  );

  it.each(streams)('passes as it is: %s', (_, sse) => {
    const events = eventsOf(sse);
    expect(repaired(events)).toEqual({ events, repairs: [] });
  });

  it('passes event by event, without waiting for the next', () => {
    const transform = repairOf(asked(), () => {})!;
    const events = streamOf(
      [
        { role: 'assistant', content: null, reasoning_content: 'Hm.' },
        begun(0, 'a', ''),
        more(0, '{"ci'),
        more(0, 'ty": "Pa'),
        more(0, 'ris"}'),
        begun(1, 'b', '{}'),
      ],
      'tool_calls',
    );
    for (const event of events) expect(transform.event!(event)).toEqual([event]);
  });

  it('passes whatever it says, in whatever pieces', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', ' ', '<', '[', 'x>', '\n', '`', '{', '}', '"'),
    });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 5 }), (content, size) => {
        const events = streamOf([{ role: 'assistant', content: '' }, ...pieces(content, size)]);
        expect(repaired(events)).toEqual({ events, repairs: [] });
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is wrong with a call', () => {
  it('is put right to the same end, in whatever pieces its arguments come', () => {
    const broken: readonly [string, object][] = [
      ["{'city': 'Paris'}", { city: 'Paris' }],
      ['{"city": "Paris",}', { city: 'Paris' }],
      ['{"city": "Par\nis"}', { city: 'Par\nis' }],
      ['{"city": "Paris"', { city: 'Paris' }],
      ['{"city": "Paris"}</tool_call>', { city: 'Paris' }],
      ['{"rain": True}', { rain: true }],
      ['"{\\"city\\": \\"Paris\\"}"', { city: 'Paris' }],
      ['', {}],
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...broken),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        ([args, expected], size, other) => {
          const deltas = [
            begun(0, 'a', ''),
            ...pieces(args, size).map(({ content }) => more(0, content)),
            ...(other ? [begun(1, 'b', '{"city": "Rome"}')] : []),
          ];
          const { events, repairs } = repaired(streamOf(deltas, 'tool_calls'));
          const message = messageOf(events);
          expect(summary(message)).toEqual([
            ['get_weather', expected],
            ...(other ? [['get_weather', { city: 'Rome' }]] : []),
          ]);
          expect(repairs).toEqual(['arguments']);
        },
      ),
    );
  });

  it('is left when it is past mending, and when it was cut off', () => {
    const hopeless = streamOf([begun(0, 'a', 'Paris')], 'tool_calls');
    expect(repaired(hopeless)).toEqual({ events: hopeless, repairs: [] });
    const cut = streamOf([begun(0, 'a', '{"city": "Pa')], 'length');
    expect(repaired(cut)).toEqual({ events: cut, repairs: [] });
    expect(
      whole({ tool_calls: [{ id: 'a', ...begun(0, 'a', '{"c')['tool_calls'][0] }] }, 'length')
        .repairs,
    ).toEqual([]);
  });

  it.each([
    ['no ids', [begun(0, undefined, '{}'), begun(1, undefined, '{}')]],
    ['one id for all', [begun(0, 'a', '{}'), begun(1, 'a', '{}')]],
    ['empty ids', [begun(0, '', '{}'), begun(1, '', '{}')]],
  ])('in its ids is put right: %s', (_, deltas) => {
    const { events, repairs } = repaired(streamOf(deltas, 'tool_calls'));
    const ids = messageOf(events).calls.map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/\w/);
    expect(repairs).toEqual(['ids']);
  });

  it.each([
    ['no index', [begun(undefined, 'a', '{"city": "Paris"}'), begun(undefined, 'b', '{}')]],
    ['arguments as an object', [begun(0, 'a', { city: 'Paris' }), begun(1, 'b', {})]],
    [
      'two in one chunk, without an index',
      [
        {
          tool_calls: [
            ...begun(undefined, 'a', { city: 'Paris' }).tool_calls,
            ...begun(undefined, 'b', {}).tool_calls,
          ],
        },
      ],
    ],
  ])('in its shape is put right: %s', (_, deltas) => {
    const { events, repairs } = repaired(streamOf(deltas, 'tool_calls'));
    expect(summary(messageOf(events))).toEqual([
      ['get_weather', { city: 'Paris' }],
      ['get_weather', {}],
    ]);
    expect(repairs).toEqual(['shape']);
  });

  it('is an old function_call, as LocalAI sends it', () => {
    const [sample] = wireSamples('localai').filter(({ name }) => name === 'chat-stream-tools');
    const events = eventsOf(sample!.response.sse!);
    const message = messageOf(repaired(events).events);
    expect(message.finish).toBe('tool_calls');
    expect(message.calls.length).toBeGreaterThan(0);
    const old = streamOf(
      [{ function_call: { name: 'get_weather', arguments: '{}' } }],
      'function_call',
    );
    const { events: made, repairs } = repaired(old);
    expect(summary(messageOf(made))).toEqual([['get_weather', {}]]);
    expect(messageOf(made).finish).toBe('tool_calls');
    expect(repairs).toContain('shape');
    const answer = whole(
      { content: null, function_call: { name: 'get_weather', arguments: '' } },
      'function_call',
    );
    expect(answer.message).toMatchObject({
      tool_calls: [{ function: { name: 'get_weather', arguments: '{}' } }],
    });
    expect(answer.message).not.toHaveProperty('function_call');
  });

  it('is a whole answer as the last chunk of a stream', () => {
    const events = streamOf([], 'tool_calls', {
      delta: undefined,
      message: { role: 'assistant', ...begun(undefined, 'a', { city: 'Paris' }) },
    });
    const message = messageOf(repaired(events).events);
    expect(summary(message)).toEqual([['get_weather', { city: 'Paris' }]]);
    expect(message.finish).toBe('tool_calls');
  });

  it('is the reason that it gives for its end', () => {
    const { events, repairs } = repaired(streamOf([begun(0, 'a', '{}')], 'stop'));
    expect(messageOf(events).finish).toBe('tool_calls');
    expect(repairs).toEqual(['finish-reason']);
  });

  it('is put right in an answer that is not streamed', () => {
    const { message, finish, repairs } = whole(
      {
        content: '',
        tool_calls: [
          {
            id: 'a',
            type: 'function',
            function: { name: 'get_weather', arguments: "{'city': 'Paris'}" },
          },
          { id: 'a', function: { name: 'write_file', arguments: { path: 'x' } } },
          { function: { name: 'write_file' } },
        ],
      },
      'stop',
    );
    expect(
      message.tool_calls?.map(({ type, function: { name, arguments: args } }) => [
        type,
        name,
        JSON.parse(args),
      ]),
    ).toEqual([
      ['function', 'get_weather', { city: 'Paris' }],
      ['function', 'write_file', { path: 'x' }],
      ['function', 'write_file', {}],
    ]);
    expect(new Set(message.tool_calls?.map(({ id }) => id)).size).toBe(3);
    expect(finish).toBe('tool_calls');
    expect([...repairs].sort()).toEqual(['arguments', 'finish-reason', 'ids', 'shape']);
  });
});
