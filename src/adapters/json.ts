/** A JSON object whose values are still unknown. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** @returns The value when it is a JSON object, neither an array nor null. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** @returns The objects in a JSON array, other items left out; `undefined` when it is no array. */
export function asObjects(value: unknown): readonly JsonObject[] | undefined {
  return Array.isArray(value)
    ? value.filter((item: unknown): item is JsonObject => asObject(item) !== undefined)
    : undefined;
}

/** @returns The value when it is a string with something in it. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** @returns The value when it is a finite number. */
export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** @returns What the text says; `undefined` when it is not JSON, which backends answer often enough. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @returns The object without its null members: Python backends dump every unset field as null. */
export function withoutNulls(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}
