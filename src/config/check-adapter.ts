import { validateHeaderName } from 'node:http';
import type { Adapter, OperationSpec } from '../adapters/adapter.ts';
import { ADAPTERS } from '../adapters/index.ts';
import { OPERATIONS } from '../service.ts';
import { baseUrlProblem } from './base-url.ts';
import { pathText, type Finding, type Path } from './problem.ts';
import { suggestion } from './suggest.ts';

/** @returns What is wrong, as a clause; `undefined` when nothing is. */
type Check = (value: unknown) => string | undefined;

const aFunction: Check = (value) =>
  typeof value === 'function' ? undefined : 'must be a function';
const aText: Check = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'must be text';
const aFlag: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');
const aBlock: Check = (value) => (isBlock(value) ? undefined : 'must be a block');
const aPath: Check = (value) =>
  typeof value === 'string' && /^\/\S*$/.test(value)
    ? undefined
    : 'must be a path below baseUrl, like /v1/chat/completions';

interface Field {
  readonly required?: true;
  readonly check: Check;
}

/** The blocks of an instance that adapters may read. */
export const OPTION_BLOCKS: readonly string[] = Object.values<Adapter>(ADAPTERS).flatMap(
  ({ options }) => options ?? [],
);

const texts = (wanted: string): Check =>
  listOf((item) => aText(item) === undefined, `must be a list of ${wanted}`);

/** What an adapter of one's own may have; `operations` is looked into apart. */
const FIELDS = {
  name: { required: true, check: aText },
  ports: { required: true, check: listOf(isPort, 'must be a list of ports, like [8000]') },
  baseUrl: { check: (value) => aText(value) ?? baseUrlProblem(value as string) },
  cloud: { check: aFlag },
  auth: { required: true, check: checkAuth },
  keepAlive: {
    required: true,
    check: (value) => above0(value, 'milliseconds'),
  },
  root: { check: aPath },
  options: {
    check: listOf(
      (item) => OPTION_BLOCKS.includes(item as string),
      `must be a list of blocks that an instance may have: ${OPTION_BLOCKS.join(', ')}`,
    ),
  },
  keyVariables: { check: texts('variables') },
  addressVariables: { check: texts('variables') },
  requestsPerConnection: { check: (value) => above0(value, 'requests') },
  unused: { check: aFunction },
  operations: { required: true, check: () => undefined },
  probe: { required: true, check: aFunction },
  recognise: { check: aFunction },
  loading: { check: aFunction },
  context: { check: aFunction },
  warm: { check: aFunction },
  verdict: { check: aFunction },
} as const satisfies Record<keyof Adapter, Field>;

const SPEC = {
  path: { required: true, check: aPath },
  request: { check: aFunction },
  split: { check: aFunction },
  response: { check: aFunction },
  shownBy: {
    check: (value) => (value === 'post' || value === 'get' ? undefined : 'must be `post` or `get`'),
  },
  extras: { check: texts('fields') },
  headers: { check: aBlock },
  keeps: { check: aFlag },
  betas: { check: aFlag },
} as const satisfies Record<keyof OperationSpec, Field>;

/**
 * Checks what a module gives for an adapter; the compiler may not have seen it.
 *
 * @returns What is wrong, by its path in the object.
 */
export function checkAdapter(value: unknown): Finding[] {
  if (!isBlock(value)) {
    return [{ path: [], at: 'value', message: 'the adapter must be an object of its parts' }];
  }
  const found = checkFields(value, [], FIELDS);
  const { operations } = value;
  if (operations === undefined) return found;
  if (!isBlock(operations)) {
    const message = '`operations` must be a block, like { chat: { path: … } }';
    return [...found, { path: ['operations'], at: 'value', message }];
  }
  for (const [operation, spec] of Object.entries(operations)) {
    const path: Path = ['operations', operation];
    if (!Object.hasOwn(OPERATIONS, operation)) {
      const message = `unknown operation \`${operation}\`${suggestion(operation, Object.keys(OPERATIONS))}`;
      found.push({ path, at: 'key', message });
    } else if (isBlock(spec)) found.push(...checkFields(spec, path, SPEC));
    else
      found.push({
        path,
        at: 'value',
        message: `\`${pathText(path)}\` must be a block with a path`,
      });
  }
  return found;
}

function checkFields(
  block: Readonly<Record<string, unknown>>,
  path: Path,
  fields: Readonly<Record<string, Field>>,
): Finding[] {
  const found: Finding[] = [];
  for (const [name, { required, check }] of Object.entries(fields)) {
    const at: Path = [...path, name];
    const value = block[name];
    if (value === undefined) {
      if (required) found.push({ path: at, at: 'key', message: `\`${pathText(at)}\` is missing` });
      continue;
    }
    const wrong = check(value);
    if (wrong) found.push({ path: at, at: 'value', message: `\`${pathText(at)}\` ${wrong}` });
  }
  for (const name of Object.keys(block)) {
    if (Object.hasOwn(fields, name)) continue;
    const where = path.length === 0 ? 'an adapter' : `\`${pathText(path)}\``;
    const message = `unknown field \`${name}\` in ${where}${suggestion(name, Object.keys(fields))}`;
    found.push({ path: [...path, name], at: 'key', message });
  }
  return found;
}

/** It is asked once here, as a header that can't be sent would fail every call. */
function checkAuth(value: unknown): string | undefined {
  if (typeof value !== 'function') return aFunction(value);
  const WANTED = 'must give headers for a key, like (key) => ({ authorization: `Bearer ${key}` })';
  try {
    const headers: unknown = (value as (key: string) => unknown)('key');
    if (!isBlock(headers)) return WANTED;
    for (const [name, text] of Object.entries(headers)) {
      validateHeaderName(name);
      if (typeof text !== 'string') return WANTED;
    }
    return undefined;
  } catch (error) {
    return `${WANTED}; asked for one, it fails: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function above0(value: unknown, unit: string): string | undefined {
  return typeof value === 'number' && value > 0 ? undefined : `must be ${unit} above 0`;
}

function listOf(fits: (item: unknown) => boolean, wanted: string): Check {
  return (value) => (Array.isArray(value) && value.every(fits) ? undefined : wanted);
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= 65_535;
}

function isBlock(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
