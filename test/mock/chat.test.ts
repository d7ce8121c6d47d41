import { describe, expect, test } from 'vitest';
import { client, dataOf, post, started } from './started.ts';

const MODEL = 'mock-chat';
const USER = { role: 'user' as const, content: 'What is a proxy?' };
const SAID = 'This is the mock model mock-chat. You said: What is a proxy?';
const WEATHER = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { enum: ['celsius', 'fahrenheit'] } },
      required: ['city', 'unit'],
    },
  },
};
const TIME = { type: 'function' as const, function: { name: 'get_time' } };

describe('chat', () => {
  test('says who it is and what it was told', async () => {
    const openai = await client();
    const { choices, usage, ...rest } = await openai.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'system', content: 'Be brief.' }, USER],
    });
    expect(rest).toMatchObject({ object: 'chat.completion', model: MODEL });
    expect(choices).toHaveLength(1);
    expect(choices[0]).toMatchObject({
      index: 0,
      message: { role: 'assistant', content: SAID },
      finish_reason: 'stop',
    });
    expect(usage!.total_tokens).toBe(usage!.prompt_tokens + usage!.completion_tokens);
    expect(usage!.completion_tokens).toBeGreaterThan(10);
  });

  test('gives the same answer to the same call', async () => {
    const openai = await client();
    const ask = async (): Promise<unknown> =>
      (await openai.chat.completions.create({ model: MODEL, messages: [USER] })).choices;
    expect(await ask()).toEqual(await ask());
  });

  test('streams the same text, in OpenAI’s order of chunks', async () => {
    const { url } = await started();
    const response = await post(`${url}/v1/chat/completions`, {
      model: MODEL,
      messages: [USER],
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = dataOf(await response.text());
    expect(events.pop()).toBe('[DONE]');
    interface Chunk {
      readonly choices: { delta: { role?: string; content?: string }; finish_reason: unknown }[];
      readonly usage: { completion_tokens: number } | null;
    }
    const chunks = events.map((data) => JSON.parse(data) as Chunk);
    const last = chunks.pop()!;
    expect(last.choices).toEqual([]);
    expect(last.usage!.completion_tokens).toBe(chunks.length - 2);
    expect(chunks.every((chunk) => chunk.usage === null)).toBe(true);
    expect(chunks[0]!.choices[0]!.delta).toMatchObject({ role: 'assistant', content: '' });
    expect(chunks.at(-1)!.choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' });
    expect(chunks.map((chunk) => chunk.choices[0]!.delta.content ?? '').join('')).toBe(SAID);
  });

  test('says nothing of usage in a stream that was not asked for it', async () => {
    const { url } = await started();
    const body = { model: MODEL, messages: [USER], stream: true };
    const text = await (await post(`${url}/v1/chat/completions`, body)).text();
    expect(text).not.toContain('usage');
  });

  test('streams to the official client', async () => {
    const openai = await client();
    const stream = openai.chat.completions.stream({ model: MODEL, messages: [USER], n: 2 });
    const { choices } = await stream.finalChatCompletion();
    expect(choices.map((choice) => choice.message.content)).toEqual([SAID, SAID]);
  });

  test('ends at max_tokens, and says so', async () => {
    const openai = await client();
    for (const limit of [{ max_tokens: 3 }, { max_completion_tokens: 3 }]) {
      const { choices, usage } = await openai.chat.completions.create({
        model: MODEL,
        messages: [USER],
        ...limit,
      });
      expect(choices[0]).toMatchObject({
        message: { content: 'This is the' },
        finish_reason: 'length',
      });
      expect(usage!.completion_tokens).toBe(3);
    }
  });

  test('ends before a stop word', async () => {
    const openai = await client();
    const { choices } = await openai.chat.completions.create({
      model: MODEL,
      messages: [USER],
      stop: ['proxy', 'You'],
    });
    expect(choices[0]).toMatchObject({
      message: { content: 'This is the mock model mock-chat. ' },
      finish_reason: 'stop',
    });
  });

  test('acknowledges images', async () => {
    const openai = await client();
    const image = { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AA==' } };
    const { choices } = await openai.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Compare' }, image, image] }],
    });
    expect(choices[0]!.message.content).toContain('I received 2 images. You said: Compare');
  });

  test('repeats only the beginning of a long message', async () => {
    const openai = await client();
    const { choices } = await openai.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: '😀'.repeat(100_000) }],
    });
    const content = choices[0]!.message.content!;
    expect(content.length).toBeLessThan(1000);
    expect(content).toMatch(/😀…$/u);
    expect(content).not.toMatch(/\p{Surrogate}/u);
  });
});

describe('tools', () => {
  test('are called with arguments that are valid for their schema', async () => {
    const openai = await client();
    const { choices } = await openai.chat.completions.create({
      model: MODEL,
      messages: [USER],
      tools: [WEATHER, TIME],
    });
    expect(choices[0]!.finish_reason).toBe('tool_calls');
    expect(choices[0]!.message.content).toBeNull();
    const [call] = choices[0]!.message.tool_calls!;
    expect(call).toMatchObject({ type: 'function', function: { name: 'get_weather' } });
    const { arguments: args } = (call as { function: { arguments: string } }).function;
    expect(JSON.parse(args)).toEqual({ city: 'mock city', unit: 'celsius' });
  });

  test('are called in a stream too, their arguments in fragments', async () => {
    const openai = await client();
    const stream = openai.chat.completions.stream({
      model: MODEL,
      messages: [USER],
      tools: [WEATHER],
    });
    let fragments = 0;
    stream.on('chunk', (chunk) => {
      if (chunk.choices[0]?.delta.tool_calls?.[0]?.function?.arguments) fragments++;
    });
    const { choices } = await stream.finalChatCompletion();
    expect(fragments).toBeGreaterThan(1);
    expect(choices[0]!.message.tool_calls).toEqual([
      {
        id: expect.stringMatching(/^call-/) as string,
        type: 'function',
        function: {
          name: 'get_weather',
          arguments: '{"city":"mock city","unit":"celsius"}',
        },
      },
    ]);
  });

  test('have had their say after their result', async () => {
    const openai = await client();
    const { choices } = await openai.chat.completions.create({
      model: MODEL,
      tools: [WEATHER],
      messages: [
        USER,
        {
          role: 'assistant',
          tool_calls: [
            { id: 'call-1', type: 'function', function: { name: 'get_weather', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call-1', content: '21 degrees' },
      ],
    });
    expect(choices[0]).toMatchObject({
      message: { content: 'This is the mock model mock-chat. The tool answered: 21 degrees' },
      finish_reason: 'stop',
    });
  });

  test('are chosen by tool_choice', async () => {
    const openai = await client();
    const ask = async (tool_choice: 'none' | 'required' | typeof TIME): Promise<string> => {
      const { choices } = await openai.chat.completions.create({
        model: MODEL,
        messages: [USER],
        tools: [WEATHER, TIME],
        tool_choice,
      });
      const call = choices[0]!.message.tool_calls?.[0] as { function: { name: string } };
      return call?.function.name ?? choices[0]!.message.content!;
    };
    expect(await ask('none')).toBe(SAID);
    expect(await ask('required')).toBe('get_weather');
    expect(await ask(TIME)).toBe('get_time');
    const unknown = { type: 'function' as const, function: { name: 'get_lost' } };
    await expect(ask(unknown)).rejects.toMatchObject({ status: 400, param: 'tool_choice' });
  });
});

describe('response_format', () => {
  test('json_object is answered with an object', async () => {
    const openai = await client();
    const { choices } = await openai.chat.completions.create({
      model: MODEL,
      messages: [USER],
      response_format: { type: 'json_object' },
    });
    expect(JSON.parse(choices[0]!.message.content!)).toEqual({
      model: MODEL,
      answer: 'You said: What is a proxy?',
    });
  });

  test('json_schema is answered with what is valid for it', async () => {
    const openai = await client();
    const { choices } = await openai.chat.completions.create({
      model: MODEL,
      messages: [USER],
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'person',
          strict: true,
          schema: {
            type: 'object',
            properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 18 } },
            required: ['name', 'age'],
            additionalProperties: false,
          },
        },
      },
    });
    expect(JSON.parse(choices[0]!.message.content!)).toEqual({ name: 'mock name', age: 18 });
  });

  test('another is refused', async () => {
    const { url } = await started();
    const body = { model: MODEL, messages: [USER], response_format: { type: 'xml' } };
    const response = await post(`${url}/v1/chat/completions`, body);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('response_format.type');
  });
});

describe('completions', () => {
  test('continue each prompt', async () => {
    const openai = await client();
    const { choices, usage } = await openai.completions.create({
      model: MODEL,
      prompt: ['Once', 'Twice'],
      n: 2,
    });
    expect(choices.map((choice) => choice.text)).toEqual([
      ' This is the mock model mock-chat. You wrote: Once',
      ' This is the mock model mock-chat. You wrote: Once',
      ' This is the mock model mock-chat. You wrote: Twice',
      ' This is the mock model mock-chat. You wrote: Twice',
    ]);
    expect(choices.map((choice) => choice.index)).toEqual([0, 1, 2, 3]);
    expect(usage!.prompt_tokens).toBe(2);
  });

  test('stream', async () => {
    const openai = await client();
    const stream = await openai.completions.create({
      model: MODEL,
      prompt: 'Once',
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 4,
    });
    let text = '';
    let reason = '';
    let used = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.text ?? '';
      reason = chunk.choices[0]?.finish_reason ?? reason;
      used = chunk.usage?.completion_tokens ?? used;
    }
    expect({ text, reason, used }).toEqual({
      text: ' This is the mock',
      reason: 'length',
      used: 4,
    });
  });
});
