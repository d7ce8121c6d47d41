import type { Call } from './call.ts';
import { MockError } from './error.ts';
import { choice, flag, record, wholeNumber, type Fields } from './fields.ts';
import { introduction, limited, quote, tokens, type Limits } from './prose.ts';
import { sample } from './sample.ts';
import { toolCall, type ToolCall } from './tools.ts';

/** What one choice of the answer says. */
interface Turn {
  readonly pieces: readonly string[];
  readonly call?: ToolCall;
  readonly reason: string;
}

/** `POST /v1/chat/completions` */
export async function chat(call: Call): Promise<void> {
  const messages = readMessages(call.fields);
  const turn = answer(call, messages);
  const choices = wholeNumber(call.fields, 'n', { min: 1, max: 128 }) ?? 1;
  const said = turn.pieces.length * choices;
  const usage = usageOf(promptTokens(call.fields, messages), said);
  if (flag(call.fields, 'stream')) return stream(call, { turn, choices, usage });

  await call.pace.first();
  await call.pace.tokens(said);
  const message = turn.call
    ? { role: 'assistant', content: null, refusal: null, tool_calls: [turn.call.whole] }
    : { role: 'assistant', content: turn.pieces.join(''), refusal: null };
  call.reply.json({
    id: call.id('chatcmpl'),
    object: 'chat.completion',
    created: call.created,
    model: call.model,
    choices: Array.from({ length: choices }, (_, index) => ({
      index,
      message,
      logprobs: null,
      finish_reason: turn.reason,
    })),
    usage,
  });
}

interface Streamed {
  readonly turn: Turn;
  readonly choices: number;
  readonly usage: unknown;
}

async function stream(call: Call, { turn, choices, usage }: Streamed): Promise<void> {
  const withUsage = flag(record(call.fields['stream_options']), 'include_usage');
  const head = {
    id: call.id('chatcmpl'),
    object: 'chat.completion.chunk',
    created: call.created,
    model: call.model,
  };
  const events = call.reply.events();
  const send = (index: number, delta: unknown, reason: string | null): Promise<void> =>
    events.send({
      ...head,
      choices: [{ index, delta, logprobs: null, finish_reason: reason }],
      ...(withUsage && { usage: null }),
    });

  await call.pace.first();
  const opening = turn.call
    ? { role: 'assistant', content: null, tool_calls: [turn.call.opening] }
    : { role: 'assistant', content: '', refusal: null };
  for (let index = 0; index < choices; index++) await send(index, opening, null);
  for (const [at, piece] of turn.pieces.entries()) {
    if (at > 0) await call.pace.tokens(choices);
    const delta = turn.call ? { tool_calls: [turn.call.fragment(piece)] } : { content: piece };
    for (let index = 0; index < choices; index++) await send(index, delta, null);
  }
  for (let index = 0; index < choices; index++) await send(index, {}, turn.reason);
  if (withUsage) await events.send({ ...head, choices: [], usage });
  await events.send('[DONE]');
  events.end();
}

/** Token counts in OpenAI's shape. */
export function usageOf(prompt: number, completion: number): unknown {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  };
}

/** @returns `max_tokens` and `stop` as the client set them. */
export function readLimits(fields: Fields): Limits {
  const range = { min: 1, max: 1_000_000 };
  const stop = fields['stop'];
  return {
    max:
      wholeNumber(fields, 'max_completion_tokens', range) ??
      wholeNumber(fields, 'max_tokens', range),
    stop: (Array.isArray(stop) ? (stop as unknown[]) : [stop]).filter(
      (word): word is string => typeof word === 'string' && word !== '',
    ),
  };
}

function readMessages(fields: Fields): readonly Fields[] {
  const messages = fields['messages'];
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new MockError(400, "'messages' must be a list of at least one message.", {
      param: 'messages',
      code: 'invalid_value',
    });
  }
  return (messages as unknown[]).map((message, index) => {
    const own = record(message);
    if (typeof own['role'] === 'string') return own;
    throw new MockError(400, `'messages[${index}]' must be an object with a 'role'.`, {
      param: `messages[${index}]`,
      code: 'invalid_value',
    });
  });
}

function answer(call: Call, messages: readonly Fields[]): Turn {
  const tool = toolCall(call.fields, messages, () => call.id('call'));
  if (tool) return { pieces: tokens(tool.text), call: tool, reason: tool.reason };
  return limited(spoken(call, messages), readLimits(call.fields));
}

function spoken(call: Call, messages: readonly Fields[]): string {
  const format = record(call.fields['response_format']);
  const said = quote(textOf(lastOf(messages, 'user')));
  const wanted = { 'response_format.type': format['type'] };
  switch (choice(wanted, 'response_format.type', ['text', 'json_object', 'json_schema'])) {
    case 'json_object':
      return JSON.stringify({ model: call.model, answer: `You said: ${said}` });
    case 'json_schema':
      return JSON.stringify(sample(record(format['json_schema'])['schema']));
    case 'text':
      return [introduction(call.model), ...sentences(messages, said)].join(' ');
  }
}

function sentences(messages: readonly Fields[], said: string): string[] {
  const last = messages.at(-1);
  if (last?.['role'] === 'tool' || last?.['role'] === 'function') {
    return [`The tool answered: ${quote(textOf(last))}`];
  }
  const user = lastOf(messages, 'user');
  const images = count(partsOf(user, 'image_url'), 'image');
  const sounds = count(partsOf(user, 'input_audio'), 'audio clip');
  const files = count(partsOf(user, 'file'), 'file');
  const came = [images, sounds, files].filter(Boolean).join(' and ');
  return [
    ...(came ? [`I received ${came}.`] : []),
    said ? `You said: ${said}` : 'You said nothing.',
  ];
}

function count(number: number, noun: string): string {
  if (number === 0) return '';
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`;
}

function lastOf(messages: readonly Fields[], role: string): Fields | undefined {
  return messages.findLast((message) => message['role'] === role);
}

function partsOf(message: Fields | undefined, type: string): number {
  const content = message?.['content'];
  return Array.isArray(content)
    ? (content as unknown[]).filter((part) => record(part)['type'] === type).length
    : 0;
}

function textOf(message: Fields | undefined): string {
  const content = message?.['content'];
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return (content as unknown[])
    .map((part) => record(part)['text'])
    .filter((text) => typeof text === 'string')
    .join(' ');
}

function promptTokens(fields: Fields, messages: readonly Fields[]): number {
  const text = messages.map(textOf).join('\n');
  const tools = fields['tools'] === undefined ? '' : JSON.stringify(fields['tools']);
  // Every message costs a few tokens of framing.
  return tokens(text).length + tokens(tools).length + messages.length * 4;
}
