import type { AdapterCall, Answer, OperationSpec, RequestPatch } from './adapter.ts';
import { RequestRefused } from './adapter.ts';
import { asNumber, asObject, parseJson, type JsonObject } from './json.ts';

/** For backends that know `encoding_format`, or may: the answer is put right where they did not. */
export const embeddings = {
  path: '/v1/embeddings',
  response: (call) => {
    const wanted = call.fields['encoding_format'] ?? 'float';
    // vLLM has more formats (`bytes`); whoever asks for one knows the backend.
    if (wanted !== 'float' && wanted !== 'base64') return undefined;
    return { body: (body) => encodeAs(wanted, body) };
  },
} satisfies OperationSpec;

/** For backends that ignore `encoding_format` and always answer floats. */
export const floatEmbeddings = { ...embeddings, request: askForFloats } satisfies OperationSpec;

function askForFloats(call: AdapterCall): RequestPatch | undefined {
  const wanted = call.fields['encoding_format'] ?? 'float';
  if (wanted === 'float') return undefined;
  if (wanted === 'base64') return { set: { encoding_format: 'float' } };
  throw new RequestRefused(
    `encoding_format ${JSON.stringify(wanted)} is not supported here: use "float" or "base64".`,
    'encoding_format',
  );
}

/**
 * @returns How many numbers an answer's first vector has; `undefined` when there is none, or one that
 *   is no list of numbers.
 */
export function vectorLength(body: Buffer): number | undefined {
  const start = firstVector(body);
  const opening = start === undefined ? undefined : body[start];
  if (start === undefined) return undefined;
  if (opening === QUOTE) {
    const end = body.indexOf(QUOTE, start + 1);
    const bytes = Buffer.from(body.toString('latin1', start + 1, end), 'base64').length;
    return bytes > 0 && bytes % 4 === 0 ? bytes / 4 : undefined;
  }
  if (opening !== OPEN_BRACKET) return undefined;
  const end = body.indexOf(CLOSE_BRACKET, start);
  // One vector for each token: no vector of the text.
  if (end < 0 || body.subarray(start + 1, end).includes(OPEN_BRACKET)) return undefined;
  let numbers = 1;
  for (let at = body.indexOf(COMMA, start); at >= 0 && at < end; at = body.indexOf(COMMA, at + 1)) {
    numbers += 1;
  }
  return end > skipSpace(body, start + 1) ? numbers : undefined;
}

/** A vector as OpenAI writes it in base64: little-endian 32-bit floats. */
export function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}

/** @returns The vector; `undefined` when the text is not base64 of 32-bit floats. */
export function fromBase64(text: string): number[] | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}

function encodeAs(wanted: 'float' | 'base64', body: Buffer): Answer | undefined {
  // All of an answer's vectors are written alike, and most answers are right already: a look at
  // the first saves parsing megabytes of numbers.
  if (firstEncoding(body) !== (wanted === 'float' ? 'base64' : 'float')) return undefined;
  const answer = asObject(parseJson(body.toString('utf8')));
  if (!answer || !Array.isArray(answer['data'])) return undefined;
  const data = (answer['data'] as unknown[]).map((entry) => {
    const item = asObject(entry);
    return item ? recode(item, wanted) : entry;
  });
  return { body: JSON.stringify({ ...answer, data }), contentType: 'application/json' };
}

function recode(item: JsonObject, wanted: 'float' | 'base64'): JsonObject {
  const { embedding } = item;
  if (wanted === 'base64' && isVector(embedding)) {
    return { ...item, embedding: toBase64(embedding) };
  }
  if (wanted === 'float' && typeof embedding === 'string') {
    return { ...item, embedding: fromBase64(embedding) ?? embedding };
  }
  return item;
}

/** One vector per token (vLLM's pooling) has no base64 form. */
function isVector(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((number) => asNumber(number) !== undefined);
}

const KEY = Buffer.from('"embedding"');
/** Ollama's own API has all vectors in one list. */
const LIST_KEY = Buffer.from('"embeddings"');
const SPACE = 0x20;
const COLON = 0x3a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** How the first vector is written; `undefined` for anything else, as Xinference's sparse objects. */
function firstEncoding(body: Buffer): 'float' | 'base64' | undefined {
  const start = firstVector(body);
  const opening = start === undefined ? undefined : body[start];
  return opening === OPEN_BRACKET ? 'float' : opening === QUOTE ? 'base64' : undefined;
}

/** Where the value of the first `embedding` begins, or the first of `embeddings`. */
function firstVector(body: Buffer): number | undefined {
  const one = valueOf(KEY, body);
  if (one !== undefined) return one;
  const list = valueOf(LIST_KEY, body);
  return list !== undefined && body[list] === OPEN_BRACKET ? skipSpace(body, list + 1) : undefined;
}

function valueOf(key: Buffer, body: Buffer): number | undefined {
  // Every entry also has `"object":"embedding"`, which no colon follows.
  for (let at = body.indexOf(key); at >= 0; at = body.indexOf(key, at)) {
    at = skipSpace(body, at + key.length);
    if (body[at] === COLON) return skipSpace(body, at + 1);
  }
  return undefined;
}

function skipSpace(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && body[at]! <= SPACE) at += 1;
  return at;
}
