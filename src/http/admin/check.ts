import { z } from 'zod';
import { gatewayError } from '../errors.ts';

/** Where a value stands in a request. */
export type Where = 'body' | 'query' | 'path';

/**
 * Holds a part of a request to its schema.
 * @returns What the schema makes of it.
 * @throws HttpError `invalid_request` (400), which names each place and what belongs there.
 */
export function check<T>(schema: z.ZodType<T>, value: unknown, where: Where): T {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const messages = issues.map((issue) => `${placeOf(issue, where)} ${wordsFor(issue, schema)}`);
  const param = issues.find(({ path }) => path.length > 0)?.path.join('.') ?? null;
  throw gatewayError('invalid_request', `The request is not valid: ${messages.join('; ')}.`, {
    param,
  });
}

type Issue = z.core.$ZodIssue;

function placeOf({ path }: Issue, where: Where): string {
  if (path.length === 0) return where === 'body' ? 'the body' : `the ${where}`;
  const name = path.map(String).join('.');
  return where === 'body' ? `\`${name}\`` : `\`${name}\` in the ${where}`;
}

function wordsFor(issue: Issue, schema: z.ZodType): string {
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
      const names = issue.keys.map((key) => `\`${key}\``).join(', ');
      return `has ${names}, which is not known${known.length > 0 ? ` (known: ${known.join(', ')})` : ''}`;
    }
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      return issue.message.startsWith('must') ? issue.message : `must be ${TYPES[issue.expected]}`;
    case 'invalid_value':
      if (issue.input === undefined) return 'is missing';
      return `must be one of ${issue.values.map(String).join(', ')}`;
    default:
      return issue.message;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a JSON object',
  record: 'a JSON object',
};
