import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { AdapterCall, Answer, OperationSpec, RequestPatch } from './adapter.ts';
import { RequestRefused } from './adapter.ts';
import { asNumber, asObject, asObjects, asText, parseJson, type JsonObject } from './json.ts';

/** Rerank in Jina's shape outward, whatever the backend's is. */
export const rerank = {
  path: '/v1/rerank',
  request: (call) => merge(dropEmptyTopN(call), loneTextsAsText(call)),
  response: (call) => ({ body: (body) => toJina(body, call) }),
} satisfies OperationSpec;

/** For backends whose documents must be strings. */
export const textRerank = {
  ...rerank,
  request: (call) => merge(dropEmptyTopN(call), documentsAsText(call)),
} satisfies OperationSpec;

/** `top_n: 0` means all to some, is an error to others (LocalAI's 422); absent means all to all. */
function dropEmptyTopN({ fields }: AdapterCall): RequestPatch | undefined {
  const { top_n: given } = fields;
  return given !== undefined && Number(given) <= 0 ? { remove: ['top_n'] } : undefined;
}

/** `{"text": …}` and no more says what the string says, and vLLM and others take only that. */
function loneTextsAsText({ fields }: AdapterCall): RequestPatch | undefined {
  const { documents } = fields;
  if (!Array.isArray(documents) || !documents.some((item) => loneText(item) !== undefined)) {
    return undefined;
  }
  return { set: { documents: (documents as unknown[]).map((item) => loneText(item) ?? item) } };
}

function loneText(document: unknown): string | undefined {
  const { text, ...rest } = asObject(document) ?? {};
  return typeof text === 'string' && Object.keys(rest).length === 0 ? text : undefined;
}

function documentsAsText({ fields }: AdapterCall): RequestPatch | undefined {
  const { documents } = fields;
  if (!Array.isArray(documents) || documents.every((item) => typeof item === 'string')) {
    return undefined;
  }
  const texts = (documents as unknown[]).map((item, index) => {
    const text = typeof item === 'string' ? item : asObject(item)?.['text'];
    if (typeof text === 'string') return text;
    throw new RequestRefused(
      `documents[${index}] must be a string or {"text": "…"}: this backend reranks text only.`,
      'documents',
    );
  });
  return { set: { documents: texts } };
}

/** Two patches of different fields as one. */
export function merge(
  one: RequestPatch | undefined,
  other: RequestPatch | undefined,
): RequestPatch | undefined {
  if (!one || !other) return one ?? other;
  return {
    set: { ...one.set, ...other.set },
    remove: [...(one.remove ?? []), ...(other.remove ?? [])],
  };
}

interface Ranked {
  readonly index: number;
  readonly relevance_score: number;
  readonly document?: unknown;
}

function toJina(body: Buffer, call: AdapterCall): Answer | undefined {
  const answer = parseJson(body.toString('utf8'));
  const object = asObject(answer);
  // SGLang and TEI answer a bare array; LocalAI's `results` is null when nothing was found.
  const list = object ? ('results' in object ? object['results'] : object['data']) : answer;
  const entries = asObjects(object && list === null ? [] : list);
  if (!entries) return undefined;
  const ranked = entries.map((entry, position) => rank(entry, position, call));
  ranked.sort((one, other) => other.relevance_score - one.relevance_score);
  const outward = {
    id: asText(object?.['id']) ?? `rerank-${randomUUID()}`,
    model: asText(object?.['model']) ?? call.model,
    object: 'list',
    usage: usageOf(object, entries, call),
    results: ranked.slice(0, topN(call)),
  };
  if (isDeepStrictEqual(answer, outward)) return undefined;
  return { body: JSON.stringify(outward), contentType: 'application/json' };
}

function rank(entry: JsonObject, position: number, call: AdapterCall): Ranked {
  const score = asNumber(entry['relevance_score']) ?? asNumber(entry['score']);
  if (score === undefined) throw new Error('a rerank result has no score');
  const index = asNumber(entry['index']) ?? position;
  // Raw logits and probabilities are not comparable, and only the user knows which it is.
  const sigmoid = call.options?.rerank?.score === 'sigmoid';
  const ranked = { index, relevance_score: sigmoid ? 1 / (1 + Math.exp(-score)) : score };
  if (!flag(call.fields['return_documents'])) return ranked;
  const document = asDocument(entry['document'] ?? entry['text']) ?? asDocument(sent(call, index));
  return document === undefined ? ranked : { ...ranked, document };
}

function asDocument(value: unknown): JsonObject | undefined {
  if (typeof value === 'string') return { text: value };
  const object = asObject(value);
  if (!object) return undefined;
  if (typeof object['text'] === 'string') return { text: object['text'] };
  // vLLM puts what is not text under `multi_modal`, Jina's clients send it plain.
  if ('multi_modal' in object) return asObject(object['multi_modal']);
  return object;
}

function sent({ fields }: AdapterCall, index: number): unknown {
  return Array.isArray(fields['documents']) ? (fields['documents'] as unknown[])[index] : undefined;
}

function flag(value: unknown): boolean {
  return value === true || value === 'true';
}

/** @returns How many results the client wants; `undefined`: all. */
function topN({ fields }: AdapterCall): number | undefined {
  const given = fields['top_n'];
  // Some servers take a number in quotes; then it is to count here too.
  const count = asNumber(typeof given === 'string' ? Number(given) : given);
  return count !== undefined && count > 0 ? Math.floor(count) || undefined : undefined;
}

interface RerankUsage {
  readonly prompt_tokens: number;
  readonly total_tokens: number;
  /** Ours, when the backend does not count. */
  readonly estimated?: true;
}

function usageOf(
  answer: JsonObject | undefined,
  entries: readonly JsonObject[],
  call: AdapterCall,
): RerankUsage {
  const usage = asObject(answer?.['usage']);
  const total = asNumber(usage?.['total_tokens']) ?? asNumber(usage?.['prompt_tokens']);
  if (total !== undefined) {
    return {
      prompt_tokens: asNumber(usage?.['prompt_tokens']) ?? total,
      total_tokens: total,
      ...(usage?.['estimated'] === true ? { estimated: true } : {}),
    };
  }
  const counted =
    asNumber(asObject(asObject(answer?.['meta'])?.['tokens'])?.['input_tokens']) ??
    sumOfPrompts(entries);
  if (counted !== undefined) return { prompt_tokens: counted, total_tokens: counted };
  const estimate = estimateTokens(call);
  return { prompt_tokens: estimate, total_tokens: estimate, estimated: true };
}

/** SGLang counts each document with the query, in its own entry. */
function sumOfPrompts(entries: readonly JsonObject[]): number | undefined {
  const counts = entries.map((entry) => asNumber(asObject(entry['meta_info'])?.['prompt_tokens']));
  if (counts.length === 0 || counts.includes(undefined)) return undefined;
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

/** A reranker reads the query once for every document; four bytes make about a token. */
function estimateTokens({ fields }: AdapterCall): number {
  const documents = Array.isArray(fields['documents']) ? (fields['documents'] as unknown[]) : [];
  const query = byteLength(fields['query']);
  const bytes = documents.reduce<number>((sum, item) => {
    const text = typeof item === 'string' ? item : asObject(item)?.['text'];
    return sum + query + byteLength(text);
  }, 0);
  return Math.ceil(bytes / 4);
}

function byteLength(value: unknown): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0;
}
