import type { ServerEvent } from '../../adapters/adapter.ts';
import {
  asNumber,
  asObject,
  asObjects,
  asText,
  parseJson,
  type JsonObject,
} from '../../adapters/json.ts';
import type { AnswerEvent, TokenUsage } from '../answer.ts';
import { AnswerFailed } from '../dialect.ts';
import { calledBy } from './tools.ts';

/** Reads a stream of Responses. */
export function eventReader(): (event: ServerEvent) => readonly AnswerEvent[] {
  let started = false;
  /** Items whose words, thoughts or arguments have come in parts. */
  const told = new Set<unknown>();
  /** Of the custom tool's call that is open: its text is in the midst of a JSON string. */
  let quoted: unknown;
  return ({ data }) => {
    const event = asObject(parseJson(data));
    if (!event) return [];
    const item = asObject(event['item']);
    const delta = asText(event['delta']);
    const id = event['item_id'];
    switch (event['type']) {
      case 'response.created':
      case 'response.in_progress': {
        if (started) return [];
        started = true;
        return [{ type: 'start', model: asText(asObject(event['response'])?.['model']) }];
      }
      case 'response.output_text.delta':
        return words(delta, event['logprobs']);
      case 'response.refusal.delta':
        return text('refusal', delta);
      case 'response.reasoning_text.delta':
      case 'response.reasoning_summary_text.delta':
        return text('reasoning', delta);
      case 'response.output_item.added':
        return item?.['type'] === 'function_call' || item?.['type'] === 'custom_tool_call'
          ? callOf(item)
          : [];
      case 'response.function_call_arguments.delta':
        told.add(id);
        return text('arguments', delta);
      case 'response.custom_tool_call_input.delta': {
        if (delta === undefined) return [];
        const opening = quoted === id ? '' : '{"input":"';
        quoted = id;
        told.add(id);
        return [{ type: 'arguments', text: opening + JSON.stringify(delta).slice(1, -1) }];
      }
      case 'response.output_item.done': {
        if (!item) return [];
        if (item['id'] === quoted && quoted !== undefined) {
          quoted = undefined;
          return [{ type: 'arguments', text: '"}' }];
        }
        return told.has(item['id']) ? [] : argumentsOf(item);
      }
      case 'response.completed':
      case 'response.incomplete':
        return endOf(asObject(event['response']) ?? {});
      case 'response.failed':
        throw failureOf(asObject(event['response']));
      default:
        return [];
    }
  };
}

/** Reads a Response that is no stream. */
export function readAnswer(response: JsonObject): readonly AnswerEvent[] {
  if (response['status'] === 'failed') throw failureOf(response);
  const output = asObjects(response['output']);
  if (!output) throw new AnswerFailed('it has no output');
  const events: AnswerEvent[] = [{ type: 'start', model: asText(response['model']) }];
  for (const item of output) events.push(...itemEvents(item));
  return [...events, ...endOf(response)];
}

function itemEvents(item: JsonObject): readonly AnswerEvent[] {
  const parts = [...(asObjects(item['summary']) ?? []), ...(asObjects(item['content']) ?? [])];
  switch (item['type']) {
    case 'message':
      return parts.flatMap((part) =>
        part['type'] === 'refusal'
          ? text('refusal', asText(part['refusal']))
          : words(asText(part['text']), part['logprobs']),
      );
    case 'reasoning':
      return parts.flatMap((part) => text('reasoning', asText(part['text'])));
    default:
      return [...callOf(item), ...argumentsOf(item)];
  }
}

function callOf(item: JsonObject): readonly AnswerEvent[] {
  const called = calledBy(item);
  return called ? [{ type: 'call', id: asText(item['call_id']) ?? '', name: called.name }] : [];
}

function argumentsOf(item: JsonObject): readonly AnswerEvent[] {
  const called = calledBy(item);
  return called ? text('arguments', called.json) : [];
}

function text(
  type: 'refusal' | 'reasoning' | 'arguments',
  value: string | undefined,
): readonly AnswerEvent[] {
  return value === undefined ? [] : [{ type, text: value }];
}

function words(value: string | undefined, given: unknown): readonly AnswerEvent[] {
  const logprobs = asObjects(given) ?? [];
  if (value === undefined) return [];
  return [{ type: 'text', text: value, ...(logprobs.length > 0 && { logprobs }) }];
}

function endOf(response: JsonObject): readonly AnswerEvent[] {
  const usage = usageOf(asObject(response['usage']));
  const events: AnswerEvent[] = usage ? [{ type: 'usage', usage }] : [];
  const reason = asObject(response['incomplete_details'])?.['reason'];
  if (response['status'] === 'incomplete') {
    events.push({ type: 'stop', reason: reason === 'content_filter' ? 'filtered' : 'length' });
  }
  return [...events, { type: 'end' }];
}

function usageOf(usage: JsonObject | undefined): TokenUsage | undefined {
  const input = asNumber(usage?.['input_tokens']);
  const output = asNumber(usage?.['output_tokens']);
  if (!usage || (input === undefined && output === undefined)) return undefined;
  const read = asObject(usage['input_tokens_details']);
  return {
    input: input ?? 0,
    output: output ?? 0,
    cached: asNumber(read?.['cached_tokens']),
    cacheWritten: asNumber(read?.['cache_write_tokens']),
    reasoning: asNumber(asObject(usage['output_tokens_details'])?.['reasoning_tokens']),
  };
}

function failureOf(response: JsonObject | undefined): AnswerFailed {
  const message = asText(asObject(response?.['error'])?.['message']);
  return new AnswerFailed(message ?? 'the model failed, and nobody says why');
}
