import { asNumber, asObject, asText, type JsonObject } from '../adapters/json.ts';
import type { Ending } from '../observe/outcome.ts';
import { OPERATIONS, type Operation } from '../service.ts';
import {
  FORMAT,
  type RecordedBody,
  type RecordedChunk,
  type RecordedPart,
  type RecordedResponse,
  type Recording,
} from './recording.ts';

/** A file is no recording; the message says why, and follows upon its name. */
export class NoRecording extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoRecording';
  }
}

const ENDINGS: readonly Ending[] = ['ok', 'error', 'broken', 'aborted'];
const BODIES = ['json', 'form', 'text', 'events', 'base64'] as const;

/**
 * Reads a file's text. What only tells how it was, such as the route and the durations, may be
 * missing in files that people write by hand.
 * @throws NoRecording
 */
export function readRecording(text: string): Recording {
  const all = asObject(parse(text));
  if (!all || all['version'] === undefined)
    throw new NoRecording('is no recording: it has no "version"');
  if (all['version'] !== FORMAT)
    throw new NoRecording(`is of version ${shown(all['version'])}; version ${FORMAT} can be read`);
  const operation = oneOf(all, 'operation', Object.keys(OPERATIONS) as Operation[]);
  const request = objectAt(all, 'request');
  const body = bodyOf(request, 'request');
  const json = asObject(body.json) ?? {};
  const route = asObject(all['route']) ?? {};
  const answer = all['response'] === undefined ? undefined : responseOf(objectAt(all, 'response'));
  return {
    version: FORMAT,
    at: timeOf(all['at']),
    id: asText(all['id']) ?? '',
    operation,
    ending: all['ending'] === undefined ? usualEnding(answer) : oneOf(all, 'ending', ENDINGS),
    error: asText(all['error']),
    duration: asNumber(all['duration']) ?? 0,
    firstByte: asNumber(all['firstByte']),
    usage: usageOf(all['usage']),
    request: {
      method: asText(request['method']) ?? 'POST',
      path: asText(request['path']) ?? OPERATIONS[operation].routes[0],
      model: asText(request['model']) ?? asText(json['model']),
      stream: (request['stream'] ?? json['stream']) === true,
      headers: headersOf(request, 'request'),
      ...body,
    },
    route: {
      instance: asText(route['instance']),
      model: asText(route['model']),
      // For people alone.
      attempts: Array.isArray(route['attempts'])
        ? (route['attempts'] as Recording['route']['attempts'])
        : [],
    },
    response: answer,
  };
}

function usualEnding(answer: RecordedResponse | undefined): Ending {
  if (!answer) return 'aborted';
  return answer.status < 400 ? 'ok' : 'error';
}

function responseOf(response: JsonObject): RecordedResponse {
  const status = asNumber(response['status']);
  if (status === undefined || !Number.isInteger(status) || status < 200 || status > 599)
    throw new NoRecording('must have a "response.status" from 200 to 599');
  return {
    status,
    headers: headersOf(response, 'response'),
    torn: response['torn'] === true ? true : undefined,
    ...bodyOf(response, 'response'),
  };
}

function bodyOf(message: JsonObject, place: string): RecordedBody {
  const present = BODIES.filter((name) => message[name] !== undefined);
  if (present.length > 1)
    throw new NoRecording(`has more than one body in "${place}": ${present.join(' and ')}`);
  const { json, layout, form, text, events, base64 } = message;
  return {
    truncated: message['truncated'] === true ? true : undefined,
    bytes: asNumber(message['bytes']),
    json,
    layout: asObject(layout),
    form: form === undefined ? undefined : list(form, `${place}.form`, partOf),
    text: text === undefined ? undefined : textAt(message, 'text', place),
    events: events === undefined ? undefined : list(events, `${place}.events`, chunkOf),
    base64: base64 === undefined ? undefined : textAt(message, 'base64', place),
  };
}

function partOf(part: JsonObject, place: string): RecordedPart {
  const { filename, contentType } = part;
  return {
    name: textAt(part, 'name', place),
    filename: filename === undefined ? undefined : textAt(part, 'filename', place),
    contentType: contentType === undefined ? undefined : textAt(part, 'contentType', place),
    ...textOrBytes(part, place),
  };
}

function chunkOf(chunk: JsonObject, place: string): RecordedChunk {
  const at = asNumber(chunk['at']);
  if (at === undefined || at < 0)
    throw new NoRecording(`must have "${place}.at", in milliseconds since the call came in`);
  return { at, ...textOrBytes(chunk, place) };
}

function textOrBytes(item: JsonObject, place: string): Pick<RecordedChunk, 'text' | 'base64'> {
  return item['base64'] === undefined
    ? { text: textAt(item, 'text', place) }
    : { base64: textAt(item, 'base64', place) };
}

function usageOf(value: unknown): Recording['usage'] {
  const usage = asObject(value);
  if (!usage) return undefined;
  return { input: asNumber(usage['input']) ?? 0, output: asNumber(usage['output']) ?? 0 };
}

function headersOf(message: JsonObject, place: string): Record<string, string> {
  const headers = message['headers'] === undefined ? {} : asObject(message['headers']);
  if (headers && Object.values(headers).every((value) => typeof value === 'string'))
    return headers as Record<string, string>;
  throw new NoRecording(`must have texts in "${place}.headers"`);
}

function timeOf(at: unknown): string {
  if (typeof at === 'string' && !Number.isNaN(Date.parse(at))) return at;
  throw new NoRecording('must have "at", a time such as 2026-11-26T18:05:12.123Z');
}

function oneOf<T extends string>(all: JsonObject, key: string, known: readonly T[]): T {
  const found = known.find((one) => one === all[key]);
  if (found !== undefined) return found;
  throw new NoRecording(`has no "${key}" that is known (${shown(all[key])})`);
}

function objectAt(all: JsonObject, key: string): JsonObject {
  const value = asObject(all[key]);
  if (value) return value;
  throw new NoRecording(`must have an object as "${key}"`);
}

function textAt(item: JsonObject, key: string, place: string): string {
  const value = item[key];
  if (typeof value === 'string') return value;
  throw new NoRecording(`must have a text as "${place}.${key}"`);
}

function list<T>(value: unknown, place: string, read: (item: JsonObject, place: string) => T): T[] {
  if (!Array.isArray(value)) throw new NoRecording(`must have a list as "${place}"`);
  return (value as unknown[]).map((item, index) => {
    const object = asObject(item);
    if (object) return read(object, `${place}[${index}]`);
    throw new NoRecording(`must have an object as "${place}[${index}]"`);
  });
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? 'none';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    const { message } = error as SyntaxError;
    const at = /at position (\d+)/.exec(message)?.[1];
    const line = at === undefined ? '' : ` (line ${text.slice(0, Number(at)).split('\n').length})`;
    throw new NoRecording(`is not valid JSON${line}: ${message}`);
  }
}
