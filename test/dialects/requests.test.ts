import { describe, expect, it } from 'vitest';
import { ASKED, SERVED, type AskedName, type ServedName } from '../../src/dialects/index.ts';

type Fields = Record<string, unknown>;

/** A request of one dialect in another's words. */
function said(
  by: ServedName,
  to: AskedName,
  fields: Fields,
  addressee: { readonly model?: string; readonly extras?: readonly string[] } = {},
): { readonly fields: Fields; readonly dropped: readonly string[] } {
  const { model = 'm', extras = [] } = addressee;
  const { fields: told, dropped } = ASKED[to].writeRequest(SERVED[by].readRequest(fields), {
    model,
    extras,
  });
  return { fields: told, dropped: [...dropped].sort() };
}

const USER = { role: 'user', content: 'Hi' };
const TOOL = {
  type: 'function',
  function: { name: 'add', description: 'Adds', parameters: { type: 'object' }, strict: true },
};

describe('chat completions for Anthropic', () => {
  it('say all that it can be told', () => {
    const { fields, dropped } = said(
      'chat',
      'messages',
      {
        model: 'x',
        messages: [
          { role: 'developer', content: 'Be brief.' },
          { role: 'system', content: [{ type: 'text', text: 'Be kind.' }] },
          { role: 'user', content: 'One' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Two', cache_control: { type: 'ephemeral' } },
              {
                type: 'image_url',
                image_url: { url: 'data:image/jpeg;base64,/9j/', detail: 'low' },
              },
              { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
              {
                type: 'file',
                file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' },
              },
              { type: 'input_audio', input_audio: { data: 'AA', format: 'mp3' } },
            ],
          },
          {
            role: 'assistant',
            content: 'I add.',
            tool_calls: [
              { id: 'call.1', type: 'function', function: { name: 'add', arguments: '{"a":1}' } },
            ],
          },
          { role: 'tool', tool_call_id: 'call.1', content: '2' },
          { role: 'user', content: 'Thanks' },
        ],
        tools: [TOOL],
        tool_choice: { type: 'function', function: { name: 'add' } },
        parallel_tool_calls: false,
        max_completion_tokens: 50,
        temperature: 1.7,
        stop: 'END',
        user: 'me',
        stream: true,
        stream_options: { include_usage: true },
        n: 1,
        logit_bias: { 1: 1 },
        seed: 3,
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'a', schema: { type: 'object' } },
        },
      },
      { model: 'claude-sonnet-4-5' },
    );
    expect(fields).toEqual({
      model: 'claude-sonnet-4-5',
      max_tokens: 50,
      system: [
        { type: 'text', text: 'Be brief.' },
        { type: 'text', text: 'Be kind.' },
      ],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'One' },
            { type: 'text', text: 'Two', cache_control: { type: 'ephemeral' } },
            { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: '/9j/' } },
            { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
            {
              type: 'document',
              title: 'a.pdf',
              source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' },
            },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'I add.' },
            { type: 'tool_use', id: 'call_1', name: 'add', input: { a: 1 } },
          ],
        },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 'call_1',
              content: [{ type: 'text', text: '2' }],
            },
            { type: 'text', text: 'Thanks' },
          ],
        },
      ],
      tools: [{ name: 'add', description: 'Adds', input_schema: { type: 'object' }, strict: true }],
      tool_choice: { type: 'tool', name: 'add', disable_parallel_tool_use: true },
      temperature: 1,
      stop_sequences: ['END'],
      metadata: { user_id: 'me' },
      stream: true,
      output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
    });
    expect(dropped).toEqual(['audio', 'logit_bias', 'seed']);
  });

  it.each([
    ['claude-3-haiku-20240307', { max_tokens: 4096, temperature: 0.2 }, []],
    ['claude-3-5-sonnet-latest', { max_tokens: 8192, temperature: 0.2 }, []],
    ['claude-sonnet-4-20250514', { max_tokens: 32_000, temperature: 0.2 }, []],
    ['claude-opus-4-7', { max_tokens: 32_000 }, ['temperature']],
    ['claude-sonnet-5', { max_tokens: 32_000 }, ['temperature']],
  ])('have the limits of %s', (model, told, dropped) => {
    const answer = said('chat', 'messages', { messages: [USER], temperature: 0.2 }, { model });
    expect(answer.fields).toMatchObject(told);
    expect(answer.dropped).toEqual(dropped);
    expect('temperature' in answer.fields).toBe(dropped.length === 0);
  });

  it('think as much as each generation can be told', () => {
    const ask = (model: string, more: Fields = {}) =>
      said('chat', 'messages', { messages: [USER], reasoning_effort: 'high', ...more }, { model });
    expect(ask('claude-sonnet-4-5').fields).toMatchObject({
      thinking: { type: 'enabled', budget_tokens: 16_384 },
      max_tokens: 32_768,
    });
    expect(ask('claude-sonnet-4-5', { max_tokens: 3000 }).fields).toMatchObject({
      thinking: { budget_tokens: 2999 },
      max_tokens: 3000,
    });
    expect(ask('claude-sonnet-4-5', { max_tokens: 500 })).toMatchObject({
      dropped: ['reasoning_effort'],
    });
    expect(ask('claude-opus-4-7').fields).toMatchObject({
      thinking: { type: 'adaptive' },
      output_config: { effort: 'high' },
    });
    expect(ask('claude-opus-4-7', { reasoning_effort: 'none' }).fields).not.toHaveProperty(
      'thinking',
    );
    // In the midst of calls whose thoughts we do not have, it would be refused.
    const messages = [
      USER,
      {
        role: 'assistant',
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c', content: 'x' },
    ];
    expect(ask('claude-sonnet-4-5', { messages }).fields).not.toHaveProperty('thinking');
  });
});

describe('Messages for a backend of chat completions', () => {
  const ask = (fields: Fields, addressee: Parameters<typeof said>[3] = {}) =>
    said('messages', 'chat', { max_tokens: 100, messages: [USER], ...fields }, addressee);

  it('use the words of each model', () => {
    expect(ask({}, { model: 'gpt-5-mini' }).fields).toMatchObject({ max_completion_tokens: 100 });
    expect(ask({}, { model: 'gpt-4o' }).fields).toMatchObject({ max_tokens: 100 });
    const effort = { thinking: { type: 'adaptive' }, output_config: { effort: 'max' } };
    expect(ask(effort, { model: 'o4-mini' }).fields).toMatchObject({ reasoning_effort: 'high' });
    expect(ask(effort, { model: 'gpt-4o' })).toMatchObject({ dropped: ['reasoning_effort'] });
    expect(ask({ temperature: 0.3 }, { model: 'gpt-5' })).toMatchObject({
      dropped: ['temperature'],
    });
    expect(
      ask({ thinking: { type: 'disabled' } }, { extras: ['chat_template_kwargs'] }).fields,
    ).toMatchObject({ chat_template_kwargs: { enable_thinking: false } });
  });

  it('have the system speak first, or through the user', () => {
    const messages = [
      USER,
      { role: 'system', content: 'New rules.' },
      { role: 'assistant', content: 'Hello' },
      USER,
    ];
    const told = (model: string) => ask({ system: 'Rules.', messages }, { model }).fields;
    expect(told('qwen3')['messages']).toEqual([
      { role: 'system', content: 'Rules.' },
      { role: 'user', content: 'Hi\n\n<system>\nNew rules.\n</system>' },
      { role: 'assistant', content: 'Hello' },
      USER,
    ]);
    expect(told('gpt-4o')['messages']).toMatchObject([
      { role: 'system' },
      USER,
      { role: 'system', content: 'New rules.' },
      {},
      {},
    ]);
  });

  it('leave a limit out that the context has no room for', () => {
    const prompt = SERVED.messages.readRequest({ max_tokens: 32_000, messages: [USER] });
    const draft = (contextLength: number) =>
      ASKED.chat.writeRequest(prompt, { model: 'm', extras: [], contextLength });
    expect(draft(131_072).fields).toMatchObject({ max_tokens: 32_000 });
    expect(draft(32_768).fields).toMatchObject({ max_tokens: 32_000 });
    expect(draft(32_000).fields).not.toHaveProperty('max_tokens');
    expect(draft(32_000).dropped).toEqual(['max_tokens']);
  });

  it('show pictures that a tool found, though a tool can not', () => {
    const { fields } = ask({
      messages: [
        USER,
        { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'look', input: {} }] },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 't',
              content: [
                { type: 'text', text: 'Here:' },
                { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA' } },
              ],
            },
          ],
        },
      ],
    });
    expect(fields['messages']).toMatchObject([
      {},
      { role: 'assistant', content: null },
      { role: 'tool', tool_call_id: 't', content: 'Here:' },
      { role: 'user', content: [{ type: 'image_url' }] },
    ]);
  });

  it('give thoughts back to backends that read them, under the names they read', () => {
    const messages = [
      USER,
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm.', signature: '' },
          { type: 'redacted_thinking', data: 'xx' },
          { type: 'text', text: 'Well.' },
        ],
      },
      { role: 'user', content: 'Go on' },
    ];
    const told = (extras: readonly string[]) => {
      const { fields } = ask({ messages }, { extras });
      return (fields['messages'] as unknown[])[1];
    };
    expect(told([])).toEqual({ role: 'assistant', content: 'Well.' });
    expect(told(['reasoning'])).toEqual({
      role: 'assistant',
      content: 'Well.',
      reasoning: 'Hm.',
    });
    expect(told(['reasoning_content'])).toMatchObject({ reasoning_content: 'Hm.' });
  });

  it('let a backend go on with what the client has begun to say for it', () => {
    const messages = [USER, { role: 'assistant', content: 'I th' }];
    expect(ask({ messages }).dropped).toEqual(['prefill']);
    expect(ask({ messages }, { extras: ['continue_final_message'] }).fields).toMatchObject({
      continue_final_message: true,
      add_generation_prompt: false,
    });
  });

  it('keep a long user id short, and the same each time', () => {
    const user = (id: string) => ask({ metadata: { user_id: id } }).fields['user'] as string;
    expect(user('me')).toBe('me');
    expect(user('u'.repeat(100))).toMatch(/^[0-9a-f]{64}$/);
    expect(user('u'.repeat(100))).toBe(user('u'.repeat(100)));
    expect(user('u'.repeat(100))).not.toBe(user('v'.repeat(100)));
  });

  it.each([
    [{ messages: 'x' }, /"messages" must be an array/],
    [{ messages: [1] }, /"messages\[0\]" must be an object/],
    [{ messages: [{ role: 'bot', content: 'x' }] }, /"messages\[0\]\.role"/],
    [{ messages: [{ role: 'user' }] }, /"messages\[0\]\.content"/],
    [
      { messages: [{ role: 'user', content: [{ type: 'tool_result' }] }] },
      /content\.tool_use_id" must be a string/,
    ],
  ])('are refused when they are none: %j', (fields, message) => {
    expect(() => ask(fields as Fields)).toThrow(message);
  });
});

describe('a choice of tools', () => {
  const names = ({ fields }: { readonly fields: Fields }) =>
    (fields['tools'] as { function: { name: string } }[]).map((tool) => tool.function.name);
  const input = [USER];
  const tools = [
    { type: 'function', name: 'add', parameters: { type: 'object' } },
    { type: 'custom', name: 'patch', description: 'Patches.' },
    { type: 'web_search' },
  ];
  const choose = (choice: unknown) =>
    said('responses', 'chat', { input, tools, tool_choice: choice });

  it('of some leaves the others out', () => {
    const some = [{ type: 'custom', name: 'patch' }, { type: 'web_search' }];
    const needed = choose({ type: 'allowed_tools', mode: 'required', tools: some });
    expect(names(needed)).toEqual(['patch']);
    expect(needed.fields).toMatchObject({ tool_choice: 'required' });
    const free = choose({ type: 'allowed_tools', mode: 'auto', tools: [tools[0]] });
    expect(names(free)).toEqual(['add']);
    expect(free.fields).toMatchObject({ tool_choice: 'auto' });
    const chat = said('chat', 'messages', {
      messages: [USER],
      tools: [TOOL, { type: 'function', function: { name: 'other' } }],
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: {
          mode: 'required',
          tools: [{ type: 'function', function: { name: 'add' } }],
        },
      },
    });
    expect(chat.fields).toMatchObject({ tools: [{ name: 'add' }], tool_choice: { type: 'any' } });
    expect(chat.fields['tools']).toHaveLength(1);
  });

  it('of one that is not offered is left out, and named', () => {
    for (const choice of [{ type: 'web_search' }, { type: 'function', name: 'gone' }]) {
      const { fields, dropped } = choose(choice);
      expect(fields).not.toHaveProperty('tool_choice');
      expect(dropped).toEqual(['tool_choice', 'tools.web_search']);
    }
    const search = { type: 'web_search_20250305', name: 'web_search' };
    const messages = said('messages', 'chat', {
      max_tokens: 9,
      messages: [USER],
      tools: [search, { name: 'add', input_schema: { type: 'object' } }],
      tool_choice: { type: 'tool', name: 'web_search' },
    });
    expect(messages.fields).not.toHaveProperty('tool_choice');
    expect(messages.dropped).toEqual(['tool_choice', 'tools.web_search_20250305']);
  });
});

it('a grammar of free text is told, since it can not be enforced', () => {
  const grammar = { syntax: 'lark', definition: 'start: "x"' };
  const told = 'Patches.\n\nThe input must follow this lark grammar:\nstart: "x"';
  const custom = { name: 'patch', description: 'Patches.' };
  const responses = said('responses', 'messages', {
    input: 'Hi',
    tools: [{ type: 'custom', ...custom, format: { type: 'grammar', ...grammar } }],
  });
  const chat = said('chat', 'messages', {
    messages: [USER],
    tools: [{ type: 'custom', custom: { ...custom, format: { type: 'grammar', grammar } } }],
  });
  for (const { fields } of [responses, chat]) {
    expect(fields).toMatchObject({ tools: [{ name: 'patch', description: told }] });
  }
});
