import type { z } from 'zod';
import { knownKeys, options } from './json-schema.ts';
import { pathText, type Finding, type Path } from './problem.ts';
import { isSecret } from './secrets.ts';
import { nearest, suggestion } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/**
 * Says in plain words what the schema has against a config.
 *
 * @param data The config before its variables were filled in: only what stands in the file is
 * quoted, never what came from the environment.
 */
export function explain(issues: readonly Issue[], data: unknown): Finding[] {
  return issues.flatMap((issue) => explainIssue(issue, [], data));
}

function explainIssue(issue: Issue, base: Path, data: unknown): Finding[] {
  const path: Path = [...base, ...(issue.path as (string | number)[])];
  const found = lookUp(data, path);
  const about = (message: string): Finding[] => [
    { path, at: 'value', message: `${subject(path)} ${message}` },
  ];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        at: 'key',
        message: unknownOption(path, key),
      }));
    case 'invalid_key':
      return [
        {
          path,
          at: 'key',
          message: `the name \`${path.at(-1)}\` in ${subject(path.slice(0, -1))} ${wordsFor(issue.issues[0])}`,
        },
      ];
    case 'invalid_union': {
      // A message of our own already says what all of the variants want.
      if (issue.message.startsWith('must be') || !found.present)
        return about(wanted(issue, found) + given(path, found));
      const variant = variantMeant(issue.errors, found.value);
      return variant.flatMap((inner) => explainIssue(inner, path, data));
    }
    case 'invalid_value': {
      const near =
        typeof found.value === 'string'
          ? nearest(found.value, issue.values.map(String))
          : undefined;
      return about(
        wanted(issue, found) + given(path, found) + (near ? `; did you mean \`${near}\`?` : ''),
      );
    }
    default: {
      const message = wanted(issue, found);
      return about(message + (message.startsWith('must be') ? given(path, found) : ''));
    }
  }
}

/** The complaints of that variant of a union which the author had in mind. */
function variantMeant(variants: readonly (readonly Issue[])[], value: unknown): readonly Issue[] {
  const block = typeof value === 'object' && value !== null && !Array.isArray(value);
  const fits = variants.find((issues) =>
    issues.every(({ code, path }) =>
      block ? path.length > 0 || code === 'unrecognized_keys' : code === 'invalid_value',
    ),
  );
  return fits ?? variants[0] ?? [];
}

function wanted(issue: Issue, found: Found): string {
  if (!found.present) return found.empty ? 'has nothing in it' : 'is missing';
  switch (issue.code) {
    case 'invalid_union':
      return issue.message;
    case 'invalid_type':
      if (issue.message.startsWith('must be')) return issue.message;
      return issue.expected === 'string' && isScalar(found.value)
        ? 'must be text, in quotes'
        : `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    default:
      return wordsFor(issue);
  }
}

function wordsFor(issue: Issue | undefined): string {
  if (issue?.code !== 'too_small') return issue?.message ?? 'is not valid';
  return issue.origin === 'array' ? 'must have at least one entry' : 'must not be empty';
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'a block of options',
  record: 'a block of options',
};

function unknownOption(block: Path, key: string): string {
  const known = knownKeys(block);
  const kind = block.length === 1 && block[0] === 'services' ? 'service' : 'option';
  const where = block.length === 0 ? '' : ` in ${subject(block)}`;
  const home = nearest(key, known) === undefined ? homeOf(key) : undefined;
  return `unknown ${kind} \`${key}\`${where}${home ? `; it belongs ${home}` : suggestion(key, known)}`;
}

/** Where an option of this name is known; the outermost place, if there are several. */
function homeOf(key: string): string | undefined {
  const known = options();
  if (known.some(({ path }) => path === key)) return 'at the top level';
  const [block] = known
    .filter(({ path }) => path.endsWith(`.${key}`))
    .map(({ path }) => path.slice(0, -key.length - 1))
    .sort((a, b) => a.split('.').length - b.split('.').length);
  return block && `in \`${block.replace('.*', '.NAME')}\``;
}

interface Found {
  readonly present: boolean;
  /** `key:` with nothing after it. */
  readonly empty: boolean;
  readonly value: unknown;
}

function lookUp(data: unknown, path: Path): Found {
  let value = data;
  for (const segment of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment))
      return { present: false, empty: false, value: undefined };
    value = (value as Record<string | number, unknown>)[segment];
  }
  return { present: value !== undefined && value !== null, empty: value === null, value };
}

/** What stands in the file instead, if that helps and tells no secret. */
function given(path: Path, { value }: Found): string {
  if (isSecret(path) || !isScalar(value)) return '';
  const text = String(value);
  // An address with an `@` carries a password.
  if (text.length === 0 || text.length > 60 || text.includes('@')) return '';
  return text.includes('${') ? `; \`${text}\` gives something else` : `, not \`${text}\``;
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function subject(path: Path): string {
  return path.length === 0 ? 'the config' : `\`${pathText(path)}\``;
}
