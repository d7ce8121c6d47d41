import { asNumber, asObject, asObjects, asText, type JsonObject } from '../../adapters/json.ts';
import { FREE_TEXT, withGrammar, wrapFreeText } from '../free-text.ts';
import { mediaOf } from '../media.ts';
import type {
  AssistantPart,
  ContentPart,
  Effort,
  Format,
  Prompt,
  TextPart,
  Tool,
  Turn,
} from '../prompt.ts';
import {
  argumentsText,
  fileOf,
  logprobsOf,
  malformed,
  optionalObjects,
  requiredObjects,
  requiredText,
  restOf,
  stopsOf,
} from '../read.ts';
import { chosen, type ToolWish } from '../tool-choice.ts';

const KNOWN = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'seed',
  'frequency_penalty',
  'presence_penalty',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'functions',
  'function_call',
  'reasoning_effort',
  'reasoning',
  'response_format',
  'logprobs',
  'top_logprobs',
  'user',
]);
/** Settings that say what holds anyway. */
const USUAL: JsonObject = { n: 1, store: false };

/** Reads a request of OpenAI's chat completions. */
export function readRequest(fields: JsonObject): Prompt {
  const dropped = new Set<string>();
  const turns = requiredObjects(fields, 'messages').flatMap((message, index) =>
    turnOf(message, { index, dropped }),
  );
  const rest = restOf(fields, KNOWN);
  return {
    turns,
    ...chosen(
      toolsOf(fields, dropped),
      wishOf(fields['tool_choice'] ?? fields['function_call']),
      dropped,
    ),
    parallelCalls: fields['parallel_tool_calls'] === false ? false : undefined,
    limit: asNumber(fields['max_completion_tokens']) ?? asNumber(fields['max_tokens']),
    stop: stopsOf(fields['stop']),
    temperature: asNumber(fields['temperature']),
    topP: asNumber(fields['top_p']),
    topK: asNumber(fields['top_k']),
    seed: asNumber(fields['seed']),
    frequencyPenalty: asNumber(fields['frequency_penalty']),
    presencePenalty: asNumber(fields['presence_penalty']),
    effort: effortOf(fields),
    format: formatOf(fields['response_format']),
    logprobs: logprobsOf(fields),
    user: asText(fields['user']),
    stream: fields['stream'] === true,
    rest: Object.fromEntries(Object.entries(rest).filter(([name, value]) => USUAL[name] !== value)),
    dropped: [...dropped],
  };
}

interface Place {
  readonly index: number;
  readonly dropped: Set<string>;
}

function turnOf(message: JsonObject, place: Place): readonly Turn[] {
  const { role } = message;
  switch (role) {
    case 'system':
    case 'developer':
      return [{ role: 'system', content: textsOf(message) }];
    case 'user':
      return [{ role, content: contentOf(message, place) }];
    case 'assistant':
      return [{ role, content: assistantParts(message, place) }];
    case 'tool':
    case 'function': {
      const callId = asText(message['tool_call_id']) ?? asText(message['name']) ?? '';
      const content = contentOf(message, place);
      return [{ role: 'user', content: [{ type: 'result', callId, content }] }];
    }
    default:
      throw malformed(
        `messages[${place.index}].role`,
        'system, developer, user, assistant or tool',
      );
  }
}

function textsOf({ content }: JsonObject): readonly TextPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return (asObjects(content) ?? []).flatMap((part) =>
    typeof part['text'] === 'string' ? [textPart(part)] : [],
  );
}

/** Some of its speakers know cache markers, as Anthropic's models are often asked through it. */
function textPart(part: JsonObject): TextPart {
  const cache = asObject(part['cache_control']);
  return { type: 'text', text: part['text'] as string, ...(cache && { cache }) };
}

function contentOf({ content }: JsonObject, { index, dropped }: Place): readonly ContentPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (content === null || content === undefined) return [];
  const parts = asObjects(content);
  if (!parts) throw malformed(`messages[${index}].content`, 'a string or an array of parts');
  return parts.flatMap((part) => {
    const read = contentPart(part);
    if (read) return [read];
    dropped.add(asText(part['type']) ?? 'content');
    return [];
  });
}

function contentPart(part: JsonObject): ContentPart | undefined {
  switch (part['type']) {
    case 'text':
      return typeof part['text'] === 'string' ? textPart(part) : undefined;
    case 'image_url': {
      const image = asObject(part['image_url']);
      const url = asText(image?.['url']) ?? asText(part['image_url']);
      const detail = asText(image?.['detail']);
      return url === undefined ? undefined : { type: 'image', source: mediaOf(url), detail };
    }
    case 'input_audio': {
      const audio = asObject(part['input_audio']);
      const data = asText(audio?.['data']);
      return data === undefined
        ? undefined
        : { type: 'audio', data, format: asText(audio?.['format']) ?? 'wav' };
    }
    case 'file': {
      const file = asObject(part['file']) ?? {};
      const data = asText(file['file_data']);
      const source = data === undefined ? fileOf(file['file_id']) : mediaOf(data);
      return source && { type: 'file', source, name: asText(file['filename']) };
    }
    default:
      return undefined;
  }
}

function assistantParts(message: JsonObject, place: Place): readonly AssistantPart[] {
  const parts: AssistantPart[] = [];
  const reasoning = asText(message['reasoning_content']) ?? asText(message['reasoning']);
  if (reasoning !== undefined) parts.push({ type: 'reasoning', text: reasoning });
  for (const part of contentOf(message, place)) {
    if (part.type === 'text' && part.text !== '') parts.push(part);
  }
  const refusal = asText(message['refusal']);
  if (refusal !== undefined) parts.push({ type: 'refusal', text: refusal });
  const calls = asObjects(message['tool_calls']) ?? [];
  for (const [at, call] of calls.entries()) {
    const path = `messages[${place.index}].tool_calls[${at}]`;
    const custom = asObject(call['custom']);
    const called = custom ?? asObject(call['function']);
    if (!called) throw malformed(`${path}.function`, 'an object');
    parts.push({
      type: 'call',
      id: asText(call['id']) ?? '',
      name: requiredText(called, 'name', `${path}.function.name`),
      arguments: custom ? wrapFreeText(custom['input']) : argumentsText(called['arguments']),
    });
  }
  const old = asObject(message['function_call']);
  if (old) {
    const name = requiredText(old, 'name', `messages[${place.index}].function_call.name`);
    // The older form has no ids; its result names the function.
    parts.push({ type: 'call', id: name, name, arguments: argumentsText(old['arguments']) });
  }
  return parts;
}

function toolsOf(fields: JsonObject, dropped: Set<string>): readonly Tool[] {
  const given = optionalObjects(fields, 'tools');
  const old = optionalObjects(fields, 'functions').map((tool) => ({ function: tool }));
  return [...given, ...old].flatMap((tool: JsonObject): Tool[] => {
    const custom = asObject(tool['custom']);
    const declared = custom ?? asObject(tool['function']);
    const name = asText(declared?.['name']);
    if (!declared || name === undefined) {
      dropped.add(`tools.${asText(tool['type']) ?? 'unknown'}`);
      return [];
    }
    const cache = asObject(tool['cache_control']);
    const strict = declared['strict'];
    const description = asText(declared['description']);
    const grammar = asObject(asObject(custom?.['format'])?.['grammar']);
    return [
      {
        name,
        description: withGrammar(description, grammar),
        parameters: custom
          ? FREE_TEXT
          : (asObject(declared['parameters']) ?? { type: 'object', properties: {} }),
        ...(typeof strict === 'boolean' ? { strict } : {}),
        ...(cache && { cache }),
      },
    ];
  });
}

function wishOf(choice: unknown): ToolWish {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { choice };
  const object = asObject(choice);
  if (object?.['type'] !== 'allowed_tools') return { choice: object && named(object) };
  const wish = asObject(object['allowed_tools']) ?? {};
  const allowed = (asObjects(wish['tools']) ?? []).map((tool) => named(tool)?.name ?? '');
  return { choice: wish['mode'] === 'required' ? 'required' : 'auto', allowed };
}

function named(tool: JsonObject): { name: string } | undefined {
  const { name } = asObject(tool['function']) ?? asObject(tool['custom']) ?? tool;
  return typeof name === 'string' ? { name } : undefined;
}

function effortOf(fields: JsonObject): Effort | undefined {
  const level =
    asText(fields['reasoning_effort']) ?? asText(asObject(fields['reasoning'])?.['effort']);
  if (level === undefined) return undefined;
  return level === 'none' ? { enabled: false } : { enabled: true, level };
}

function formatOf(value: unknown): Format | undefined {
  const format = asObject(value);
  if (format?.['type'] === 'json_object') return { type: 'json' };
  const wanted = asObject(format?.['json_schema']);
  const schema = asObject(wanted?.['schema']);
  if (!wanted || !schema) return undefined;
  const { strict } = wanted;
  return {
    type: 'schema',
    schema,
    name: asText(wanted['name']),
    description: asText(wanted['description']),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
}
