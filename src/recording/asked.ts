import { createHash } from 'node:crypto';
import { RequestRefused, type FormPart } from '../adapters/adapter.ts';
import { asObject, parseJson, type JsonObject } from '../adapters/json.ts';
import { SERVED } from '../dialects/index.ts';
import type { AssistantPart, ContentPart, ResultPart } from '../dialects/prompt.ts';
import { speaksLines, type Operation } from '../service.ts';
import { chunkBytes } from './bytes.ts';
import type { RecordedRequest } from './recording.ts';

/** What a call asks for, whatever its bytes. */
export interface Asked {
  readonly operation: Operation;
  readonly stream: boolean;
  readonly model: string | undefined;
  /** What makes a difference to the answer, without the model; a form's fields and files too. */
  readonly fields: JsonObject;
}

/** One thing that was said. */
export interface Said {
  /** `user`, `input`, `file`. */
  readonly by: string;
  readonly text: string;
}

/** Fields that change who is told or charged, and how it is sent, but not what is answered. */
const IDLE = new Set([
  'model',
  'stream',
  'stream_options',
  'user',
  'metadata',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'service_tier',
  'store',
  'keep_alive',
]);

/** @param body Its JSON fields, or its form. */
export function askedOf(
  call: Pick<Asked, 'operation' | 'stream' | 'model'>,
  body: { readonly fields: JsonObject; readonly form?: readonly FormPart[] | undefined },
): Asked {
  const { operation, stream, model } = call;
  const all = body.form ? formFields(body.form) : body.fields;
  const fields = Object.entries(all).filter(([name, value]) => !IDLE.has(name) && value !== null);
  return { operation, stream, model, fields: Object.fromEntries(fields) };
}

/** @returns What the request of a recording asked for; `undefined` when not all of it is there. */
export function askedIn(operation: Operation, request: RecordedRequest): Asked | undefined {
  const { model, json, text = '', form, truncated } = request;
  const fields = asObject(json ?? parseJson(text));
  if (truncated || (!fields && !form)) return undefined;
  const stream = request.stream || (speaksLines(operation) && fields?.['stream'] === undefined);
  const parts = form?.map(({ name, filename, ...data }) => ({
    name,
    ...((filename ?? data.base64) !== undefined && { filename: filename ?? name }),
    data: chunkBytes(data),
  }));
  return askedOf({ operation, stream, model }, { fields: fields ?? {}, form: parts });
}

/** The same for all calls that ask for the same, in whatever order their fields come. */
export function keyOf({ operation, stream, model, fields }: Asked): string {
  return createHash('sha256')
    .update(canonical([operation, stream, model ?? null, fields]))
    .digest('base64');
}

/** JSON with the keys of each object in order. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const object = asObject(value);
  if (!object) return JSON.stringify(value) ?? 'null';
  const entries = Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(object[key])}`);
  return `{${entries.join(',')}}`;
}

/** Fields in which something is said. */
const TELLING = [
  'system',
  'instructions',
  'messages',
  'prompt',
  'suffix',
  'input',
  'query',
  'documents',
];

interface Content {
  readonly said: readonly Said[];
  readonly settings: JsonObject;
}

/** Recorded requests are compared with many others. */
const contents = new WeakMap<Asked, Content>();

/** What is said in a request, turn by turn; and its further fields, the settings. */
export function saidIn(asked: Asked): Content {
  let content = contents.get(asked);
  if (!content) contents.set(asked, (content = readContent(asked)));
  return content;
}

function readContent({ operation, fields }: Asked): Content {
  const settings = Object.fromEntries(
    Object.entries(fields).filter(([name]) => !TELLING.includes(name) && !isFile(name)),
  );
  return { said: turnsOf(operation, fields) ?? textsOf(fields), settings };
}

function turnsOf(operation: Operation, fields: JsonObject): Said[] | undefined {
  if (!(operation in SERVED)) return undefined;
  try {
    // The model makes no difference, and some dialects want one.
    const { turns } = SERVED[operation as keyof typeof SERVED].readRequest({
      ...fields,
      model: '',
    });
    return turns.map(({ role, content }) => ({ by: role, text: content.map(partText).join('\n') }));
  } catch (error) {
    if (error instanceof RequestRefused) return undefined;
    throw error;
  }
}

function partText(part: ContentPart | AssistantPart | ResultPart): string {
  switch (part.type) {
    case 'text':
    case 'refusal':
    case 'reasoning':
      return part.text;
    case 'call':
      return `${part.name} ${part.arguments}`;
    case 'result':
      return part.content.map(partText).join('\n');
    default:
      return `(${part.type} ${digest(JSON.stringify(part))})`;
  }
}

function textsOf(fields: JsonObject): Said[] {
  return Object.keys(fields)
    .filter((name) => TELLING.includes(name) || isFile(name))
    .flatMap((name) => textsUnder(fields[name]).map((text) => ({ by: name, text })));
}

function textsUnder(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsUnder);
  const object = asObject(value);
  return object ? Object.values(object).flatMap(textsUnder) : [];
}

const FILE = 'file ';

function isFile(name: string): boolean {
  return name.startsWith(FILE);
}

/** Texts by their names, repeated ones as lists; files by what is in them, whatever they are called. */
function formFields(parts: readonly FormPart[]): JsonObject {
  const fields: Record<string, string[]> = {};
  for (const { name, filename, data } of parts) {
    const [key, value] =
      filename === undefined ? [name, data.toString('utf8')] : [FILE + name, digest(data)];
    (fields[key] ??= []).push(value);
  }
  return fields;
}

function digest(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 16);
}
