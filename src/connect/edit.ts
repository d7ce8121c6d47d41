import { isDeepStrictEqual } from 'node:util';
import { applyEdits, modify, parse as parseJson, type ParseError } from 'jsonc-parser';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { EditError } from '../config/edit/edit-error.ts';
import { editText } from '../config/edit/edit-text.ts';
import { setToml } from './toml.ts';
import type { Change, ConfigFormat } from './tool.ts';

type Data = Record<string, unknown>;

/** A config that can't be changed without harm; its message says why. */
export class Unchangeable extends Error {}

/**
 * Reads a tool's config.
 * @throws Unchangeable when it is not valid: what is broken is not for us to mend.
 */
export function readConfig(format: ConfigFormat, text: string): Data {
  const data = FORMATS[format].read(text);
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data as Data;
  if (data === undefined || data === null) return {};
  throw new Unchangeable('it is no block of keys');
}

/**
 * Makes changes in the text of a tool's config; all else stays as it is written, comments too.
 *
 * @throws Unchangeable when that can't be done there.
 */
export function editConfig(format: ConfigFormat, text: string, changes: readonly Change[]): string {
  const { edit } = FORMATS[format];
  const wanted = changes.reduce(withChange, readConfig(format, text));
  let edited: string | undefined;
  try {
    edited = changes.reduce((before, change) => edit(before, change), text);
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
  }
  // Files come in every shape: what was made is believed only when it says what it should.
  if (edited !== undefined && says(format, edited, wanted)) return edited;
  throw new Unchangeable('it is written in a way that only its author can change');
}

function says(format: ConfigFormat, text: string, wanted: Data): boolean {
  try {
    return isDeepStrictEqual(plain(readConfig(format, text)), plain(wanted));
  } catch {
    // It was valid before: whatever is wrong with it now is ours.
    return false;
  }
}

interface Format {
  readonly read: (text: string) => unknown;
  readonly edit: (text: string, change: Change) => string;
}

const FORMATS: Readonly<Record<ConfigFormat, Format>> = {
  json: {
    read(text) {
      const errors: ParseError[] = [];
      const data: unknown = parseJson(text, errors, {
        allowTrailingComma: true,
        disallowComments: false,
      });
      const [first] = text.trim() === '' ? [] : errors;
      if (first) throw new Unchangeable(`it is no valid JSON (line ${lineOf(text, first.offset)})`);
      return data;
    },
    edit(text, { path, value }) {
      const whole = text.trim() === '' ? '{}\n' : text;
      const indent = /\n([ \t]+)\S/.exec(whole)?.[1] ?? '  ';
      const tabs = indent.startsWith('\t');
      return applyEdits(
        whole,
        modify(whole, [...path], value, {
          formattingOptions: {
            insertSpaces: !tabs,
            tabSize: tabs ? 1 : indent.length,
            eol: whole.includes('\r\n') ? '\r\n' : '\n',
          },
        }),
      );
    },
  },
  toml: {
    read(text) {
      try {
        return parseToml(text);
      } catch (error) {
        const { line } = error as { line?: number };
        throw new Unchangeable(`it is no valid TOML (line ${line ?? '?'})`);
      }
    },
    edit: (text, { path, value }) =>
      setToml(text, path.map(String), value as Parameters<typeof setToml>[2]),
  },
  yaml: {
    read(text) {
      try {
        return parseYaml(text);
      } catch (error) {
        const { linePos } = error as { linePos?: readonly { line: number }[] };
        throw new Unchangeable(`it is no valid YAML (line ${linePos?.[0]?.line ?? '?'})`);
      }
    },
    edit: (text, change) => editText('config.yaml', text, [whole(parseYaml(text), change)]),
  },
};

/** With all that is missing on the way, lists too, in one value. */
function whole(data: unknown, { path, value }: Change): Change {
  let inner = data;
  for (const [index, key] of path.entries()) {
    inner = (inner as Readonly<Record<string | number, unknown>> | null | undefined)?.[key];
    if (inner !== undefined && inner !== null) continue;
    const rest = path.slice(index + 1);
    return { path: path.slice(0, index + 1), value: set(undefined, rest, value) };
  }
  return { path, value };
}

function withChange(data: Data, { path, value }: Change): Data {
  return set(data, path, value) as Data;
}

function set(data: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof key === 'number') {
    const list = Array.isArray(data) ? [...(data as unknown[])] : [];
    list[key] = set(list[key], rest, value);
    return list;
  }
  const block = typeof data === 'object' && data !== null ? { ...(data as Data) } : {};
  const inner = set(block[key], rest, value);
  if (inner === undefined) delete block[key];
  else block[key] = inner;
  return block;
}

/** Without what parsers make of dates and prototypes, which nobody has changed. */
function plain(data: unknown): unknown {
  return JSON.parse(
    JSON.stringify(data, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    ),
  );
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
