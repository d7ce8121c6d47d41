import { RequestRefused } from '../adapters/adapter.ts';
import { asNumber, asObject, asText, type JsonObject } from '../adapters/json.ts';
import type { Media, Prompt } from './prompt.ts';

/** @throws RequestRefused when a request's field is no array of objects. */
export function requiredObjects(fields: JsonObject, name: string): readonly JsonObject[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw malformed(name, 'an array');
  return value.map((item, index) => {
    const object = asObject(item);
    if (!object) throw malformed(`${name}[${index}]`, 'an object');
    return object;
  });
}

/** The same, where it may be missing. */
export function optionalObjects(fields: JsonObject, name: string): readonly JsonObject[] {
  return fields[name] === undefined || fields[name] === null ? [] : requiredObjects(fields, name);
}

/** A field that must be text. @throws RequestRefused */
export function requiredText(object: JsonObject, name: string, path = name): string {
  const value = object[name];
  if (typeof value !== 'string') throw malformed(path, 'a string');
  return value;
}

export function malformed(path: string, wanted: string): RequestRefused {
  return new RequestRefused(`The field "${path}" must be ${wanted}.`, path);
}

/** Stop sequences: one, several, or none. */
export function stopsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** What a request has beside the fields that its reader knows; unset ones are nothing. */
export function restOf(fields: JsonObject, known: ReadonlySet<string>): JsonObject {
  const rest: Record<string, unknown> = {};
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined || value === null || known.has(name)) continue;
    rest[name] = value;
  }
  return rest;
}

/** The wish for them, as OpenAI's chat completions and Ollama have it. */
export function logprobsOf(fields: JsonObject): Prompt['logprobs'] {
  if (fields['logprobs'] !== true) return undefined;
  return { others: asNumber(fields['top_logprobs']) ?? 0 };
}

/** The arguments of a call as JSON text of an object; what is none is told as it came. */
export function argumentsText(value: unknown): string {
  if (typeof value === 'string') return value.trim() === '' ? '{}' : value;
  return JSON.stringify(value ?? {});
}

/** A file's id where it stands for the bytes. */
export function fileOf(id: unknown): Media | undefined {
  const fileId = asText(id);
  return fileId === undefined ? undefined : { fileId };
}
