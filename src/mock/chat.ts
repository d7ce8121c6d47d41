import type { Call } from './call.ts';
import { MockError } from './error.ts';
import { choice, flag, record, wholeNumber, type Fields } from './fields.ts';
import { textOf, type Played } from './player.ts';
import { introduction, limited, quote, tokens, type Limits } from './prose.ts';
import { sample } from './sample.ts';
import type { ScriptUsage } from './script.ts';
import { scriptedCall, toolCall, type ToolCall } from './tools.ts';

/** What one choice of the answer says, in tokens. */
interface Turn {
  readonly reasoning: readonly string[];
  readonly text: readonly string[];
  readonly calls: readonly ToolCall[];
  readonly reason: string;
  readonly usage: ScriptUsage;
  /** Tokens after which the connection breaks; absent: it does not. */
  readonly breakAfter?: number;
}

/** `POST /v1/chat/completions` */
export async function chat(call: Call): Promise<void> {
  const messages = readMessages(call.fields);
  const played = call.script?.next(call.model, call.fields, messages);
  const turn = played === undefined ? answer(call, messages) : scripted(call, played);
  if (!turn) return;
  const choices = wholeNumber(call.fields, 'n', { min: 1, max: 128 }) ?? 1;
  const counted = { prompt: promptTokens(call.fields, messages), said: lengthOf(turn) * choices };
  const usage = usageOf(counted.prompt, counted.said, turn.usage);
  const pace =
    typeof played === 'object' && played.kind === 'spoken' ? call.repace(played.speed) : call.pace;
  if (flag(call.fields, 'stream')) return stream({ ...call, pace }, { turn, choices, usage });

  await pace.first();
  await pace.tokens(counted.said);
  if (turn.breakAfter !== undefined) return call.reply.breakOff();
  const { reasoning, text, calls } = turn;
  const message = {
    role: 'assistant',
    content: text.length > 0 || calls.length === 0 ? text.join('') : null,
    refusal: null,
    ...(reasoning.length > 0 && { reasoning_content: reasoning.join('') }),
    ...(calls.length > 0 && { tool_calls: calls.map(({ whole }) => whole) }),
  };
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
  const send = async (delta: unknown, reason: string | null = null): Promise<void> => {
    for (let index = 0; index < choices; index++) {
      await events.send({
        ...head,
        choices: [{ index, delta, logprobs: null, finish_reason: reason }],
        ...(withUsage && { usage: null }),
      });
    }
  };

  await call.pace.first();
  let sent = 0;
  for (const { delta, isToken } of deltas(turn)) {
    if (isToken && sent === turn.breakAfter) return call.reply.breakOff();
    if (isToken && sent++ > 0) await call.pace.tokens(choices);
    await send(delta);
  }
  if (turn.breakAfter !== undefined) return call.reply.breakOff();
  await send({}, turn.reason);
  if (withUsage) await events.send({ ...head, choices: [], usage });
  await events.send('[DONE]');
  events.end();
}

/** The pieces of a stream in their order: what is thought, said, and called. */
function* deltas({
  reasoning,
  text,
  calls,
}: Turn): Generator<{ delta: unknown; isToken: boolean }> {
  const [first, ...others] = calls;
  // A turn that only calls opens with its call, as OpenAI's do.
  const bare = first !== undefined && text.length === 0 && reasoning.length === 0;
  const opening = {
    role: 'assistant',
    content: bare ? null : '',
    refusal: bare ? undefined : null,
  };
  yield {
    delta: bare ? { ...opening, tool_calls: [first.opening(0)] } : opening,
    isToken: false,
  };
  for (const piece of reasoning) yield { delta: { reasoning_content: piece }, isToken: true };
  for (const content of text) yield { delta: { content }, isToken: true };
  for (const [index, call] of [...(first ? [first] : []), ...others].entries()) {
    if (!bare || index > 0) yield { delta: { tool_calls: [call.opening(index)] }, isToken: false };
    for (const piece of tokens(call.text))
      yield { delta: { tool_calls: [call.fragment(index, piece)] }, isToken: true };
  }
}

function lengthOf({ reasoning, text, calls }: Turn): number {
  const called = calls.reduce((sum, call) => sum + tokens(call.text).length, 0);
  return reasoning.length + text.length + called;
}

/**
 * Does what the script says.
 * @returns `undefined` for a call that is never answered.
 */
function scripted(call: Call, played: Played): Turn | undefined {
  if (played === 'ended') {
    const text = tokens('The script ends here.');
    return { reasoning: [], text, calls: [], reason: 'stop', usage: {} };
  }
  if (played.kind === 'failing') {
    if (!played.error) return undefined;
    const { status, message, code, retryAfter } = played.error;
    throw new MockError(status, message, { code, ...(retryAfter !== undefined && { retryAfter }) });
  }
  const calls = played.tools.map(({ names, text, id }) =>
    scriptedCall(call.fields, { names, text, id: id ?? call.id('call') }),
  );
  return {
    reasoning: tokens(played.reasoning),
    text: tokens(played.text),
    calls,
    reason: played.finish ?? (calls.length > 0 ? 'tool_calls' : 'stop'),
    usage: played.usage,
    ...(played.breakAfter !== undefined && { breakAfter: played.breakAfter }),
  };
}

/** Token counts in OpenAI's shape. */
export function usageOf(prompt: number, completion: number, wanted: ScriptUsage = {}): unknown {
  const [input, output] = [wanted.prompt ?? prompt, wanted.completion ?? completion];
  const { cached, reasoning } = wanted;
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    ...(cached !== undefined && { prompt_tokens_details: { cached_tokens: cached } }),
    ...(reasoning !== undefined && {
      completion_tokens_details: { reasoning_tokens: reasoning },
    }),
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
  if (tool) return { reasoning: [], text: [], calls: [tool], reason: tool.reason, usage: {} };
  const { pieces, reason } = limited(spoken(call, messages), readLimits(call.fields));
  return { reasoning: [], text: pieces, calls: [], reason, usage: {} };
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

function promptTokens(fields: Fields, messages: readonly Fields[]): number {
  const text = messages.map(textOf).join('\n');
  const tools = fields['tools'] === undefined ? '' : JSON.stringify(fields['tools']);
  // Every message costs a few tokens of framing.
  return tokens(text).length + tokens(tools).length + messages.length * 4;
}
