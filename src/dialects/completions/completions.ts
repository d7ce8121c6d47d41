import type { ServerEvent } from '../../adapters/adapter.ts';
import {
  asNumber,
  asObject,
  asObjects,
  asText,
  parseJson,
  type JsonObject,
} from '../../adapters/json.ts';
import type { AnswerEvent } from '../answer.ts';
import type { AskedDialect, Draft } from '../dialect.ts';

/**
 * OpenAI's older completions, as a backend is asked for them: for a text that is to go on as it is, or
 * to be filled in.
 */
export const completions: AskedDialect = {
  writeRequest(prompt, { model, extras }): Draft {
    const { raw, limit, temperature, topP, topK, seed, stop, stream } = prompt;
    const fields: Record<string, unknown> = { model, prompt: raw?.prompt ?? '' };
    const dropped = new Set(prompt.dropped);
    if (prompt.logprobs) dropped.add('logprobs');
    const others = { top_k: topK, ...prompt.rest };
    const values = {
      suffix: raw?.suffix,
      max_tokens: limit,
      temperature,
      top_p: topP,
      seed,
      stop: stop.length > 0 ? stop : undefined,
      frequency_penalty: prompt.frequencyPenalty,
      presence_penalty: prompt.presencePenalty,
      ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
    };
    for (const [name, value] of Object.entries(values)) {
      if (value !== undefined) fields[name] = value;
    }
    for (const [name, value] of Object.entries(others)) {
      if (value === undefined) continue;
      if (extras.includes(name)) fields[name] = value;
      else dropped.add(name);
    }
    return { fields, dropped: [...dropped] };
  },

  eventReader() {
    let started = false;
    return ({ data }: ServerEvent) => {
      if (data === '[DONE]') return [{ type: 'end' }];
      const chunk = asObject(parseJson(data));
      if (!chunk) return [];
      const start: AnswerEvent[] = started
        ? []
        : [{ type: 'start', model: asText(chunk['model']) }];
      started = true;
      return [...start, ...eventsOf(chunk)];
    };
  },

  readAnswer: (answer) => [
    { type: 'start', model: asText(answer['model']) },
    ...eventsOf(answer),
    { type: 'end' },
  ],
};

function eventsOf(chunk: JsonObject): readonly AnswerEvent[] {
  const events: AnswerEvent[] = [];
  const [choice] = asObjects(chunk['choices']) ?? [];
  const text = asText(choice?.['text']);
  if (text !== undefined) events.push({ type: 'text', text });
  const usage = asObject(chunk['usage']);
  const input = asNumber(usage?.['prompt_tokens']);
  const output = asNumber(usage?.['completion_tokens']);
  if (input !== undefined || output !== undefined) {
    events.push({ type: 'usage', usage: { input: input ?? 0, output: output ?? 0 } });
  }
  if (choice?.['finish_reason'] === 'length') events.push({ type: 'stop', reason: 'length' });
  return events;
}
