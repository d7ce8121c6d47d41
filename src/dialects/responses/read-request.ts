import { RequestRefused } from '../../adapters/adapter.ts';
import { asNumber, asObject, asObjects, asText, type JsonObject } from '../../adapters/json.ts';
import { mediaOf } from '../media.ts';
import type {
  AssistantPart,
  ContentPart,
  Effort,
  Format,
  Prompt,
  TextPart,
  Turn,
} from '../prompt.ts';
import { fileOf, malformed, optionalObjects, requiredObjects, restOf } from '../read.ts';
import { chosen, type ToolWish } from '../tool-choice.ts';
import { reasoningPart } from './reasoning.ts';
import { calledBy, flatName, toolbox } from './tools.ts';

const KNOWN = new Set([
  'model',
  'input',
  'instructions',
  'stream',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'max_output_tokens',
  'temperature',
  'top_p',
  'reasoning',
  'text',
  'top_logprobs',
  'user',
  // Ours to keep, or what holds anyway.
  'store',
  'previous_response_id',
  'include',
  'stream_options',
]);
const USUAL: JsonObject = { truncation: 'disabled', background: false };
/** What a request stands upon that only OpenAI's servers have. */
const ELSEWHERE = ['conversation', 'prompt'] as const;

/** Reads a request of OpenAI's Responses. */
export function readRequest(fields: JsonObject): Prompt {
  for (const name of ELSEWHERE) {
    if (fields[name] === undefined || fields[name] === null) continue;
    throw new RequestRefused(
      `This backend keeps nothing: "${name}" stands for what is not here.`,
      name,
    );
  }
  const dropped = new Set<string>();
  const items = itemsOf(fields);
  const { tools, dropped: lost } = toolbox([
    ...optionalObjects(fields, 'tools'),
    ...items.flatMap(foundTools),
  ]);
  for (const name of lost) dropped.add(name);
  const instructions = asText(fields['instructions']);
  const system: Turn[] =
    instructions === undefined
      ? []
      : [{ role: 'system', content: [{ type: 'text', text: instructions }] }];
  const text = asObject(fields['text']);
  if (asText(text?.['verbosity']) !== undefined) dropped.add('text.verbosity');
  const rest = restOf(fields, KNOWN);
  const turns = items.flatMap((item, index) => turnOf(item, { path: `input[${index}]`, dropped }));
  return {
    turns: [...system, ...turns],
    ...chosen(tools, wishOf(fields['tool_choice']), dropped),
    parallelCalls: fields['parallel_tool_calls'] === false ? false : undefined,
    limit: asNumber(fields['max_output_tokens']),
    stop: [],
    temperature: asNumber(fields['temperature']),
    topP: asNumber(fields['top_p']),
    effort: effortOf(asObject(fields['reasoning'])),
    format: formatOf(asObject(text?.['format'])),
    logprobs: logprobsOf(fields),
    user: asText(fields['user']),
    stream: fields['stream'] === true,
    rest: Object.fromEntries(Object.entries(rest).filter(([name, value]) => USUAL[name] !== value)),
    dropped: [...dropped],
  };
}

/** What a request says, as items. @throws RequestRefused */
export function itemsOf({ input }: JsonObject): readonly JsonObject[] {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  if (input === undefined || input === null) return [];
  return requiredObjects({ input }, 'input');
}

/** Tools that were found in the course of the conversation. */
export function foundTools(item: JsonObject): readonly JsonObject[] {
  const finds = item['type'] === 'tool_search_output' || item['type'] === 'additional_tools';
  return finds ? (asObjects(item['tools']) ?? []) : [];
}

interface Place {
  readonly path: string;
  readonly dropped: Set<string>;
}

function turnOf(item: JsonObject, place: Place): readonly Turn[] {
  const type = asText(item['type']) ?? 'message';
  const called = calledBy(item);
  if (called) {
    const id = asText(item['call_id']) ?? asText(item['id']) ?? '';
    return [
      {
        role: 'assistant',
        content: [{ type: 'call', id, name: called.name, arguments: called.json }],
      },
    ];
  }
  switch (type) {
    case 'message':
      return messageTurn(item, place);
    case 'reasoning': {
      const part = reasoningPart(item);
      return part ? [{ role: 'assistant', content: [part] }] : [];
    }
    case 'function_call_output':
    case 'custom_tool_call_output':
    case 'local_shell_call_output':
    case 'shell_call_output':
    case 'apply_patch_call_output':
    case 'tool_search_output':
      return [resultTurn(item, place)];
    case 'additional_tools':
    case 'compaction_trigger':
      return [];
    case 'item_reference':
      throw new RequestRefused(`Item with id "${asText(item['id']) ?? ''}" not found.`, place.path);
    default:
      // What OpenAI's own tools did and found.
      place.dropped.add(type);
      return [];
  }
}

function messageTurn(item: JsonObject, place: Place): readonly Turn[] {
  const content = contentOf(item['content'], place);
  switch (item['role']) {
    case 'user':
      return [{ role: 'user', content }];
    case 'system':
    case 'developer':
      return [{ role: 'system', content: content.filter((part) => part.type === 'text') }];
    case 'assistant': {
      const refusals = (asObjects(item['content']) ?? []).flatMap((part): AssistantPart[] =>
        part['type'] === 'refusal'
          ? [{ type: 'refusal', text: asText(part['refusal']) ?? '' }]
          : [],
      );
      const texts = content.filter((part): part is TextPart => part.type === 'text');
      return [{ role: 'assistant', content: [...texts, ...refusals] }];
    }
    default:
      throw malformed(`${place.path}.role`, 'user, assistant, system or developer');
  }
}

function contentOf(content: unknown, place: Place): readonly ContentPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  const parts = asObjects(content);
  if (!parts) throw malformed(`${place.path}.content`, 'a string or an array of parts');
  return parts.flatMap((part) => contentPart(part, place));
}

function contentPart(part: JsonObject, { dropped }: Place): readonly ContentPart[] {
  const type = asText(part['type']);
  switch (type) {
    case 'input_text':
    case 'output_text':
    case 'text':
    case 'summary_text':
      return typeof part['text'] === 'string' ? [{ type: 'text', text: part['text'] }] : [];
    case 'input_image': {
      const url = asText(part['image_url']);
      const source = url === undefined ? fileOf(part['file_id']) : mediaOf(url);
      if (source) return [{ type: 'image', source, detail: asText(part['detail']) }];
      break;
    }
    case 'input_file': {
      const data = asText(part['file_data']);
      const url = asText(part['file_url']);
      const source =
        data === undefined
          ? url === undefined
            ? fileOf(part['file_id'])
            : { url }
          : mediaOf(data.startsWith('data:') ? data : `data:application/pdf;base64,${data}`);
      if (source) return [{ type: 'file', source, name: asText(part['filename']) }];
      break;
    }
    case 'input_audio': {
      const audio = asObject(part['input_audio']) ?? part;
      const data = asText(audio['data']);
      if (data !== undefined) {
        return [{ type: 'audio', data, format: asText(audio['format']) ?? 'wav' }];
      }
      break;
    }
    case 'refusal':
      return [];
    case undefined:
  }
  dropped.add(type ?? 'content');
  return [];
}

function resultTurn(item: JsonObject, place: Place): Turn {
  const callId = asText(item['call_id']) ?? asText(item['id']) ?? '';
  const { output } = item;
  return {
    role: 'user',
    content: [{ type: 'result', callId, content: outputOf(item, output, place) }],
  };
}

function outputOf(item: JsonObject, output: unknown, place: Place): readonly ContentPart[] {
  if (item['type'] === 'tool_search_output') {
    const { tools } = toolbox(asObjects(item['tools']) ?? []);
    return [
      { type: 'text', text: `Found: ${tools.map(({ name }) => name).join(', ') || 'nothing'}` },
    ];
  }
  if (typeof output === 'string') return [{ type: 'text', text: output }];
  const parts = asObjects(output);
  if (item['type'] === 'shell_call_output') {
    return [{ type: 'text', text: JSON.stringify(parts ?? []) }];
  }
  if (parts) return parts.flatMap((part) => contentPart(part, place));
  const object = asObject(output);
  if (object) return contentPart(object, place);
  const status = asText(item['status']);
  return status === undefined ? [] : [{ type: 'text', text: status }];
}

function wishOf(choice: unknown): ToolWish {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { choice };
  const object = asObject(choice);
  if (object?.['type'] !== 'allowed_tools') return { choice: object && named(object) };
  const allowed = (asObjects(object['tools']) ?? []).map((tool) => named(tool)?.name ?? '');
  return { choice: object['mode'] === 'required' ? 'required' : 'auto', allowed };
}

/** A tool as a choice has it: by its name, or by its type where it has none. */
function named(tool: JsonObject): { name: string } | undefined {
  const name = asText(tool['name']) ?? asText(tool['type']);
  return name === undefined ? undefined : { name: flatName(name, asText(tool['namespace'])) };
}

function effortOf(reasoning: JsonObject | undefined): Effort | undefined {
  const level = asText(reasoning?.['effort']);
  if (level === undefined) return undefined;
  return level === 'none' ? { enabled: false } : { enabled: true, level };
}

function logprobsOf({ top_logprobs: others, include }: JsonObject): Prompt['logprobs'] {
  const wanted = Array.isArray(include) && include.includes('message.output_text.logprobs');
  const count = asNumber(others) ?? 0;
  return wanted || count > 0 ? { others: count } : undefined;
}

function formatOf(format: JsonObject | undefined): Format | undefined {
  if (format?.['type'] === 'json_object') return { type: 'json' };
  const schema = asObject(format?.['schema']);
  if (format?.['type'] !== 'json_schema' || !schema) return undefined;
  const { strict } = format;
  return {
    type: 'schema',
    schema,
    name: asText(format['name']),
    description: asText(format['description']),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
}
