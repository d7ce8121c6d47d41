import { createHash } from 'node:crypto';
import type { JsonObject } from '../../adapters/json.ts';
import { estimateTokens } from '../../gateway/protect/token-estimate.ts';
import { signed } from '../call-signature.ts';
import type { Addressee, Draft } from '../dialect.ts';
import { addressOf } from '../media.ts';
import type {
  AssistantPart,
  ContentPart,
  Effort,
  Format,
  Prompt,
  ResultPart,
  Tool,
  ToolChoice,
} from '../prompt.ts';
import { inlineText, isResult, joined, splitResult, systemFirst, textOf } from '../turns.ts';

/** OpenAI's models that reason: they want the newer name of the limit, and take no temperature. */
const REASONING_MODEL = /(^|\/)(o\d|gpt-[5-9])(?!.*chat)/;
/** OpenAI's models, which take system messages anywhere. */
const OPENAI_MODEL = /(^|\/)(gpt-|chatgpt-|o\d)/;
/** OpenAI takes no longer `user`. */
const LONGEST_USER = 64;
/** A prompt may well have this many times the tokens that are guessed. */
const ESTIMATE_MARGIN = 1.3;

/** Writes a prompt as a request of OpenAI's chat completions. */
export function writeRequest(prompt: Prompt, addressee: Addressee): Draft {
  const draft = new ChatDraft(addressee, prompt.dropped);
  const { tools, toolChoice, stream } = prompt;
  draft.set('messages', messagesOf(prompt, draft));
  if (tools.length > 0) {
    draft.set('tools', tools.map(toolOf));
    if (toolChoice !== undefined) draft.set('tool_choice', choiceOf(toolChoice));
    if (prompt.parallelCalls === false) draft.set('parallel_tool_calls', false);
    if (tools.some(({ cache }) => cache)) draft.drop('cache_control');
  }
  limit(prompt, draft);
  sampling(prompt, draft);
  if (prompt.effort) think(prompt.effort, draft);
  if (prompt.format) draft.set('response_format', formatOf(prompt.format));
  if (prompt.logprobs) tellLogprobs(prompt.logprobs, draft);
  if (prompt.user !== undefined) draft.set('user', shortUser(prompt.user));
  if (stream) {
    draft.set('stream', true);
    // Every dialect tells the usage at the end.
    draft.set('stream_options', { include_usage: true });
  }
  for (const name of Object.keys(prompt.rest)) draft.extra(name, prompt.rest[name]);
  return { fields: draft.fields, dropped: [...draft.dropped] };
}

class ChatDraft {
  readonly addressee: Addressee;
  readonly fields: Record<string, unknown>;
  readonly dropped: Set<string>;

  constructor(addressee: Addressee, dropped: readonly string[]) {
    this.addressee = addressee;
    this.fields = { model: addressee.model };
    this.dropped = new Set(dropped);
  }

  get reasons(): boolean {
    return REASONING_MODEL.test(this.addressee.model);
  }

  reads(name: string): boolean {
    return this.addressee.extras.includes(name);
  }

  set(name: string, value: unknown): void {
    this.fields[name] = value;
  }

  /** Sets what only some backends read. */
  extra(name: string, value: unknown): void {
    if (value === undefined) return;
    if (this.reads(name)) this.fields[name] = value;
    else this.dropped.add(name);
  }

  drop(name: string): void {
    this.dropped.add(name);
  }
}

function limit(prompt: Prompt, draft: ChatDraft): void {
  const { limit: most, limitIsFormal, turns, tools } = prompt;
  if (most === undefined) return;
  const { contextLength } = draft.addressee;
  if (limitIsFormal && contextLength !== undefined) {
    const read = estimateTokens({ messages: turns, tools }) * ESTIMATE_MARGIN;
    // It bounds nothing, and many servers refuse a limit that the context has no room for.
    if (read + most > contextLength) {
      draft.drop('max_tokens');
      return;
    }
  }
  draft.set(draft.reasons ? 'max_completion_tokens' : 'max_tokens', most);
}

function sampling(prompt: Prompt, draft: ChatDraft): void {
  const { stop } = prompt;
  const values = {
    temperature: prompt.temperature,
    top_p: prompt.topP,
    frequency_penalty: prompt.frequencyPenalty,
    presence_penalty: prompt.presencePenalty,
    stop: stop.length > 0 ? stop : undefined,
  };
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    if (!draft.reasons) draft.set(name, value);
    else if (value !== 1) draft.drop(name);
  }
  if (prompt.seed !== undefined) draft.set('seed', prompt.seed);
  draft.extra('top_k', prompt.topK);
}

function tellLogprobs({ others }: NonNullable<Prompt['logprobs']>, draft: ChatDraft): void {
  if (draft.reasons) {
    draft.drop('logprobs');
    return;
  }
  draft.set('logprobs', true);
  if (others > 0) draft.set('top_logprobs', others);
}

function think({ enabled, level, budget }: Effort, draft: ChatDraft): void {
  if (!enabled) {
    // The switch of most models' own templates; others don't look at it.
    if (draft.reads('chat_template_kwargs'))
      draft.set('chat_template_kwargs', { enable_thinking: false });
    return;
  }
  const wanted = level ?? (budget === undefined ? undefined : levelOf(budget));
  if (wanted === undefined) return;
  if (draft.reasons || draft.reads('reasoning_effort')) {
    draft.set('reasoning_effort', levelFor(wanted, draft));
  } else draft.drop('reasoning_effort');
}

/** Only some of OpenAI's models know more than `high`, and nobody knows `max`. */
function levelFor(level: string, { reasons }: ChatDraft): string {
  return level === 'max' || (level === 'xhigh' && !reasons) ? 'high' : level;
}

function levelOf(budget: number): string {
  return budget < 4096 ? 'low' : budget < 16_384 ? 'medium' : 'high';
}

function shortUser(user: string): string {
  return user.length <= LONGEST_USER ? user : createHash('sha256').update(user).digest('hex');
}

function toolOf({ name, description, parameters, strict }: Tool): JsonObject {
  return {
    type: 'function',
    function: {
      name,
      ...(description === undefined ? {} : { description }),
      parameters,
      ...(strict === undefined ? {} : { strict }),
    },
  };
}

function choiceOf(choice: ToolChoice): unknown {
  return typeof choice === 'string'
    ? choice
    : { type: 'function', function: { name: choice.name } };
}

function formatOf(format: Format): JsonObject {
  if (format.type === 'json') return { type: 'json_object' };
  const { schema, name = 'answer', description, strict } = format;
  return {
    type: 'json_schema',
    json_schema: {
      name,
      ...(description === undefined ? {} : { description }),
      schema,
      ...(strict === undefined ? {} : { strict }),
    },
  };
}

function messagesOf(prompt: Prompt, draft: ChatDraft): readonly JsonObject[] {
  const messages: JsonObject[] = [];
  const { turns } = prompt;
  const anywhere = OPENAI_MODEL.test(draft.addressee.model);
  for (const turn of joined(anywhere ? turns : systemFirst(turns))) {
    if (turn.role === 'system') {
      if (turn.content.some(({ cache }) => cache)) draft.drop('cache_control');
      messages.push({ role: 'system', content: textOf(turn.content) });
    } else if (turn.role === 'assistant') {
      messages.push(assistantMessage(turn.content, draft));
    } else {
      messages.push(...userMessages(turn.content, draft));
    }
  }
  if (messages.at(-1)?.['role'] === 'assistant') {
    if (draft.reads('continue_final_message')) {
      draft.set('continue_final_message', true);
      draft.set('add_generation_prompt', false);
    } else draft.drop('prefill');
  }
  return messages;
}

/** Results come first: they must follow the calls that they answer. */
function userMessages(
  parts: readonly (ContentPart | ResultPart)[],
  draft: ChatDraft,
): readonly JsonObject[] {
  const messages: JsonObject[] = [];
  const said: ContentPart[] = [];
  const results = parts.filter(isResult);
  for (const result of results) {
    const { text, media } = splitResult(result);
    messages.push({ role: 'tool', tool_call_id: result.callId, content: text });
    // A tool's message takes only text; a person can show the rest.
    said.push(...media);
  }
  if (parts.some((part) => 'cache' in part && part.cache)) draft.drop('cache_control');
  said.push(...parts.filter((part) => !isResult(part)));
  const content = said.flatMap((part) => contentOf(part, draft));
  if (content.length > 0 || results.length === 0) {
    messages.push({ role: 'user', content: simplest(content) });
  }
  return messages;
}

/** Text alone as a string, which every server understands. */
function simplest(content: readonly JsonObject[]): unknown {
  return content.every(({ type }) => type === 'text')
    ? content.map(({ text }) => text).join('\n\n')
    : content;
}

function contentOf(part: ContentPart, draft: ChatDraft): readonly JsonObject[] {
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: part.text }];
    case 'image': {
      const url = addressOf(part.source);
      if (url === undefined) break;
      const { detail } = part;
      return [
        { type: 'image_url', image_url: { url, ...(detail === undefined ? {} : { detail }) } },
      ];
    }
    case 'audio':
      return [{ type: 'input_audio', input_audio: { data: part.data, format: part.format } }];
    case 'file': {
      const text = inlineText(part);
      if (text) return [{ type: 'text', text: text.text }];
      const { source, name } = part;
      if (!draft.reads('file') || 'url' in source) break;
      const file =
        'fileId' in source
          ? { file_id: source.fileId }
          : { filename: name ?? 'document.pdf', file_data: addressOf(source) };
      return [{ type: 'file', file }];
    }
  }
  draft.drop(part.type);
  return [];
}

function assistantMessage(parts: readonly AssistantPart[], draft: ChatDraft): JsonObject {
  const calls: JsonObject[] = [];
  let text = '';
  let refusal = '';
  let reasoning = '';
  let thought: string | undefined;
  for (const part of parts) {
    if (part.type === 'text') text += part.text;
    else if (part.type === 'refusal') refusal += part.text;
    else if (part.type === 'reasoning') {
      reasoning += part.text;
      thought = part.opaque;
    } else {
      const { id, name, arguments: args } = part;
      // Of calls that were made together, the first is signed.
      const sign =
        draft.reads('thought_signature') && (calls.length === 0 || thought !== undefined);
      const call = { id, type: 'function', function: { name, arguments: args } };
      calls.push(sign ? { ...call, ...signed(thought) } : call);
      thought = undefined;
    }
    if ('cache' in part && part.cache) draft.drop('cache_control');
  }
  const fields = ['reasoning', 'reasoning_content'].filter((name) => draft.reads(name));
  return {
    role: 'assistant',
    content: text === '' && (calls.length > 0 || refusal !== '') ? null : text,
    ...(refusal === '' ? {} : { refusal }),
    ...(reasoning === '' ? {} : Object.fromEntries(fields.map((name) => [name, reasoning]))),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}
