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
const SPACE = 0x20;
const COLON = 0x3a;

/** How the first vector is written; `undefined` for anything else, as Xinference's sparse objects. */
function firstEncoding(body: Buffer): 'float' | 'base64' | undefined {
  // Every entry also has `"object":"embedding"`, which no colon follows.
  for (let at = body.indexOf(KEY); at >= 0; at = body.indexOf(KEY, at)) {
    at = skipSpace(body, at + KEY.length);
    if (body[at] !== COLON) continue;
    const opening = body[skipSpace(body, at + 1)];
    return opening === 0x5b ? 'float' : opening === 0x22 ? 'base64' : undefined;
  }
  return undefined;
}

function skipSpace(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && body[at]! <= SPACE) at += 1;
  return at;
}
