import { RequestRefused } from '../../adapters/adapter.ts';
import { asNumber, asObject, asObjects, type JsonObject } from '../../adapters/json.ts';
import { AnswerFailed } from '../dialect.ts';

/** How embeddings are asked for and given on Ollama's two routes for them. */
interface EmbedRoute {
  readonly input: (fields: JsonObject) => unknown;
  readonly answer: (vectors: readonly unknown[], about: JsonObject) => JsonObject;
}

/** `/api/embed`: several texts, several vectors. */
const embed: EmbedRoute = {
  input: ({ input }) => input,
  answer: (vectors, about) => ({ ...about, embeddings: vectors }),
};

/** `/api/embeddings`, the older one: one of each. */
const embeddings: EmbedRoute = {
  input: ({ prompt }) => prompt,
  answer: ([vector]) => ({ embedding: vector ?? [] }),
};

export const EMBED_ROUTES = { ollamaEmbed: embed, ollamaEmbeddings: embeddings } as const;

/** What of such a request OpenAI's has a place for. */
export const EMBED_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'input',
  'prompt',
  'dimensions',
]);

/** An embeddings request of OpenAI's. @throws RequestRefused */
export function embedRequest(route: EmbedRoute, fields: JsonObject): JsonObject {
  const input = route.input(fields) ?? [];
  const texts = Array.isArray(input) ? input : [input];
  if (!texts.every((text) => typeof text === 'string')) {
    throw new RequestRefused('The field "input" must be a string or an array of strings.', 'input');
  }
  const dimensions = asNumber(fields['dimensions']);
  return {
    input,
    encoding_format: 'float',
    ...(dimensions === undefined ? {} : { dimensions }),
  };
}

/**
 * OpenAI's answer in Ollama's words.
 * @param took Milliseconds.
 * @throws AnswerFailed
 */
export function embedAnswer(
  route: EmbedRoute,
  answer: JsonObject | undefined,
  { model, took }: { readonly model: string; readonly took: number },
): JsonObject {
  const entries = asObjects(answer?.['data']);
  if (!entries) throw new AnswerFailed('it has no vectors');
  const vectors = entries
    .toSorted((one, other) => Number(one['index'] ?? 0) - Number(other['index'] ?? 0))
    .map(({ embedding }) => embedding);
  return route.answer(vectors, {
    model,
    total_duration: Math.round(took * 1_000_000),
    load_duration: 0,
    prompt_eval_count: asNumber(asObject(answer?.['usage'])?.['prompt_tokens']) ?? 0,
  });
}
