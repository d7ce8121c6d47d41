import { asNumber, asObject, asObjects, asText, type JsonObject } from '../../adapters/json.ts';
import type {
  AssistantPart,
  ContentPart,
  Effort,
  Format,
  ImagePart,
  Media,
  Prompt,
  ResultPart,
  TextPart,
  Tool,
  ToolChoice,
  Turn,
} from '../prompt.ts';
import {
  fileOf,
  malformed,
  optionalObjects,
  requiredObjects,
  requiredText,
  restOf,
  stopsOf,
} from '../read.ts';
import { chosen } from '../tool-choice.ts';

const KNOWN = new Set([
  'model',
  'messages',
  'system',
  'max_tokens',
  'stream',
  'stop_sequences',
  'temperature',
  'top_p',
  'top_k',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'metadata',
  'cache_control',
]);

/** Reads a request of Anthropic's Messages. */
export function readRequest(fields: JsonObject): Prompt {
  const dropped = new Set<string>();
  const choice = asObject(fields['tool_choice']);
  const system = systemTurn(fields['system']);
  const turns = requiredObjects(fields, 'messages').map((message, index) =>
    turnOf(message, { path: `messages[${index}]`, dropped }),
  );
  if (asObject(fields['cache_control'])) dropped.add('cache_control');
  const limit = asNumber(fields['max_tokens']);
  return {
    turns: [...system, ...turns],
    ...chosen(toolsOf(fields, dropped), { choice: choiceOf(choice) }, dropped),
    parallelCalls: choice?.['disable_parallel_tool_use'] === true ? false : undefined,
    limit,
    limitIsFormal: limit !== undefined,
    stop: stopsOf(fields['stop_sequences']),
    temperature: asNumber(fields['temperature']),
    topP: asNumber(fields['top_p']),
    topK: asNumber(fields['top_k']),
    effort: effortOf(fields),
    format: formatOf(fields),
    user: asText(asObject(fields['metadata'])?.['user_id']),
    stream: fields['stream'] === true,
    rest: restOf(fields, KNOWN),
    dropped: [...dropped],
  };
}

interface Place {
  readonly path: string;
  readonly dropped: Set<string>;
}

function systemTurn(system: unknown): readonly Turn[] {
  const content =
    typeof system === 'string'
      ? [{ type: 'text', text: system } as const]
      : (asObjects(system) ?? []).flatMap(textPart);
  return content.length > 0 ? [{ role: 'system', content }] : [];
}

function textPart(block: JsonObject): readonly TextPart[] {
  const { text } = block;
  return typeof text === 'string' ? [{ type: 'text', text, ...cacheOf(block) }] : [];
}

function cacheOf(block: JsonObject): { cache?: JsonObject } {
  const cache = asObject(block['cache_control']);
  return cache ? { cache } : {};
}

function turnOf(message: JsonObject, place: Place): Turn {
  const { role } = message;
  const blocks = blocksOf(message['content'], place);
  switch (role) {
    case 'user':
      return { role, content: blocks.flatMap((block) => userPart(block, place)) };
    case 'assistant':
      return { role, content: blocks.flatMap((block) => assistantPart(block, place)) };
    case 'system':
      return { role, content: blocks.flatMap(textPart) };
    default:
      throw malformed(`${place.path}.role`, 'user or assistant');
  }
}

function blocksOf(content: unknown, { path }: Place): readonly JsonObject[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  const blocks = asObjects(content);
  if (!blocks) throw malformed(`${path}.content`, 'a string or an array of blocks');
  return blocks;
}

function userPart(block: JsonObject, place: Place): readonly (ContentPart | ResultPart)[] {
  if (block['type'] !== 'tool_result') return contentPart(block, place);
  const callId = requiredText(block, 'tool_use_id', `${place.path}.content.tool_use_id`);
  const { content } = block;
  const blocks = content === undefined || content === null ? [] : blocksOf(content, place);
  return [
    {
      type: 'result',
      callId,
      content: blocks.flatMap((one) => contentPart(one, place)),
      ...(block['is_error'] === true ? { failed: true } : {}),
      ...cacheOf(block),
    },
  ];
}

function contentPart(block: JsonObject, place: Place): readonly ContentPart[] {
  switch (block['type']) {
    case 'text':
      return textPart(block);
    case 'image': {
      const image = imagePart(block);
      if (image) return [image];
      break;
    }
    case 'document': {
      const document = documentParts(block, place);
      if (document) return document;
      break;
    }
    case 'search_result': {
      const lines = [asText(block['title']), asText(block['source'])].filter(Boolean);
      const texts = (asObjects(block['content']) ?? []).flatMap(textPart);
      return [{ type: 'text', text: [...lines, ...texts.map(({ text }) => text)].join('\n') }];
    }
    case 'tool_reference':
      return [{ type: 'text', text: `Tool: ${asText(block['tool_name']) ?? ''}` }];
  }
  place.dropped.add(asText(block['type']) ?? 'content');
  return [];
}

function imagePart(block: JsonObject): ImagePart | undefined {
  const source = sourceOf(asObject(block['source']), 'image/png');
  return source && { type: 'image', source, ...cacheOf(block) };
}

function sourceOf(source: JsonObject | undefined, usual: string): Media | undefined {
  switch (source?.['type']) {
    case 'base64': {
      const data = asText(source['data']);
      return data === undefined
        ? undefined
        : { data, mediaType: asText(source['media_type']) ?? usual };
    }
    case 'url': {
      const url = asText(source['url']);
      return url === undefined ? undefined : { url };
    }
    case 'file':
      return fileOf(source['file_id']);
    default:
      return undefined;
  }
}

function documentParts(block: JsonObject, place: Place): readonly ContentPart[] | undefined {
  const source = asObject(block['source']);
  const name = asText(block['title']);
  const context = asText(block['context']);
  const before: TextPart[] = context === undefined ? [] : [{ type: 'text', text: context }];
  if (asObject(block['citations'])?.['enabled'] === true) place.dropped.add('citations');
  if (source?.['type'] === 'text') {
    const text = asText(source['data']) ?? '';
    const titled = name === undefined ? text : `${name}:\n\n${text}`;
    return [...before, { type: 'text', text: titled, ...cacheOf(block) }];
  }
  if (source?.['type'] === 'content') {
    const blocks = blocksOf(source['content'], place);
    return [...before, ...blocks.flatMap((one) => contentPart(one, place))];
  }
  const media = sourceOf(source, 'application/pdf');
  return media && [...before, { type: 'file', source: media, name, ...cacheOf(block) }];
}

function assistantPart(block: JsonObject, place: Place): readonly AssistantPart[] {
  switch (block['type']) {
    case 'text':
      return textPart(block);
    case 'thinking':
      return [
        {
          type: 'reasoning',
          text: asText(block['thinking']) ?? '',
          signature: asText(block['signature']),
        },
      ];
    case 'redacted_thinking':
      return [{ type: 'reasoning', text: '', opaque: asText(block['data']) }];
    case 'tool_use':
      return [
        {
          type: 'call',
          id: requiredText(block, 'id', `${place.path}.content.id`),
          name: requiredText(block, 'name', `${place.path}.content.name`),
          arguments: JSON.stringify(block['input'] ?? {}),
          ...cacheOf(block),
        },
      ];
    default:
      // What Anthropic's own tools did and found.
      place.dropped.add(asText(block['type']) ?? 'content');
      return [];
  }
}

function toolsOf(fields: JsonObject, dropped: Set<string>): readonly Tool[] {
  return optionalObjects(fields, 'tools').flatMap((tool): Tool[] => {
    const name = asText(tool['name']);
    const parameters = asObject(tool['input_schema']);
    if (name === undefined || !parameters) {
      // Anthropic's own tools, whose schema only its models know.
      dropped.add(`tools.${asText(tool['type']) ?? 'unknown'}`);
      return [];
    }
    const { strict } = tool;
    return [
      {
        name,
        description: asText(tool['description']),
        parameters,
        ...(typeof strict === 'boolean' ? { strict } : {}),
        ...cacheOf(tool),
      },
    ];
  });
}

function choiceOf(choice: JsonObject | undefined): ToolChoice | undefined {
  switch (choice?.['type']) {
    case 'auto':
    case 'none':
      return choice['type'];
    case 'any':
      return 'required';
    case 'tool': {
      const name = asText(choice['name']);
      return name === undefined ? undefined : { name };
    }
    default:
      return undefined;
  }
}

function effortOf(fields: JsonObject): Effort | undefined {
  const thinking = asObject(fields['thinking']);
  if (thinking?.['type'] === 'disabled') return { enabled: false };
  const wanted = asText(asObject(fields['output_config'])?.['effort']);
  if (!thinking && wanted === undefined) return undefined;
  // Others have no more than that.
  const level = wanted === 'xhigh' || wanted === 'max' ? 'high' : wanted;
  return { enabled: true, level, budget: asNumber(thinking?.['budget_tokens']) };
}

function formatOf(fields: JsonObject): Format | undefined {
  const format =
    asObject(asObject(fields['output_config'])?.['format']) ?? asObject(fields['output_format']);
  const schema = asObject(format?.['schema']);
  return schema && { type: 'schema', schema, strict: true };
}
