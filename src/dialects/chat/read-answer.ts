import type { ServerEvent } from '../../adapters/adapter.ts';
import {
  asNumber,
  asObject,
  asObjects,
  asText,
  parseJson,
  type JsonObject,
} from '../../adapters/json.ts';
import type { AnswerEvent, Logprobs, StopReason, TokenUsage } from '../answer.ts';
import { thoughtOf } from '../call-signature.ts';
import { AnswerFailed } from '../dialect.ts';
import { wrapFreeText } from '../free-text.ts';
import { CallOrder } from './call-order.ts';

/** Reads a stream of chat completions, as OpenAI and its many imitators write it. */
export function eventReader(): (event: ServerEvent) => readonly AnswerEvent[] {
  const order = new CallOrder();
  let started = false;
  let stop: AnswerEvent | undefined;
  return ({ data }) => {
    if (data === '[DONE]') {
      const rest = order.rest();
      return stop ? [...rest, stop, { type: 'end' }] : [...rest, { type: 'end' }];
    }
    const chunk = asObject(parseJson(data));
    if (!chunk) return [];
    const events: AnswerEvent[] = [];
    if (!started) {
      started = true;
      events.push({ type: 'start', model: asText(chunk['model']) });
    }
    const choice = choiceOf(chunk);
    const delta = choice && (asObject(choice['delta']) ?? asObject(choice['message']));
    if (delta) readMessage(delta, { order, logprobs: logprobsOf(choice) }, events);
    // Told at the end: some backends send text with it or after it.
    stop = (choice && stopOf(choice)) ?? stop;
    const usage = usageOf(chunk['usage']);
    if (usage) events.push({ type: 'usage', usage });
    return events;
  };
}

/** Reads a chat completion that is not a stream. */
export function readAnswer(answer: JsonObject): readonly AnswerEvent[] {
  const order = new CallOrder();
  const events: AnswerEvent[] = [{ type: 'start', model: asText(answer['model']) }];
  const choice = choiceOf(answer);
  if (!choice) throw new AnswerFailed('it has no choices');
  const message = asObject(choice['message']);
  if (message) readMessage(message, { order, logprobs: logprobsOf(choice) }, events);
  events.push(...order.rest());
  const usage = usageOf(answer['usage']);
  if (usage) events.push({ type: 'usage', usage });
  const stop = stopOf(choice);
  if (stop) events.push(stop);
  events.push({ type: 'end' });
  return events;
}

/** The first choice; whoever asks through another dialect can't ask for more. */
function choiceOf(chunk: JsonObject): JsonObject | undefined {
  return asObjects(chunk['choices'])?.find(({ index }) => (index ?? 0) === 0);
}

function logprobsOf(choice: JsonObject | undefined): Logprobs | undefined {
  const list = asObjects(asObject(choice?.['logprobs'])?.['content']);
  return list && list.length > 0 ? list : undefined;
}

function readMessage(
  message: JsonObject,
  { order, logprobs }: { readonly order: CallOrder; readonly logprobs: Logprobs | undefined },
  events: AnswerEvent[],
): void {
  // Some have it under both names.
  const reasoning =
    asText(message['reasoning_content']) ??
    asText(message['reasoning']) ??
    asText(message['thinking']);
  if (reasoning !== undefined) events.push(...order.rest(), { type: 'reasoning', text: reasoning });
  const { content } = message;
  if (typeof content === 'string') {
    if (content !== '') {
      events.push(...order.rest(), { type: 'text', text: content, ...(logprobs && { logprobs }) });
    }
  } else {
    for (const part of asObjects(content) ?? []) readPart(part, events);
  }
  const refusal = asText(message['refusal']);
  if (refusal !== undefined) events.push({ type: 'refusal', text: refusal });
  for (const [at, call] of (asObjects(message['tool_calls']) ?? []).entries()) {
    const custom = asObject(call['custom']);
    const called = custom ?? asObject(call['function']) ?? {};
    const name = asText(called['name']);
    const id = asText(call['id']);
    const thought = thoughtOf(call);
    if (thought !== undefined) events.push({ type: 'opaque', data: thought });
    events.push(
      ...order.take({
        // Gemini leaves it out where there is one call.
        index: asNumber(call['index']) ?? (name === undefined ? undefined : `${id ?? at}`),
        id,
        name,
        arguments: custom ? wrapFreeText(custom['input']) : argumentsOf(called['arguments']),
      }),
    );
  }
  const old = asObject(message['function_call']);
  if (old) {
    const name = asText(old['name']);
    events.push(
      ...order.take({ index: 0, id: undefined, name, arguments: argumentsOf(old['arguments']) }),
    );
  }
}

/** Some backends give an object where its JSON belongs. */
function argumentsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

/** Mistral's content in parts. */
function readPart(part: JsonObject, events: AnswerEvent[]): void {
  const text = asText(part['text']);
  if (part['type'] === 'text' && text !== undefined) events.push({ type: 'text', text });
  if (part['type'] !== 'thinking') return;
  for (const piece of asObjects(part['thinking']) ?? []) {
    const thought = asText(piece['text']);
    if (thought !== undefined) events.push({ type: 'reasoning', text: thought });
  }
}

const REASONS: Readonly<Record<string, StopReason>> = {
  stop: 'end',
  length: 'length',
  tool_calls: 'calls',
  function_call: 'calls',
  content_filter: 'filtered',
};

function stopOf(choice: JsonObject): AnswerEvent | undefined {
  const told = asText(choice['finish_reason']);
  if (told === undefined) return undefined;
  const reason = REASONS[told] ?? 'end';
  // vLLM and SGLang name the stop sequence that they met.
  const sequence = asText(choice['stop_reason']) ?? asText(choice['matched_stop']);
  return reason === 'end' && sequence !== undefined
    ? { type: 'stop', reason: 'stop-sequence', sequence }
    : { type: 'stop', reason };
}

function usageOf(value: unknown): TokenUsage | undefined {
  const usage = asObject(value);
  if (!usage) return undefined;
  const input = asNumber(usage['prompt_tokens']);
  const output = asNumber(usage['completion_tokens']);
  if (input === undefined && output === undefined) return undefined;
  const read = asObject(usage['prompt_tokens_details']);
  const written = asObject(usage['completion_tokens_details']);
  return {
    input: input ?? 0,
    output: output ?? 0,
    // DeepSeek has a name of its own.
    cached: asNumber(read?.['cached_tokens']) ?? asNumber(usage['prompt_cache_hit_tokens']),
    cacheWritten: asNumber(read?.['cache_write_tokens']),
    reasoning: asNumber(written?.['reasoning_tokens']),
  };
}
