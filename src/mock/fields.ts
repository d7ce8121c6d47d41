import { MockError } from './error.ts';

/**
 * The fields of a JSON body, or the text fields of a form: there every value is a string, and a
 * field written `name[]` is found as an array under `name`.
 */
export type Fields = Readonly<Record<string, unknown>>;

function refuse(param: string, wanted: string): never {
  throw new MockError(400, `'${param}' must be ${wanted}.`, { param, code: 'invalid_value' });
}

/** @throws MockError 400 when it is missing, empty or no string. */
export function requiredText(fields: Fields, name: string): string {
  const value = fields[name];
  if (value === undefined || value === null || value === '') {
    throw new MockError(400, `Missing required parameter: '${name}'.`, {
      param: name,
      code: 'missing_required_parameter',
    });
  }
  return typeof value === 'string' ? value : refuse(name, 'a string');
}

/** @returns The whole number, or `undefined` where there is none. */
export function wholeNumber(
  fields: Fields,
  name: string,
  { min, max }: { min: number; max: number },
): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max) {
    return number;
  }
  return refuse(name, `a whole number from ${min} to ${max}`);
}

/** @returns The chosen one of `choices`; the first where there is none. */
export function choice<const T extends string>(
  fields: Fields,
  name: string,
  choices: readonly [T, ...T[]],
): T {
  const value = fields[name] ?? choices[0];
  return choices.find((one) => one === value) ?? refuse(name, `one of ${choices.join(', ')}`);
}

export function flag(fields: Fields, name: string): boolean {
  const value = fields[name];
  return value === true || value === 'true';
}

/** @returns A nested object, empty where there is none. */
export function record(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}
