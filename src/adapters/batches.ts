import type { AdapterCall, OperationSpec, PartAnswer } from './adapter.ts';
import { asNumber, asObject, asObjects, parseJson, type JsonObject } from './json.ts';

/** What one request may hold. */
export interface BatchLimits {
  readonly inputs: number;
  /** Of all its inputs as JSON; absent: only their number counts. */
  readonly bytes?: number;
}

/**
 * Embeddings by as many requests as the inputs need.
 * @param limits Where the server has not told its own `maxInputs`.
 */
export function inBatches(spec: OperationSpec, limits: BatchLimits): OperationSpec {
  return {
    ...spec,
    split(call) {
      const batches = batchesOf(call.fields['input'], call, limits);
      if (!batches || batches.length < 2) return undefined;
      return { parts: batches.map((input) => ({ input })), join: joinEmbeddings };
    },
  };
}

/**
 * Cuts a list of inputs; a text or a list of tokens is one input.
 * @returns `undefined` when it is no list.
 */
export function batchesOf(
  inputs: unknown,
  { facts }: AdapterCall,
  { inputs: usual, bytes = Infinity }: BatchLimits,
): readonly (readonly unknown[])[] | undefined {
  if (!Array.isArray(inputs) || typeof inputs[0] === 'number') return undefined;
  const most = facts?.maxInputs ?? usual;
  // Nearly every list is short enough for any limit, and is not measured.
  const measured = bytes !== Infinity && inputs.length > 0;
  const batches: unknown[][] = [];
  let size = 0;
  for (const input of inputs as unknown[]) {
    const own = measured ? Buffer.byteLength(JSON.stringify(input)) + 1 : 0;
    const last = batches.at(-1);
    if (last && last.length < most && size + own <= bytes) {
      last.push(input);
      size += own;
    } else {
      batches.push([input]);
      size = own;
    }
  }
  return batches;
}

/** @throws Error when one of the answers is not a list of vectors. */
function joinEmbeddings(answers: readonly PartAnswer[]): string {
  const parsed = answers.map(({ body }) => asObject(parseJson(body.toString('utf8'))));
  const data: JsonObject[] = [];
  for (const answer of parsed) {
    const entries = asObjects(answer?.['data']);
    if (!entries) throw new Error('a batch of embeddings has no data');
    const before = data.length;
    for (const [position, entry] of entries.entries()) {
      data.push({ ...entry, index: before + (asNumber(entry['index']) ?? position) });
    }
  }
  data.sort((one, other) => Number(one['index']) - Number(other['index']));
  const usage = summed(parsed.map((answer) => asObject(answer?.['usage'])));
  return JSON.stringify({ ...parsed[0], data, ...(usage && { usage }) });
}

/** Counts add up; whatever is no count is the first one's. */
function summed(usages: readonly (JsonObject | undefined)[]): JsonObject | undefined {
  const [first] = usages;
  if (!first) return undefined;
  return Object.fromEntries(
    Object.entries(first).map(([name, value]) => [
      name,
      typeof value === 'number'
        ? usages.reduce((sum, usage) => sum + (asNumber(usage?.[name]) ?? 0), 0)
        : value,
    ]),
  );
}
