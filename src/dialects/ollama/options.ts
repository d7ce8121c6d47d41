import { asNumber, asObject, asText, type JsonObject } from '../../adapters/json.ts';
import type { Effort, Format, Prompt } from '../prompt.ts';
import { stopsOf } from '../read.ts';

/** The `options` that have a counterpart of their own elsewhere. */
const KNOWN = new Set([
  'num_predict',
  'temperature',
  'top_p',
  'top_k',
  'seed',
  'stop',
  'frequency_penalty',
  'presence_penalty',
]);
/** All that its `options` may have, as far as is known. */
export const OPTIONS = [
  ...KNOWN,
  'min_p',
  'mirostat',
  'mirostat_eta',
  'mirostat_tau',
  'num_batch',
  'num_ctx',
  'num_gpu',
  'num_keep',
  'num_thread',
  'repeat_last_n',
  'typical_p',
] as const;
/** Others, under the names that they have elsewhere. */
const RENAMED: Readonly<Record<string, string>> = { repeat_penalty: 'repetition_penalty' };

/** What a request's `options`, `format` and `think` say. */
export type Settings = Pick<
  Prompt,
  | 'limit'
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'seed'
  | 'stop'
  | 'frequencyPenalty'
  | 'presencePenalty'
  | 'effort'
  | 'format'
  | 'rest'
>;

/** @param others Fields beside these that a request has. */
export function settingsOf(fields: JsonObject, others: JsonObject): Settings {
  const options = asObject(fields['options']) ?? {};
  const limit = asNumber(options['num_predict']);
  const unknown = Object.entries(options).filter(
    ([name, value]) => !KNOWN.has(name) && value !== null && value !== undefined,
  );
  return {
    // A negative one is none.
    limit: limit !== undefined && limit > 0 ? limit : undefined,
    temperature: asNumber(options['temperature']),
    topP: asNumber(options['top_p']),
    topK: asNumber(options['top_k']),
    seed: asNumber(options['seed']),
    stop: stopsOf(options['stop']),
    frequencyPenalty: asNumber(options['frequency_penalty']),
    presencePenalty: asNumber(options['presence_penalty']),
    effort: effortOf(fields['think']),
    format: formatOf(fields['format']),
    rest: {
      ...others,
      ...Object.fromEntries(unknown.map(([name, value]) => [RENAMED[name] ?? name, value])),
    },
  };
}

function effortOf(think: unknown): Effort | undefined {
  if (typeof think === 'boolean') return { enabled: think };
  const level = asText(think);
  return level === undefined ? undefined : { enabled: true, level };
}

function formatOf(format: unknown): Format | undefined {
  if (format === 'json') return { type: 'json' };
  const schema = asObject(format);
  return schema && { type: 'schema', schema, strict: true };
}

/** The reverse: the fields of a request. */
export function fieldsOf(prompt: Prompt): { fields: JsonObject; dropped: readonly string[] } {
  const { effort, format } = prompt;
  const renamed = Object.fromEntries(
    Object.entries(RENAMED).map(([native, name]) => [native, prompt.rest[name]]),
  );
  const given = asObject(prompt.rest['options']) ?? {};
  const options = withoutUnset({
    ...given,
    num_predict: prompt.limit,
    temperature: prompt.temperature,
    top_p: prompt.topP,
    top_k: prompt.topK,
    min_p: prompt.rest['min_p'],
    seed: prompt.seed,
    stop: prompt.stop.length > 0 ? prompt.stop : undefined,
    frequency_penalty: prompt.frequencyPenalty,
    presence_penalty: prompt.presencePenalty,
    ...renamed,
  });
  const taken = new Set(['options', 'min_p', 'keep_alive', ...Object.values(RENAMED)]);
  return {
    fields: withoutUnset({
      options: Object.keys(options).length > 0 ? options : undefined,
      think: effort && thinkOf(effort),
      format: format && (format.type === 'json' ? 'json' : format.schema),
      keep_alive: prompt.rest['keep_alive'],
    }),
    dropped: Object.keys(prompt.rest).filter((name) => !taken.has(name)),
  };
}

/** Only a few models tell levels apart; to the others, any of these words means yes. */
function thinkOf({ enabled, level }: Effort): unknown {
  if (!enabled) return false;
  if (level === undefined) return true;
  const known = level === 'minimal' ? 'low' : level;
  return known === 'low' || known === 'medium' || known === 'high' ? known : 'high';
}

function withoutUnset(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
