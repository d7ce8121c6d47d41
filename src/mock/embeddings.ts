import { createHash } from 'node:crypto';
import type { Call } from './call.ts';
import { MockError } from './error.ts';
import { choice, wholeNumber, type Fields } from './fields.ts';
import { tokens, words } from './prose.ts';

const DIMENSIONS = 384;

/** `POST /v1/embeddings` */
export async function embeddings(call: Call): Promise<void> {
  const inputs = readInputs(call.fields);
  const format = choice(call.fields, 'encoding_format', ['float', 'base64']);
  const dimensions = wholeNumber(call.fields, 'dimensions', { min: 1, max: 4096 }) ?? DIMENSIONS;
  await call.pace.first();
  const used = inputs.reduce((sum, input) => sum + tokens(input).length, 0);
  call.reply.json({
    object: 'list',
    data: inputs.map((input, index) => {
      const vector = embed(input, dimensions);
      const embedding =
        format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector];
      return { object: 'embedding', index, embedding };
    }),
    model: call.model,
    usage: { prompt_tokens: used, total_tokens: used },
  });
}

/** @returns A unit vector of the text: the same each time, and nearer the more words are shared. */
function embed(text: string, dimensions: number): Float32Array {
  const sum = new Float64Array(dimensions);
  const parts = words(text);
  for (const word of parts.length > 0 ? parts : [text]) {
    const next = numbers(word);
    for (let index = 0; index < dimensions; index++) sum[index]! += next();
  }
  const length = Math.hypot(...sum);
  return Float32Array.from(sum, (value) => value / length);
}

/** @returns A source of numbers from -1 to 1 that depend on the word alone (mulberry32). */
function numbers(word: string): () => number {
  let state = createHash('sha256').update(word).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

function readInputs(fields: Fields): readonly string[] {
  const input = fields['input'];
  const items: unknown[] = Array.isArray(input) ? input : [input];
  if (items.length > 0 && items.every((item) => typeof item === 'number')) return [items.join(' ')];
  if (items.length > 2048) throw refused('a list of at most 2048 entries');
  if (items.length === 0) throw refused('a string, or a list of strings or token lists');
  return items.map((item) => {
    if (typeof item === 'string' && item !== '') return item;
    if (Array.isArray(item) && item.length > 0) return item.join(' ');
    throw refused('a string, or a list of strings or token lists, none of them empty');
  });
}

function refused(wanted: string): MockError {
  return new MockError(400, `'input' must be ${wanted}.`, {
    param: 'input',
    code: 'invalid_value',
  });
}
