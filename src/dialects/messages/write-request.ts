import type { JsonObject } from '../../adapters/json.ts';
import { asObject, parseJson } from '../../adapters/json.ts';
import { isOthers } from '../call-signature.ts';
import type { Addressee, Draft } from '../dialect.ts';
import type {
  AssistantPart,
  ContentPart,
  Media,
  Prompt,
  ResultPart,
  TextPart,
  Tool,
  Turn,
} from '../prompt.ts';
import { inlineText, joined, systemFirst } from '../turns.ts';
import { generationOf, type Generation } from './generation.ts';

/** Tokens of thinking. */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 24_576,
  max: 24_576,
};
const LEAST_BUDGET = 1024;

/** Writes a prompt as a request of Anthropic's Messages. */
export function writeRequest(prompt: Prompt, addressee: Addressee): Draft {
  const dropped = new Set(prompt.dropped);
  const generation = generationOf(addressee.model);
  const { system, conversation } = splitSystem(prompt.turns);
  const fields: Record<string, unknown> = {
    model: addressee.model,
    messages: conversation.map((turn) => messageOf(turn, dropped)),
    max_tokens: prompt.limit ?? generation.limit,
  };
  if (system.length > 0) fields['system'] = systemOf(system);
  if (prompt.tools.length > 0) {
    fields['tools'] = prompt.tools.map(toolOf);
    const choice = choiceOf(prompt);
    if (choice) fields['tool_choice'] = choice;
  }
  if (prompt.stop.length > 0) fields['stop_sequences'] = prompt.stop;
  if (prompt.user !== undefined) fields['metadata'] = { user_id: prompt.user };
  if (prompt.stream) fields['stream'] = true;
  const format = formatOf(prompt);
  if (prompt.format && !format) dropped.add('response_format');
  if (prompt.logprobs) dropped.add('logprobs');
  const { effort, ...thought } = thoughtOf(prompt, generation);
  Object.assign(fields, thought);
  if (prompt.effort?.enabled && !thought.thinking) dropped.add('reasoning_effort');
  if (format ?? effort) fields['output_config'] = { ...format, ...effort };
  sample({ prompt, generation, fields, dropped });
  for (const [name, value] of [
    ['seed', prompt.seed],
    ['frequency_penalty', prompt.frequencyPenalty || undefined],
    ['presence_penalty', prompt.presencePenalty || undefined],
    ...Object.entries(prompt.rest),
  ] as const) {
    if (value === undefined) continue;
    if (addressee.extras.includes(name)) fields[name] = value;
    else dropped.add(name);
  }
  return { fields, dropped: [...dropped] };
}

function formatOf({ format }: Prompt): JsonObject | undefined {
  return format?.type === 'schema'
    ? { format: { type: 'json_schema', schema: format.schema } }
    : undefined;
}

/** What a model takes of how to choose its words; with thinking, the temperature is 1. */
function sample({ prompt, generation, fields, dropped }: Sampling): void {
  const { temperature, topP, topK } = prompt;
  const free = generation.sampling && !('thinking' in fields);
  if (temperature !== undefined && temperature !== 1) {
    if (free) fields['temperature'] = Math.min(1, temperature);
    else dropped.add('temperature');
  }
  if (topP !== undefined && topP !== 1) {
    // The newer models take one of both.
    if (free && !('temperature' in fields)) fields['top_p'] = topP;
    else dropped.add('top_p');
  }
  if (topK !== undefined) {
    if (free) fields['top_k'] = topK;
    else dropped.add('top_k');
  }
}

interface Sampling {
  readonly prompt: Prompt;
  readonly generation: Generation;
  readonly fields: Record<string, unknown>;
  readonly dropped: Set<string>;
}

/** How much to think, as the model's generation is told; nothing where it can't. */
function thoughtOf(
  prompt: Prompt,
  generation: Generation,
): { thinking?: JsonObject; max_tokens?: number; effort?: JsonObject } {
  const { effort, limit, turns, toolChoice } = prompt;
  if (!effort?.enabled) return {};
  // A forced call leaves no room for thought, nor may thought be missing where calls follow it.
  const forced = toolChoice === 'required' || typeof toolChoice === 'object';
  if (forced || lacksThought(turns)) return {};
  const { level, budget = BUDGETS[level ?? 'medium'] ?? BUDGETS['medium']! } = effort;
  if (generation.adaptive) {
    const told = level === 'minimal' ? 'low' : level;
    return { thinking: { type: 'adaptive' }, ...(told && { effort: { effort: told } }) };
  }
  const tokens = limit === undefined ? budget : Math.min(budget, limit - 1);
  if (tokens < LEAST_BUDGET) return {};
  return {
    thinking: { type: 'enabled', budget_tokens: tokens },
    ...(limit === undefined && { max_tokens: Math.max(generation.limit, tokens * 2) }),
  };
}

/** Whether the model is in the midst of calls and we have not the thoughts that led to them. */
function lacksThought(turns: readonly Turn[]): boolean {
  const last = joined(turns).findLast(({ role }) => role === 'assistant');
  if (last?.role !== 'assistant') return false;
  const answered = turns.at(-1);
  const resumes =
    answered?.role === 'user' && answered.content.some(({ type }) => type === 'result');
  return (
    resumes &&
    !last.content.some(
      (part) =>
        part.type === 'reasoning' &&
        isOthers(part) &&
        (part.signature !== undefined || part.opaque !== undefined),
    )
  );
}

/** What stands before the conversation, and the conversation. */
function splitSystem(turns: readonly Turn[]): {
  readonly system: readonly TextPart[];
  readonly conversation: readonly Exclude<Turn, { role: 'system' }>[];
} {
  const system: TextPart[] = [];
  const conversation: Exclude<Turn, { role: 'system' }>[] = [];
  for (const turn of systemFirst(turns)) {
    if (turn.role === 'system') system.push(...turn.content);
    else conversation.push(turn);
  }
  if (conversation[0]?.role === 'assistant') {
    // The first word must be the user's.
    conversation.unshift({ role: 'user', content: [{ type: 'text', text: '…' }] });
  }
  return { system, conversation: joined(conversation) as typeof conversation };
}

function systemOf(parts: readonly TextPart[]): unknown {
  return parts.length === 1 && !parts[0]!.cache
    ? parts[0]!.text
    : parts.map((part) => ({ type: 'text', text: part.text, ...cacheOf(part) }));
}

function cacheOf({ cache }: { readonly cache?: JsonObject | undefined }): JsonObject {
  return cache ? { cache_control: cache } : {};
}

function messageOf(turn: Exclude<Turn, { role: 'system' }>, dropped: Set<string>): JsonObject {
  const content =
    turn.role === 'assistant'
      ? turn.content.flatMap((part) => assistantBlock(part))
      : userBlocks(turn.content, dropped);
  return { role: turn.role, content };
}

/** Results come first, as they must. */
function userBlocks(
  parts: readonly (ContentPart | ResultPart)[],
  dropped: Set<string>,
): readonly JsonObject[] {
  const results: JsonObject[] = [];
  const others: JsonObject[] = [];
  for (const part of parts) {
    if (part.type === 'result') {
      results.push({
        type: 'tool_result',
        tool_use_id: toolId(part.callId),
        content: part.content.flatMap((one) => contentBlock(one, dropped)),
        ...(part.failed ? { is_error: true } : {}),
        ...cacheOf(part),
      });
    } else others.push(...contentBlock(part, dropped));
  }
  return [...results, ...others];
}

function contentBlock(part: ContentPart, dropped: Set<string>): readonly JsonObject[] {
  switch (part.type) {
    case 'text':
      // Empty ones are refused.
      return part.text === '' ? [] : [{ type: 'text', text: part.text, ...cacheOf(part) }];
    case 'image':
      return [{ type: 'image', source: sourceOf(part.source), ...cacheOf(part) }];
    case 'file': {
      const text = inlineText(part);
      if (text) return [{ type: 'text', text: text.text, ...cacheOf(part) }];
      const title = part.name === undefined ? {} : { title: part.name };
      return [{ type: 'document', source: sourceOf(part.source), ...title, ...cacheOf(part) }];
    }
    case 'audio':
      dropped.add('audio');
      return [];
  }
}

function sourceOf(media: Media): JsonObject {
  if ('fileId' in media) return { type: 'file', file_id: media.fileId };
  return 'url' in media
    ? { type: 'url', url: media.url }
    : { type: 'base64', media_type: media.mediaType, data: media.data };
}

function assistantBlock(part: AssistantPart): readonly JsonObject[] {
  switch (part.type) {
    case 'text':
      return part.text.trim() === '' ? [] : [{ type: 'text', text: part.text, ...cacheOf(part) }];
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    case 'reasoning':
      if (!isOthers(part)) return [];
      if (part.opaque !== undefined) return [{ type: 'redacted_thinking', data: part.opaque }];
      // Without a signature it was another model's, and would be refused.
      return part.signature === undefined
        ? []
        : [{ type: 'thinking', thinking: part.text, signature: part.signature }];
    case 'call': {
      const input = asObject(parseJson(part.arguments)) ?? {};
      const { id, name } = part;
      return [{ type: 'tool_use', id: toolId(id), name, input, ...cacheOf(part) }];
    }
  }
}

/** Ids here have letters, digits, `_` and `-` only. */
function toolId(id: string): string {
  return id.replace(/[^\w-]/g, '_');
}

function toolOf(tool: Tool): JsonObject {
  const { name, description, parameters, strict } = tool;
  return {
    name,
    ...(description === undefined ? {} : { description }),
    input_schema: { type: 'object', ...parameters },
    ...(strict === true ? { strict } : {}),
    ...cacheOf(tool),
  };
}

function choiceOf({ toolChoice, parallelCalls }: Prompt): JsonObject | undefined {
  const single = parallelCalls === false ? { disable_parallel_tool_use: true } : {};
  if (toolChoice === undefined) {
    return parallelCalls === false ? { type: 'auto', ...single } : undefined;
  }
  if (toolChoice === 'none') return { type: 'none' };
  if (toolChoice === 'auto') return { type: 'auto', ...single };
  if (toolChoice === 'required') return { type: 'any', ...single };
  return { type: 'tool', name: toolChoice.name, ...single };
}
