import { asObject, asObjects, asText, type JsonObject } from '../../adapters/json.ts';
import { imageTypeOf } from '../media.ts';
import type { AssistantPart, ContentPart, Prompt, Tool, Turn } from '../prompt.ts';
import {
  argumentsText,
  logprobsOf,
  malformed,
  optionalObjects,
  requiredObjects,
  restOf,
} from '../read.ts';
import { settingsOf } from './options.ts';

const KNOWN = new Set([
  'model',
  'messages',
  'stream',
  'tools',
  'options',
  'format',
  'think',
  'prompt',
  'system',
  'images',
  'suffix',
  'raw',
  'logprobs',
  'top_logprobs',
]);

/** Reads a request of Ollama's `/api/chat`. */
export function readRequest(fields: JsonObject): Prompt {
  const dropped = new Set<string>();
  const calls = new CallNames();
  const turns = (fields['messages'] === undefined ? [] : requiredObjects(fields, 'messages')).map(
    (message, index) => turnOf(message, calls, `messages[${index}]`),
  );
  return {
    ...settingsOf(fields, restOf(fields, KNOWN)),
    turns,
    tools: toolsOf(fields, dropped),
    logprobs: logprobsOf(fields),
    stream: streams(fields),
    dropped: [...dropped],
  };
}

/** Reads a request of Ollama's `/api/generate`. */
export function readGenerate(fields: JsonObject): Prompt {
  const { prompt = '', raw, suffix, system } = fields;
  if (typeof prompt !== 'string') throw malformed('prompt', 'a string');
  const completes = raw === true || asText(suffix) !== undefined;
  const content: ContentPart[] = [{ type: 'text', text: prompt }, ...imagesOf(fields['images'])];
  const said = asText(system);
  const before: Turn[] =
    said === undefined ? [] : [{ role: 'system', content: [{ type: 'text', text: said }] }];
  return {
    ...settingsOf(fields, restOf(fields, KNOWN)),
    turns: [...before, { role: 'user', content }],
    ...(completes ? { raw: { prompt, suffix: asText(suffix) } } : {}),
    tools: [],
    logprobs: logprobsOf(fields),
    stream: streams(fields),
    dropped: [],
  };
}

/** Streams unless it is told not to. */
function streams({ stream }: JsonObject): boolean {
  return stream !== false;
}

function turnOf(message: JsonObject, calls: CallNames, path: string): Turn {
  const { role, content = '' } = message;
  if (typeof content !== 'string') throw malformed(`${path}.content`, 'a string');
  switch (role) {
    case 'system':
      return { role, content: [{ type: 'text', text: content }] };
    case 'user':
      return { role, content: [{ type: 'text', text: content }, ...imagesOf(message['images'])] };
    case 'assistant':
      return { role, content: assistantParts(message, content, calls) };
    case 'tool': {
      const given = asText(message['tool_call_id']);
      const name = asText(message['tool_name']) ?? asText(message['name']);
      const text = { type: 'text', text: content } as const;
      return {
        role: 'user',
        content: [{ type: 'result', callId: calls.answered(given, name), content: [text] }],
      };
    }
    default:
      throw malformed(`${path}.role`, 'system, user, assistant or tool');
  }
}

function assistantParts(
  message: JsonObject,
  content: string,
  calls: CallNames,
): readonly AssistantPart[] {
  const parts: AssistantPart[] = [];
  const thinking = asText(message['thinking']);
  if (thinking !== undefined) parts.push({ type: 'reasoning', text: thinking });
  if (content !== '') parts.push({ type: 'text', text: content });
  for (const call of asObjects(message['tool_calls']) ?? []) {
    const called = asObject(call['function']) ?? {};
    const name = asText(called['name']) ?? '';
    parts.push({
      type: 'call',
      id: calls.made(asText(call['id']), name),
      name,
      arguments: argumentsText(called['arguments']),
    });
  }
  return parts;
}

/** Gives calls the ids that other dialects go by, where a client has none: Ollama needs none. */
class CallNames {
  readonly #open: { readonly id: string; readonly name: string }[] = [];
  #made = 0;

  made(given: string | undefined, name: string): string {
    const id = given ?? `call_${this.#made}`;
    this.#made += 1;
    this.#open.push({ id, name });
    return id;
  }

  /** The call that a result belongs to: the one it names, else the first that has none yet. */
  answered(given: string | undefined, name: string | undefined): string {
    const fits = this.#open.findIndex((call) =>
      given === undefined ? name === undefined || call.name === name : call.id === given,
    );
    const [call] = this.#open.splice(Math.max(0, fits), 1);
    return given ?? call?.id ?? name ?? '';
  }
}

/** Pictures are bare base64. */
function imagesOf(images: unknown): readonly ContentPart[] {
  if (!Array.isArray(images)) return [];
  return images.flatMap((data): ContentPart[] =>
    typeof data === 'string'
      ? [{ type: 'image', source: { data, mediaType: imageTypeOf(data) } }]
      : [],
  );
}

function toolsOf(fields: JsonObject, dropped: Set<string>): readonly Tool[] {
  return optionalObjects(fields, 'tools').flatMap((tool): Tool[] => {
    const declared = asObject(tool['function']);
    const name = asText(declared?.['name']);
    if (!declared || name === undefined) {
      dropped.add(`tools.${asText(tool['type']) ?? 'unknown'}`);
      return [];
    }
    return [
      {
        name,
        description: asText(declared['description']),
        parameters: asObject(declared['parameters']) ?? { type: 'object', properties: {} },
      },
    ];
  });
}
