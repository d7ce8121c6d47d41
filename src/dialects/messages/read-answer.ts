import type { ServerEvent } from '../../adapters/adapter.ts';
import {
  asNumber,
  asObject,
  asObjects,
  asText,
  parseJson,
  withoutNulls,
  type JsonObject,
} from '../../adapters/json.ts';
import type { AnswerEvent, StopReason, TokenUsage } from '../answer.ts';
import { AnswerFailed } from '../dialect.ts';

/** Reads a stream of Anthropic's Messages. */
export function eventReader(): (event: ServerEvent) => readonly AnswerEvent[] {
  let usage: JsonObject = {};
  /** A call's block may have its input at its start, and no deltas. */
  let input: string | undefined;
  return ({ data }) => {
    const event = asObject(parseJson(data));
    switch (event?.['type']) {
      case 'message_start': {
        const message = asObject(event['message']) ?? {};
        usage = asObject(message['usage']) ?? {};
        return [{ type: 'start', model: asText(message['model']) }, ...told(usage)];
      }
      case 'content_block_start': {
        const block = asObject(event['content_block']) ?? {};
        input = undefined;
        if (block['type'] !== 'tool_use') return blockEvents(block);
        const given = asObject(block['input']);
        if (given && Object.keys(given).length > 0) input = JSON.stringify(given);
        return [callOf(block)];
      }
      case 'content_block_delta': {
        const delta = asObject(event['delta']) ?? {};
        if (delta['type'] === 'input_json_delta') input = undefined;
        return deltaEvents(delta);
      }
      case 'content_block_stop': {
        const text = input;
        input = undefined;
        return text === undefined ? [] : [{ type: 'arguments', text }];
      }
      case 'message_delta': {
        usage = { ...usage, ...withoutNulls(asObject(event['usage']) ?? {}) };
        return [...told(usage), ...stopOf(asObject(event['delta']) ?? {})];
      }
      case 'message_stop':
        return [{ type: 'end' }];
      default:
        return [];
    }
  };
}

/** Reads a Message that is no stream. */
export function readAnswer(answer: JsonObject): readonly AnswerEvent[] {
  const blocks = asObjects(answer['content']);
  if (!blocks) throw new AnswerFailed('it has no content');
  return [
    { type: 'start', model: asText(answer['model']) },
    ...blocks.flatMap((block) =>
      block['type'] === 'tool_use'
        ? [
            callOf(block),
            { type: 'arguments', text: JSON.stringify(block['input'] ?? {}) } as const,
          ]
        : blockEvents(block),
    ),
    ...told(asObject(answer['usage']) ?? {}),
    ...stopOf(answer),
    { type: 'end' },
  ];
}

function callOf(block: JsonObject): AnswerEvent {
  return { type: 'call', id: asText(block['id']) ?? '', name: asText(block['name']) ?? '' };
}

/** A block that may have all of it at its start. What Anthropic's own tools did is left out. */
function blockEvents(block: JsonObject): readonly AnswerEvent[] {
  switch (block['type']) {
    case 'text':
      return deltaEvents({ type: 'text_delta', text: block['text'] });
    case 'thinking':
      return [
        ...deltaEvents({ type: 'thinking_delta', thinking: block['thinking'] }),
        ...deltaEvents({ type: 'signature_delta', signature: block['signature'] }),
      ];
    case 'redacted_thinking': {
      const data = asText(block['data']);
      return data === undefined ? [] : [{ type: 'opaque', data }];
    }
    default:
      return [];
  }
}

function deltaEvents(delta: JsonObject): readonly AnswerEvent[] {
  switch (delta['type']) {
    case 'text_delta': {
      const text = asText(delta['text']);
      return text === undefined ? [] : [{ type: 'text', text }];
    }
    case 'thinking_delta': {
      const text = asText(delta['thinking']);
      return text === undefined ? [] : [{ type: 'reasoning', text }];
    }
    case 'signature_delta': {
      const signature = asText(delta['signature']);
      return signature === undefined ? [] : [{ type: 'signature', signature }];
    }
    case 'input_json_delta': {
      const text = asText(delta['partial_json']);
      return text === undefined ? [] : [{ type: 'arguments', text }];
    }
    default:
      return [];
  }
}

const REASONS: Readonly<Record<string, StopReason>> = {
  end_turn: 'end',
  max_tokens: 'length',
  stop_sequence: 'stop-sequence',
  tool_use: 'calls',
  refusal: 'filtered',
  model_context_window_exceeded: 'context',
  pause_turn: 'pause',
};

function stopOf(end: JsonObject): readonly AnswerEvent[] {
  const told = asText(end['stop_reason']);
  if (told === undefined) return [];
  const sequence = asText(end['stop_sequence']);
  return [{ type: 'stop', reason: REASONS[told] ?? 'end', sequence }];
}

function told(usage: JsonObject): readonly AnswerEvent[] {
  const read = usageOf(usage);
  return read ? [{ type: 'usage', usage: read }] : [];
}

function usageOf(usage: JsonObject): TokenUsage | undefined {
  const input = asNumber(usage['input_tokens']);
  const output = asNumber(usage['output_tokens']);
  if (input === undefined && output === undefined) return undefined;
  const cached = asNumber(usage['cache_read_input_tokens']);
  const cacheWritten = asNumber(usage['cache_creation_input_tokens']);
  return {
    input: (input ?? 0) + (cached ?? 0) + (cacheWritten ?? 0),
    output: output ?? 0,
    cached,
    cacheWritten,
    reasoning: asNumber(asObject(usage['output_tokens_details'])?.['thinking_tokens']),
  };
}
