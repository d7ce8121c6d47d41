import { readFileSync } from 'node:fs';
import type OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readScript, ScriptMistake } from '../../src/mock/script.ts';
import { client, dataOf, post, started } from './started.ts';

const MODEL = 'mock-chat';
type Message = OpenAI.Chat.ChatCompletionMessageParam;
const USER: Message = { role: 'user', content: 'Write hello.txt' };
const TOOL = (name: string): OpenAI.Chat.ChatCompletionTool => ({
  type: 'function',
  function: { name, parameters: { type: 'object' } },
});

const script = (text: string): { script: ReturnType<typeof readScript> } => ({
  script: readScript(parse(text)),
});

/** Plays all turns by which a client that calls its tools would come to the end. */
async function converse(
  openai: OpenAI,
  tools: OpenAI.Chat.ChatCompletionTool[] = [],
): Promise<OpenAI.Chat.ChatCompletionMessage[]> {
  const messages: Message[] = [USER];
  const said: OpenAI.Chat.ChatCompletionMessage[] = [];
  for (let turn = 0; turn < 10; turn++) {
    const { choices } = await openai.chat.completions.create({ model: MODEL, messages, tools });
    const { message, finish_reason } = choices[0]!;
    said.push(message);
    messages.push(message);
    if (finish_reason !== 'tool_calls') break;
    for (const { id } of message.tool_calls ?? [])
      messages.push({ role: 'tool', tool_call_id: id, content: 'ok' });
  }
  return said;
}

describe('a script', () => {
  test('is played turn by turn, as far as the conversation has come', async () => {
    const openai = await client(
      script(`
- text: I will.
  tools:
    - { name: [Write, write], arguments: { path: hello.txt } }
    - { name: bash, arguments: { command: ls }, id: mine }
- tools: [{ name: bash, arguments: '{"command": ' }]
- Done.
`),
    );
    const said = await converse(openai, [TOOL('bash'), TOOL('write')]);
    expect(said).toMatchObject([
      {
        content: 'I will.',
        tool_calls: [
          { function: { name: 'write', arguments: '{"path":"hello.txt"}' } },
          { id: 'mine', function: { name: 'bash', arguments: '{"command":"ls"}' } },
        ],
      },
      { content: null, tool_calls: [{ function: { arguments: '{"command": ' } }] },
      { content: 'Done.' },
    ]);
  });

  test('streams the same', async () => {
    const openai = await client(
      script(`
- reasoning: Let me think.
  text: I will.
  tools: [{ name: a, arguments: { x: 1 } }, { name: b, arguments: { y: 2 } }]
  usage: { prompt: 900, completion: 70, cached: 600, reasoning: 50 }
`),
    );
    const stream = openai.chat.completions.stream({
      model: MODEL,
      messages: [USER],
      tools: [TOOL('a'), TOOL('b')],
      stream_options: { include_usage: true },
    });
    let reasoning = '';
    stream.on('chunk', ({ choices }) => {
      const delta = choices[0]?.delta as { reasoning_content?: string } | undefined;
      reasoning += delta?.reasoning_content ?? '';
    });
    const { choices, usage } = await stream.finalChatCompletion();
    expect(reasoning).toBe('Let me think.');
    expect(choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'I will.',
        tool_calls: [
          { function: { name: 'a', arguments: '{"x":1}' } },
          { function: { name: 'b', arguments: '{"y":2}' } },
        ],
      },
    });
    expect(usage).toEqual({
      prompt_tokens: 900,
      completion_tokens: 70,
      total_tokens: 970,
      prompt_tokens_details: { cached_tokens: 600 },
      completion_tokens_details: { reasoning_tokens: 50 },
    });
  });

  test('counts several messages of the assistant’s in a row as one turn', async () => {
    const openai = await client(script('[one, two, three]'));
    const ask = async (...messages: Message[]): Promise<unknown> =>
      (await openai.chat.completions.create({ model: MODEL, messages: [USER, ...messages] }))
        .choices[0]!.message.content;
    const said = (content: string): Message => ({ role: 'assistant', content });
    expect(await ask()).toBe('one');
    expect(await ask(said('o'), said('ne'), USER)).toBe('two');
    expect(await ask(said('one'), USER, said('two'), USER)).toBe('three');
    expect(await ask(said('one'), USER, said('two'), USER, said('three'), USER)).toBe(
      'The script ends here.',
    );
  });

  test('is for calls that fit it', async () => {
    const openai = await client(
      script(`
conversations:
  - { when: { tools: bash }, turns: [bash] }
  - { when: { tools: true, user: hello }, turns: [tools] }
  - { when: { system: title, tools: false }, turns: [title] }
  - { when: { model: '*-x' }, turns: [x] }
`),
    );
    const ask = async (more: object): Promise<unknown> => {
      const call = { model: MODEL, messages: [USER], ...more };
      return (await openai.chat.completions.create(call)).choices[0]!.message.content;
    };
    expect(await ask({ tools: [TOOL('a'), TOOL('bash')] })).toBe('bash');
    expect(await ask({ tools: [TOOL('a')] })).toBe('tools');
    const system: Message = { role: 'system', content: [{ type: 'text', text: 'a title' }] };
    expect(await ask({ messages: [system, USER] })).toBe('title');
    expect(await ask({})).toContain('This is the mock model');
  });

  test('fails as often as it says, in each conversation', async () => {
    const { url } = await started(
      script(`
- { error: { status: 529, message: Overloaded, code: busy, retryAfter: 2 }, times: 2 }
- one
- error: 503
- two
`),
    );
    const ask = async (...messages: Message[]): Promise<[number, unknown]> => {
      const response = await post(`${url}/v1/chat/completions`, { model: MODEL, messages });
      const { choices, error } = (await response.json()) as {
        choices?: { message: Message }[];
        error?: unknown;
      };
      if (response.status === 529) expect(response.headers.get('retry-after')).toBe('2');
      return [response.status, choices?.[0]!.message.content ?? error];
    };
    const busy = { message: 'Overloaded', type: 'server_error', param: null, code: 'busy' };
    const other: Message = { role: 'user', content: 'Another' };
    expect(await ask(USER)).toEqual([529, busy]);
    expect(await ask(USER)).toEqual([529, busy]);
    expect(await ask(USER)).toEqual([200, 'one']);
    expect(await ask(USER)).toEqual([200, 'one']);
    expect((await ask(other))[0]).toBe(529);
    const more: Message[] = [USER, { role: 'assistant', content: 'one' }, USER];
    expect((await ask(...more))[0]).toBe(503);
    expect(await ask(...more)).toEqual([200, 'two']);
    // Somebody begins anew with the same words.
    expect((await ask(USER))[0]).toBe(529);
  });

  test('breaks off, or hangs', async () => {
    const { url } = await started(script('[{ text: a b c d, breakAfter: 2 }, { hang: true }]'));
    const ask = (stream: boolean, ...messages: unknown[]): Promise<Response> =>
      post(`${url}/v1/chat/completions`, { model: MODEL, stream, messages: [USER, ...messages] });
    const broken = await ask(true);
    const received: string[] = [];
    const read = async (): Promise<void> => {
      for await (const chunk of broken.body!.pipeThrough(new TextDecoderStream()))
        received.push(...dataOf(chunk));
    };
    await expect(read()).rejects.toThrow();
    expect(received.map((data) => data.match(/"content":"(.*?)"/)?.[1])).toEqual(['', 'a', ' b']);
    await expect(ask(false)).rejects.toThrow();
    const silence = new Promise((resolve) => setTimeout(resolve, 150, 'silence'));
    const hung = ask(false, { role: 'assistant', content: 'a' }, USER).catch(() => 'broken off');
    expect(await Promise.race([hung, silence])).toBe('silence');
  });

  test('has a pace for a turn', async () => {
    const openai = await client(script('[{ text: slow, ttft: 150ms }]'));
    const began = performance.now();
    await openai.chat.completions.create({ model: MODEL, messages: [USER] });
    expect(performance.now() - began).toBeGreaterThanOrEqual(145);
  });

  test('refuses a client without its tools, and names those it has', async () => {
    const openai = await client(script('[{ tools: [{ name: [a, b] }] }]'));
    const call = { model: MODEL, messages: [USER], tools: [TOOL('c')] };
    await expect(openai.chat.completions.create(call)).rejects.toThrow(
      'The script calls the tool a or b, and the client offers c.',
    );
  });

  test('calls a custom tool with its input', async () => {
    const { url } = await started(script('[{ tools: [{ name: patch, arguments: "*** Begin" }] }]'));
    const tools = [{ type: 'custom', custom: { name: 'patch' } }];
    const body = { model: MODEL, messages: [USER], tools };
    const answer = await (await post(`${url}/v1/chat/completions`, body)).json();
    expect(answer).toMatchObject({
      choices: [{ message: { tool_calls: [{ custom: { name: 'patch', input: '*** Begin' } }] } }],
    });
  });
});

describe('a script with a mistake', () => {
  test.each([
    ['text', 'the script', 'must be a block of keys'],
    ['[]', '', 'must be a list with something in it'],
    ['[{ txt: a }]', '0.txt', 'is unknown; known: text, reasoning'],
    ['[{ text: [a] }]', '0.text', 'must be text'],
    ['[{ error: 200 }]', '0.error.status', 'must be a whole number from 400 to 599'],
    ['[{ hang: maybe }]', '0.hang', 'must be true'],
    ['[{ error: 500, text: a }]', '0.text', 'is unknown; known: error, hang, times'],
    ['[{ tools: [{ arguments: {} }] }]', '0.tools.0.name', 'must be the name of a tool'],
    ['[{ text: a, ttft: soon }]', '0.ttft', 'must be a duration like 300ms or 2s'],
    [
      '[{ text: a, usage: { prompt: -1 } }]',
      '0.usage.prompt',
      'must be a whole number of 0 or more',
    ],
    ['{ turns: [a], wen: {} }', 'wen', 'is unknown; known: when, turns'],
    [
      '{ conversations: [{ when: { moon: x }, turns: [a] }] }',
      'conversations.0.when.moon',
      'is unknown',
    ],
  ])('is refused: %s', (text, path, message) => {
    let mistake: unknown;
    try {
      readScript(parse(text));
    } catch (error) {
      mistake = error;
    }
    expect(mistake).toBeInstanceOf(ScriptMistake);
    expect((mistake as ScriptMistake).message).toContain(message);
    if (path !== 'the script') expect((mistake as ScriptMistake).path.join('.')).toBe(path);
  });
});

test('the scripts in the docs are right', () => {
  const page = readFileSync(new URL('../../docs/mock.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/```yaml\n([\s\S]+?)```/g)].map(([, text = '']) => text);
  expect(blocks).toHaveLength(2);
  for (const block of blocks) {
    for (const document of parseAllDocuments(block)) {
      expect(() => readScript(document.toJS())).not.toThrow();
    }
  }
});
