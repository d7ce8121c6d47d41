import type { JsonObject } from '../../adapters/json.ts';
import type { Addressee, Draft } from '../dialect.ts';
import { addressOf } from '../media.ts';
import type {
  AssistantPart,
  ContentPart,
  Format,
  Prompt,
  ResultPart,
  Tool,
  ToolChoice,
  Turn,
} from '../prompt.ts';
import { inlineText, joined, splitResult } from '../turns.ts';

/** Writes a prompt as a request of OpenAI's Responses, of which the server is to keep nothing. */
export function writeRequest(prompt: Prompt, addressee: Addressee): Draft {
  const dropped = new Set(prompt.dropped);
  const { tools, toolChoice, effort, format } = prompt;
  const input = joined(prompt.turns).flatMap((turn) => itemsOf(turn, dropped));
  if (tools.some(({ cache }) => cache)) dropped.add('cache_control');
  if (prompt.stop.length > 0) dropped.add('stop');
  const fields: Record<string, unknown> = { model: addressee.model, input, store: false };
  const set = (name: string, value: unknown): void => {
    if (value !== undefined) fields[name] = value;
  };
  if (tools.length > 0) {
    set('tools', tools.map(toolOf));
    if (toolChoice !== undefined) set('tool_choice', choiceOf(toolChoice));
    set('parallel_tool_calls', prompt.parallelCalls);
  }
  set('max_output_tokens', prompt.limit);
  set('temperature', prompt.temperature);
  set('top_p', prompt.topP);
  set('user', prompt.user);
  if (effort) set('reasoning', { effort: effort.enabled ? (effort.level ?? 'medium') : 'none' });
  if (format) set('text', { format: formatOf(format) });
  if (prompt.logprobs) {
    set('top_logprobs', prompt.logprobs.others);
    set('include', ['message.output_text.logprobs']);
  }
  if (prompt.stream) set('stream', true);
  const others = {
    seed: prompt.seed,
    top_k: prompt.topK,
    frequency_penalty: prompt.frequencyPenalty || undefined,
    presence_penalty: prompt.presencePenalty || undefined,
    ...prompt.rest,
  };
  for (const [name, value] of Object.entries(others)) {
    if (value === undefined) continue;
    if (addressee.extras.includes(name)) fields[name] = value;
    else dropped.add(name);
  }
  return { fields, dropped: [...dropped] };
}

function itemsOf(turn: Turn, dropped: Set<string>): readonly JsonObject[] {
  if (turn.content.some((part) => 'cache' in part && part.cache)) dropped.add('cache_control');
  switch (turn.role) {
    case 'system':
      return [
        message(
          'developer',
          turn.content.flatMap((part) => contentOf(part, dropped)),
        ),
      ];
    case 'user':
      return userItems(turn.content, dropped);
    case 'assistant':
      return assistantItems(turn.content);
  }
}

function message(role: string, content: readonly JsonObject[]): JsonObject {
  return { type: 'message', role, content };
}

function userItems(
  parts: readonly (ContentPart | ResultPart)[],
  dropped: Set<string>,
): readonly JsonObject[] {
  const items: JsonObject[] = [];
  const said: ContentPart[] = [];
  for (const part of parts) {
    if (part.type !== 'result') {
      said.push(part);
      continue;
    }
    const { text, media } = splitResult(part);
    const shown = media.flatMap((one) => contentOf(one, dropped));
    const output = shown.length === 0 ? text : [{ type: 'input_text', text }, ...shown];
    items.push({ type: 'function_call_output', call_id: part.callId, output });
  }
  const content = said.flatMap((part) => contentOf(part, dropped));
  return content.length > 0 ? [...items, message('user', content)] : items;
}

function contentOf(part: ContentPart, dropped: Set<string>): readonly JsonObject[] {
  switch (part.type) {
    case 'text':
      return [{ type: 'input_text', text: part.text }];
    case 'image': {
      const { source, detail = 'auto' } = part;
      return [
        'fileId' in source
          ? { type: 'input_image', file_id: source.fileId, detail }
          : { type: 'input_image', image_url: addressOf(source), detail },
      ];
    }
    case 'file': {
      const text = inlineText(part);
      if (text) return [{ type: 'input_text', text: text.text }];
      const { source, name } = part;
      if ('fileId' in source) return [{ type: 'input_file', file_id: source.fileId }];
      if ('url' in source) return [{ type: 'input_file', file_url: source.url }];
      const filename = name ?? 'document.pdf';
      return [{ type: 'input_file', filename, file_data: addressOf(source) }];
    }
    case 'audio':
      dropped.add('audio');
      return [];
  }
}

function assistantItems(parts: readonly AssistantPart[]): readonly JsonObject[] {
  const items: JsonObject[] = [];
  for (const part of parts) {
    switch (part.type) {
      case 'text':
        items.push(message('assistant', [{ type: 'output_text', text: part.text }]));
        break;
      case 'refusal':
        items.push(message('assistant', [{ type: 'refusal', refusal: part.text }]));
        break;
      case 'call':
        items.push({
          type: 'function_call',
          call_id: part.id,
          name: part.name,
          arguments: part.arguments,
        });
        break;
      // Another's thoughts are of no use to a model that wants its own, sealed by itself.
      case 'reasoning':
    }
  }
  return items;
}

function toolOf({ name, description, parameters, strict }: Tool): JsonObject {
  return {
    type: 'function',
    name,
    ...(description === undefined ? {} : { description }),
    parameters,
    strict: strict ?? false,
  };
}

function choiceOf(choice: ToolChoice): unknown {
  return typeof choice === 'string' ? choice : { type: 'function', name: choice.name };
}

function formatOf(format: Format): JsonObject {
  if (format.type === 'json') return { type: 'json_object' };
  const { schema, name = 'answer', description, strict } = format;
  return {
    type: 'json_schema',
    name,
    ...(description === undefined ? {} : { description }),
    schema,
    strict: strict ?? false,
  };
}
