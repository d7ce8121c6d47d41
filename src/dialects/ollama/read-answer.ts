import type { ServerEvent } from '../../adapters/adapter.ts';
import {
  asNumber,
  asObject,
  asObjects,
  asText,
  parseJson,
  type JsonObject,
} from '../../adapters/json.ts';
import type { AnswerEvent, StopReason } from '../answer.ts';
import { AnswerFailed } from '../dialect.ts';

/** Reads a stream of Ollama's `/api/chat`: a line of JSON each. */
export function eventReader(): (event: ServerEvent) => readonly AnswerEvent[] {
  let started = false;
  return ({ data }) => {
    const line = asObject(parseJson(data));
    if (!line) return [];
    const start: AnswerEvent[] = started ? [] : [{ type: 'start', model: asText(line['model']) }];
    started = true;
    return [...start, ...eventsOf(line)];
  };
}

/** Reads an answer that is not a stream: one such line. */
export function readAnswer(answer: JsonObject): readonly AnswerEvent[] {
  if (!asObject(answer['message'])) throw new AnswerFailed('it has no message');
  const events = eventsOf({ ...answer, done: true });
  return [{ type: 'start', model: asText(answer['model']) }, ...events];
}

function eventsOf(line: JsonObject): readonly AnswerEvent[] {
  const events: AnswerEvent[] = [];
  const message = asObject(line['message']) ?? {};
  const thinking = asText(message['thinking']);
  const content = asText(message['content']);
  if (thinking !== undefined) events.push({ type: 'reasoning', text: thinking });
  const logprobs = asObjects(line['logprobs']);
  if (content !== undefined) {
    events.push({ type: 'text', text: content, ...(logprobs && { logprobs }) });
  }
  for (const call of asObjects(message['tool_calls']) ?? []) {
    const called = asObject(call['function']) ?? {};
    events.push(
      { type: 'call', id: asText(call['id']) ?? '', name: asText(called['name']) ?? '' },
      { type: 'arguments', text: JSON.stringify(called['arguments'] ?? {}) },
    );
  }
  if (line['done'] !== true) return events;
  const input = asNumber(line['prompt_eval_count']);
  const output = asNumber(line['eval_count']);
  if (input !== undefined || output !== undefined) {
    events.push({ type: 'usage', usage: { input: input ?? 0, output: output ?? 0 } });
  }
  events.push({ type: 'stop', reason: reasonOf(line['done_reason']) }, { type: 'end' });
  return events;
}

function reasonOf(reason: unknown): StopReason {
  return reason === 'length' ? 'length' : 'end';
}
