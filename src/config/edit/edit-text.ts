import { basename, extname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseDocument, type Document } from 'yaml';
import { EditError } from './edit-error.ts';
import { pathText, type Path } from '../problem.ts';
import { isCode, PACKAGE_KEY } from '../source.ts';
import { splice } from './splice.ts';

/** One change of a config file. */
export interface Change {
  readonly path: Path;
  /** What is to stand there; the blocks around it are made where they are missing. `undefined`: nothing. */
  readonly value: unknown;
}

/**
 * Makes changes in the text of a config file. All that they are not about stays as it is written:
 * comments, order, quotes, indentation, anchors.
 *
 * @param file Its name tells what is in it.
 * @throws EditError when the file is code, or can't be parsed, or the change can't be made there.
 */
export function editText(file: string, text: string, changes: readonly Change[]): string {
  if (isCode(file)) throw uneditable(file);
  const within = basename(file) === 'package.json' ? [PACKAGE_KEY] : [];
  let edited = text;
  for (const { path, value } of changes) {
    const at = [...within, ...path];
    for (const change of steps(parse(file, edited).toJS(), at, value)) {
      edited = makeChange(file, edited, change);
    }
  }
  return edited;
}

/**
 * @returns The part of a file that is the config: all of it, but of a `package.json` what stands
 * under our key, as JSON of its own.
 */
export function ownText(file: string, text: string): string {
  if (basename(file) !== 'package.json') return text;
  const whole: unknown = parse(file, text).toJS();
  const own = isBlock(whole) ? whole[PACKAGE_KEY] : undefined;
  return `${JSON.stringify(own ?? {}, null, 2)}\n`;
}

/**
 * Puts another config into a file's text.
 * @throws EditError when it is for a `package.json`, and no JSON.
 */
export function withOwnText(file: string, text: string, config: string): string {
  if (basename(file) !== 'package.json') return config;
  return editText(file, text, [{ path: [], value: parse(file, config).toJS() }]);
}

export function uneditable(file: string): EditError {
  return new EditError(
    'uneditable',
    `${basename(file)} is code, which only its author can change: edit it by hand`,
  );
}

/** A block in place of a block changes only what is different in it, so that its comments stay. */
function steps(data: unknown, path: Path, value: unknown): Change[] {
  const present = lookUp(data, path);
  if (isDeepStrictEqual(present, value)) return [];
  if (isBlock(present) && isBlock(value)) {
    return [...new Set([...Object.keys(present), ...Object.keys(value)])].flatMap((key) =>
      steps(data, [...path, key], value[key] ?? undefined),
    );
  }
  if (Array.isArray(present) && Array.isArray(value)) return listSteps(present, path, value);
  return [{ path, value }];
}

/** Takes out what goes, from the end, and appends what comes, where that is all there is to do. */
function listSteps(present: readonly unknown[], path: Path, value: readonly unknown[]): Change[] {
  const has = (list: readonly unknown[], item: unknown): boolean =>
    list.some((other) => isDeepStrictEqual(other, item));
  const kept = present.filter((item) => has(value, item));
  if (kept.length === 0 || !isDeepStrictEqual(value.slice(0, kept.length), kept)) {
    return [{ path, value }];
  }
  const gone = present.flatMap((item, index) => (has(value, item) ? [] : [index])).reverse();
  return [
    ...gone.map((index) => ({ path: [...path, index], value: undefined })),
    ...value.slice(kept.length).map((item, index) => ({
      path: [...path, kept.length + index],
      value: item,
    })),
  ];
}

function makeChange(file: string, text: string, change: Change): string {
  const document = parse(file, text);
  const edited = splice(text, document, change, isJson(file, text));
  const wanted = withValue(document.toJS(), change.path, change.value);
  // Where an anchor is changed, its aliases follow: that is what they were written for.
  const rewritten = rewrite(document, change);
  const results = [wanted, rewritten && dataOf(rewritten)].filter((data) => data !== undefined);
  const holds = (candidate: string | undefined): candidate is string => {
    const data = candidate === undefined ? undefined : dataOf(candidate);
    // Behind an item that is taken out of a list, others move up.
    const moves = change.value === undefined && typeof change.path.at(-1) === 'number';
    return (
      data !== undefined &&
      (moves || isDeepStrictEqual(said(lookUp(data, change.path)), said(change.value))) &&
      results.some((result) => isDeepStrictEqual(said(data), said(result)))
    );
  };
  if (holds(edited)) return edited;
  // Rare shapes: written anew, with the comments, but perhaps spaced otherwise.
  if (holds(rewritten)) return rewritten;
  throw new EditError(
    'uneditable',
    `\`${pathText(change.path)}\` can't be changed in ${basename(file)}, as an anchor stands in the way: edit it by hand`,
  );
}

function rewrite(document: Document, { path, value }: Change): string | undefined {
  try {
    if (value === undefined) document.deleteIn(path);
    else document.setIn(path, document.createNode(value));
    return document.toString({ lineWidth: 0 });
  } catch {
    // It does not go through what is no block, such as an alias.
    return undefined;
  }
}

function parse(file: string, text: string): Document {
  const document = parseDocument(text, { keepSourceTokens: true, merge: true });
  const [error] = document.errors;
  if (error) {
    throw new EditError(
      'uneditable',
      `${basename(file)} has mistakes, mend them first: ${error.message.split('\n')[0]}`,
    );
  }
  return document;
}

/** @returns What a text says; `undefined` when it is not even YAML. */
function dataOf(text: string): unknown {
  const document = parseDocument(text, { merge: true });
  if (document.errors.length > 0) return undefined;
  try {
    return (document.toJS() as unknown) ?? {};
  } catch {
    // An alias without its anchor.
    return undefined;
  }
}

/** Without what says nothing: `key:` and `key: {}` mean no more than no key at all. */
function said(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(said);
  if (!isBlock(data)) return data;
  const entries = Object.entries(data).map(([key, value]) => [key, said(value)] as const);
  return Object.fromEntries(
    entries.filter(([, value]) => {
      const empty = isBlock(value) && Object.keys(value).length === 0;
      return value !== null && value !== undefined && !empty;
    }),
  );
}

function isJson(file: string, text: string): boolean {
  return extname(file) === '.json' || text.trimStart().startsWith('{');
}

function withValue(data: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value ?? {};
  if (Array.isArray(data) && typeof key === 'number') {
    const copy: unknown[] = [...data];
    if (rest.length === 0 && value === undefined) copy.splice(key, 1);
    else copy[key] = withValue(data[key], rest, value);
    return copy;
  }
  const block: Record<string, unknown> = isBlock(data) ? { ...data } : {};
  if (rest.length > 0) block[key] = withValue(block[key], rest, value);
  else if (value === undefined) delete block[key];
  else block[key] = value;
  return block;
}

function lookUp(data: unknown, path: Path): unknown {
  let value = data;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

function isBlock(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
