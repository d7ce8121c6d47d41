import { inspect } from 'node:util';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { HumanMessage, ToolMessage, type AIMessageChunk } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, Output, stepCountIs, streamText, tool, type LanguageModel } from 'ai';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { json, startEvents, type Behaviour } from '../support/fake-backend.ts';
import { callChunks, chunk, completion, ending, overChat, type Scene } from './upstream.ts';

// It would say on the console that it does not know the model "m".
vi.stubGlobal('AI_SDK_LOG_WARNINGS', false);

const CITY = z.object({ city: z.string() });
const CALL = { id: 'call_1', name: 'get_weather', pieces: ['{"city":', '"Paris"}'] };

/** A backend that first calls the tool, and then says what came of it. */
function callsOnce(): Behaviour {
  let turn = 0;
  return ({ body }, response) => {
    turn += 1;
    const { stream } = JSON.parse(body.toString()) as { stream?: boolean };
    const calls = [{ id: 'call_1', type: 'function', function: CALLED }];
    if (stream !== true) {
      const message = turn === 1 ? { content: null, tool_calls: calls } : { content: 'It rains.' };
      json(response, 200, completion(message, turn === 1 ? 'tool_calls' : 'stop'));
      return;
    }
    startEvents(response);
    const chunks =
      turn === 1
        ? [chunk({ reasoning_content: 'Hm.' }), ...callChunks(0, CALL), ...ending('tool_calls')]
        : [chunk({ content: 'It ' }), chunk({ content: 'rains.' }), ...ending('stop')];
    const begun = [chunk({ role: 'assistant', content: '' }), ...chunks];
    const events = begun.map((one) => `data: ${JSON.stringify(one)}\n\n`);
    response.end(`${events.join('')}data: [DONE]\n\n`);
  };
}

const CALLED = { name: 'get_weather', arguments: '{"city":"Paris"}' };

async function weatherScene(): Promise<Scene> {
  const scene = await overChat({});
  scene.backend.behave = callsOnce();
  return scene;
}

const MODELS = {
  "OpenAI's chat completions": ({ gateway }) =>
    createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none' }).chat('m'),
  "OpenAI's Responses": ({ gateway }) =>
    createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none' })('m'),
  "Anthropic's Messages": ({ gateway }) =>
    createAnthropic({ baseURL: `${gateway.url}/v1`, apiKey: 'none' })('m'),
} satisfies Record<string, (scene: Scene) => LanguageModel>;

describe.each(Object.entries(MODELS))('the AI SDK by %s', (_, modelOf) => {
  const tools = {
    get_weather: tool({ inputSchema: CITY, execute: ({ city }) => `Rain in ${city}` }),
  };

  it('runs its loop of tools', async () => {
    const scene = await weatherScene();
    const options = { model: modelOf(scene), tools, maxRetries: 0, stopWhen: stepCountIs(3) };
    const { text, steps, totalUsage } = await generateText({ ...options, prompt: 'Weather?' });
    expect(text).toBe('It rains.');
    expect(steps[0]!.toolResults).toMatchObject([
      { input: { city: 'Paris' }, output: 'Rain in Paris' },
    ]);
    expect(totalUsage).toMatchObject({ inputTokens: 42, outputTokens: 14 });
    const messages = scene.asked()['messages'] as { role: string; content: unknown }[];
    expect(messages.at(-1)).toMatchObject({ role: 'tool', content: 'Rain in Paris' });
  });

  it('runs it over streams', async () => {
    const scene = await weatherScene();
    const options = { model: modelOf(scene), tools, maxRetries: 0, stopWhen: stepCountIs(3) };
    const result = streamText({ ...options, prompt: 'Weather?' });
    let text = '';
    for await (const delta of result.textStream) text += delta;
    expect(text).toBe('It rains.');
    expect(await result.finishReason).toBe('stop');
    expect((await result.steps)[0]!.toolCalls).toMatchObject([
      { toolName: 'get_weather', input: { city: 'Paris' } },
    ]);
    expect((await result.totalUsage).inputTokens).toBe(42);
  });

  it('gets an object of a schema', async () => {
    const scene = await overChat(completion({ content: '{"city":"Paris"}' }));
    const { output } = await generateText({
      model: modelOf(scene),
      output: Output.object({ schema: CITY }),
      prompt: 'Which city?',
      maxRetries: 0,
    });
    expect(output).toEqual({ city: 'Paris' });
  });

  it('understands errors, before a stream and within it', async () => {
    const scene = await overChat({});
    scene.backend.behave = (_received, response) =>
      json(response, 400, { error: { message: 'Too long', code: 'context_length_exceeded' } });
    const asked = { model: modelOf(scene), prompt: 'Hi', maxRetries: 0 };
    await expect(generateText(asked)).rejects.toMatchObject({
      statusCode: 400,
      message: expect.stringContaining('Too long') as string,
    });
    scene.backend.behave = (_received, response) => {
      startEvents(response);
      response.end(
        `data: ${JSON.stringify(chunk({ content: 'Half' }))}\n\ndata: {"error":{"message":"Out of memory"}}\n\n`,
      );
    };
    const errors: unknown[] = [];
    const broken = streamText({ ...asked, onError: ({ error }) => void errors.push(error) });
    let text = '';
    for await (const delta of broken.textStream) text += delta;
    expect(text).toBe('Half');
    expect(inspect(errors)).toContain('Out of memory');
  });
});

describe.each([
  ['chat completions', false],
  ['Responses', true],
])("LangChain's OpenAI class by %s", (_, useResponsesApi) => {
  function model({ gateway }: Scene): ChatOpenAI {
    const configuration = { baseURL: `${gateway.url}/v1` };
    return new ChatOpenAI({
      model: 'm',
      apiKey: 'none',
      maxRetries: 0,
      configuration,
      useResponsesApi,
    });
  }
  const weather = { name: 'get_weather', description: 'Get weather', schema: CITY };

  it('calls a tool and answers it', async () => {
    const scene = await weatherScene();
    const bound = model(scene).bindTools([weather]);
    const ask = new HumanMessage('Weather?');
    const called = await bound.invoke([ask]);
    expect(called.tool_calls).toMatchObject([
      { id: 'call_1', name: 'get_weather', args: { city: 'Paris' } },
    ]);
    const result = new ToolMessage({ tool_call_id: 'call_1', content: 'Rain' });
    const said = await bound.invoke([ask, called, result]);
    expect(said.text).toBe('It rains.');
    expect(said.usage_metadata).toMatchObject({ input_tokens: 21, output_tokens: 7 });
  });

  it('streams, calls included', async () => {
    const scene = await weatherScene();
    const bound = model(scene).bindTools([weather]);
    const first = await whole(await bound.stream('Weather?'));
    expect(first.tool_calls).toMatchObject([{ name: 'get_weather', args: { city: 'Paris' } }]);
    const second = await whole(await bound.stream('And?'));
    expect(second.text).toBe('It rains.');
    expect(second.usage_metadata).toMatchObject({ input_tokens: 21, output_tokens: 7 });
  });

  it('gets an object of a schema', async () => {
    const scene = await overChat(completion({ content: '{"city":"Paris"}' }));
    const structured = model(scene).withStructuredOutput(CITY, { method: 'jsonSchema' });
    expect(await structured.invoke('Which city?')).toEqual({ city: 'Paris' });
    expect(scene.asked()).toMatchObject({ response_format: { type: 'json_schema' } });
  });
});

async function whole(stream: AsyncIterable<AIMessageChunk>): Promise<AIMessageChunk> {
  let message: AIMessageChunk | undefined;
  for await (const part of stream) message = message ? message.concat(part) : part;
  return message!;
}
