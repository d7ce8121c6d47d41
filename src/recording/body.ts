import { asObject, parseJson } from '../adapters/json.ts';
import { MalformedForm, parseForm } from '../adapters/multipart.ts';
import { layoutOf } from './json-layout.ts';
import type { RecordedBody, RecordedChunk, RecordedPart } from './recording.ts';

/** Takes secrets out of a text. */
export type Hide = (text: string) => string;

/** What was kept of a body. */
export interface Taped {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: readonly Buffer[];
  /** When each chunk went out, in milliseconds since the call came in. */
  readonly times: readonly number[];
  /** Of the whole body. */
  readonly bytes: number;
}

/** Bytes of an answer's JSON that are worth laying out for people: vectors by the thousand are not. */
const READABLE = 250_000;

/** Integers, such as seeds, that would be others as numbers of JavaScript. */
const HUGE = /[:,[]\s*-?\d{16,}\s*[,}\]]/;

/** A request's body: JSON and forms as what they say, whatever their bytes. */
export function requestBody({ headers, chunks, bytes }: Taped, hide: Hide): RecordedBody {
  // It was refused before it was read.
  if (bytes === 0) return {};
  const kept = Buffer.concat(chunks);
  if (kept.length < bytes) return { truncated: true, bytes, ...textOrBytes(kept, hide) };
  const type = headers['content-type'] ?? '';
  const form = /^multipart\/form-data\b/i.test(type) ? formOf(kept, type, hide) : undefined;
  if (form) return { form };
  const body = textOrBytes(kept, hide);
  if (body.text === undefined || HUGE.test(body.text)) return body;
  const json = parseJson(body.text);
  return asObject(json) ? { json } : body;
}

/** An answer's body, so that it can be given again byte for byte. */
export function answerBody({ headers, chunks, times, bytes }: Taped, hide: Hide): RecordedBody {
  const kept = Buffer.concat(chunks);
  const cut = kept.length < bytes ? { truncated: true as const, bytes } : {};
  if (isStream(headers)) {
    const events = chunks.map((chunk, index) => ({
      at: Math.round(times[index]! * 10) / 10,
      ...textOrBytes(chunk, hide),
    }));
    return { ...cut, events };
  }
  const body = textOrBytes(kept, hide);
  if ('truncated' in cut || body.text === undefined || bytes > READABLE) return { ...cut, ...body };
  const json = parseJson(body.text);
  const layout = asObject(json) || Array.isArray(json) ? layoutOf(body.text, json) : undefined;
  if (!layout) return body;
  return Object.keys(layout).length === 0 ? { json } : { json, layout };
}

function isStream(headers: Taped['headers']): boolean {
  return /\b(event-stream|ndjson)\b/i.test(headers['content-type'] ?? '');
}

function formOf(bytes: Buffer, contentType: string, hide: Hide): RecordedPart[] | undefined {
  try {
    return parseForm(bytes, contentType).parts.map(({ data, ...part }) => ({
      ...part,
      ...textOrBytes(data, hide),
    }));
  } catch (error) {
    // It was refused for that, and stays as it came.
    if (error instanceof MalformedForm) return undefined;
    throw error;
  }
}

function textOrBytes(bytes: Buffer, hide: Hide): Pick<RecordedChunk, 'text' | 'base64'> {
  const text = bytes.includes(0) ? undefined : decoded(bytes);
  return text === undefined ? { base64: bytes.toString('base64') } : { text: hide(text) };
}

function decoded(bytes: Buffer): string | undefined {
  try {
    // A byte order mark is a part of it.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
