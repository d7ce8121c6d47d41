import {
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Scalar,
  type Document,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Path } from '../problem.ts';
import { insertInFlow, removeFromFlow } from './splice-flow.ts';
import {
  blockItem,
  blockPair,
  column,
  cut,
  endOf,
  flowValue,
  isInline,
  lineEnd,
  lineStart,
  nextLine,
  scalarLike,
  startOf,
  startsLine,
  type Page,
} from './splice-text.ts';

interface Wanted {
  readonly path: Path;
  /** `undefined`: to be taken out. */
  readonly value: unknown;
}

/**
 * Makes one change in the text of a YAML or JSON file and leaves every other character alone.
 *
 * @param document The text, parsed; in it `path` does not stand as wanted yet.
 * @returns The new text, which the caller has to prove; `undefined` where only a rewrite helps.
 */
export function splice(
  text: string,
  document: Document,
  { path, value }: Wanted,
  json: boolean,
): string | undefined {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const page: Page = { text, document, json, eol, step: stepOf(text, document) };
  const root: unknown = document.contents;
  if (path.length === 0) return undefined;
  if (isEmpty(root)) {
    const [key, ...rest] = path;
    const gap = text === '' || text.endsWith('\n') ? '' : eol;
    return `${text}${gap}${blockPair(page, String(key), nest(rest, value), 0)}${eol}`;
  }
  return change(page, root, { path, value }, undefined);
}

/** A map and the pair in it. */
interface Owner {
  readonly map: YAMLMap;
  readonly pair: Pair;
}

function change(
  page: Page,
  node: unknown,
  { path, value }: Wanted,
  owner: Owner | undefined,
): string | undefined {
  const [key, ...rest] = path as [string | number, ...Path];
  if (isMap(node)) {
    const pair = node.items.findLast((each) => nameOf(each) === String(key));
    if (!pair) return insert(page, node, { path, value }, owner);
    if (rest.length === 0) {
      return value === undefined
        ? remove(page, node, pair, owner)
        : replace(page, { map: node, pair }, value);
    }
    const nothing = isEmpty(pair.value) || (isScalar(pair.value) && pair.value.value === null);
    if (nothing) return replace(page, { map: node, pair }, nest(rest, value));
    if (isAlias(pair.value)) return overAlias(page, { map: node, pair }, { path: rest, value });
    return change(page, pair.value, { path: rest, value }, { map: node, pair });
  }
  if (!isSeq(node) || typeof key !== 'number') return undefined;
  if (rest.length > 0) return change(page, node.items[key], { path: rest, value }, undefined);
  if (key === node.items.length) return append(page, node, value);
  return value === undefined
    ? removeItem(page, node, key, owner)
    : replaceInline(page, node.items[key], value);
}

function insert(
  page: Page,
  map: YAMLMap,
  { path, value }: Wanted,
  owner: Owner | undefined,
): string | undefined {
  const [key, ...rest] = path as [string, ...Path];
  // What is there comes from a merge; only the anchor could be changed.
  if (value === undefined) return undefined;
  const merged = (map.toJS(page.document) as Record<string, unknown>)[key];
  const whole = nest(rest, value, merged);
  if (map.flow && map.items.length === 0 && owner && !owner.map.flow && !page.json) {
    return replace(page, owner, { [key]: whole });
  }
  if (map.flow) return insertInFlow(page, map, whole, key);
  const indent = column(page, startOf(map.items[0]));
  const at = lineEnd(page, endOf(page, map.items.at(-1)));
  const line = blockPair(page, key, whole, indent);
  return cut(page, at, at, `${page.eol}${' '.repeat(indent)}${line}`);
}

function remove(
  page: Page,
  map: YAMLMap,
  pair: Pair,
  owner: Owner | undefined,
): string | undefined {
  const index = map.items.indexOf(pair);
  if (map.flow) return removeFromFlow(page, map, index);
  const start = startOf(pair);
  if (map.items.length === 1 && owner && !isCommented(page, owner)) {
    return replace(page, owner, {});
  }
  // A key with nothing but comments in it says as much as none.
  if (startsLine(page, start)) return cutLines(page, start, endOf(page, pair));
  // The first one of a list's item stands behind its dash; the next one takes its place.
  const next = map.items[index + 1];
  return next && cut(page, start, startOf(next));
}

/** Puts another value behind a key. */
function replace(page: Page, { map, pair }: Owner, value: unknown): string | undefined {
  const { value: old, key } = pair;
  if (map.flow) return isEmpty(old) ? undefined : replaceInline(page, old, value, map);
  const indent = column(page, startOf(key));
  const colon = page.text.indexOf(':', (key as Scalar).range![1]) + 1;
  const oldInline = isEmpty(old) || isAlias(old) || isOnLine(old);
  if (oldInline && isInline(value)) {
    if (!isEmpty(old)) return replaceInline(page, old, value);
    return cut(page, colon, colon, ` ${flowValue(page, value)}`);
  }
  const end = isEmpty(old) ? colon : endOf(page, old);
  const line = lineEnd(page, oldInline ? end : colon);
  // A comment in the key's line stays there.
  const comment = /\s*#.*$/.exec(page.text.slice(oldInline ? end : colon, line))?.[0] ?? '';
  const rest = oldInline ? line : end;
  if (isSeq(old) && !old.flow && Array.isArray(value) && value.length > 0) {
    return replaceList(page, old, value);
  }
  if (isInline(value)) return cut(page, colon, rest, ` ${flowValue(page, value)}${comment}`);
  const [, ...lines] = blockPair(page, 'key', value, indent).split(page.eol);
  return cut(page, colon, rest, [comment.trimEnd(), ...lines].join(page.eol));
}

/** A list of lines stays one. */
function replaceList(page: Page, list: YAMLSeq, value: readonly unknown[]): string | undefined {
  const dash = dashOf(page, list.items[0]);
  if (dash === undefined) return undefined;
  const indent = column(page, dash);
  const items = value.map((item) => blockItem(page, item, indent));
  return cut(page, dash, endOf(page, list), items.join(`${page.eol}${' '.repeat(indent)}`));
}

/** Whether there are comments of its own between a key and what stands in it. */
function isCommented({ text }: Page, { pair }: Owner): boolean {
  const colon = text.indexOf(':', (pair.key as Scalar).range![1]) + 1;
  return text.slice(colon, startOf(pair.value)).includes('#');
}

function replaceInline(
  page: Page,
  old: unknown,
  value: unknown,
  around?: YAMLMap,
): string | undefined {
  if (!isNode(old) || (isCollection(old) && !old.flow) || isBlockScalar(old)) return undefined;
  const [start, end] = old.range!;
  const several =
    around && page.text.slice(around.range![0], startOf(around.items[0])).includes('\n');
  const text =
    typeof value === 'object' && value !== null
      ? flowValue(page, value, several ? column(page, startOf(around.items[0])) : undefined)
      : scalarLike(page, old, value);
  return cut(page, start, end, text);
}

/** `a: *base` is to differ from the anchor in one thing: it becomes a block that merges it. */
function overAlias(page: Page, { map, pair }: Owner, { path, value }: Wanted): string | undefined {
  const alias = pair.value;
  const [key, ...rest] = path as [string, ...Path];
  if (!isAlias(alias) || value === undefined || page.json) return undefined;
  const base: unknown = alias.resolve(page.document);
  if (!isMap(base)) return undefined;
  const whole = nest(rest, value, (base.toJS(page.document) as Record<string, unknown>)[key]);
  const [start, end] = alias.range!;
  if (map.flow) {
    const own = flowValue(page, { [key]: whole })
      .slice(1, -1)
      .trim();
    return cut(page, start, end, `{ <<: *${alias.source}, ${own} }`);
  }
  const indent = column(page, startOf(pair.key)) + page.step;
  const pad = `${page.eol}${' '.repeat(indent)}`;
  const comment = page.text.slice(end, lineEnd(page, end));
  const lines = `${pad}<<: *${alias.source}${pad}${blockPair(page, key, whole, indent)}`;
  const colon = page.text.indexOf(':', (pair.key as Scalar).range![1]) + 1;
  return cut(page, colon, lineEnd(page, end), comment.trimEnd() + lines);
}

function append(page: Page, list: YAMLSeq, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (list.flow) return insertInFlow(page, list, value);
  const dash = dashOf(page, list.items[0]);
  if (dash === undefined) return undefined;
  const indent = column(page, dash);
  const at = lineEnd(page, endOf(page, list.items.at(-1)));
  return cut(page, at, at, `${page.eol}${' '.repeat(indent)}${blockItem(page, value, indent)}`);
}

function removeItem(
  page: Page,
  list: YAMLSeq,
  index: number,
  owner: Owner | undefined,
): string | undefined {
  if (list.flow) return removeFromFlow(page, list, index);
  if (list.items.length === 1) return owner && replace(page, owner, []);
  const dash = dashOf(page, list.items[index]);
  if (dash === undefined || !startsLine(page, dash)) return undefined;
  return cutLines(page, dash, endOf(page, list.items[index]));
}

/** Takes out the lines from one place to another, and one of two empty lines that meet then. */
function cutLines(page: Page, from: number, to: number): string {
  const start = lineStart(page, from);
  const end = nextLine(page, to);
  const { text } = page;
  const emptyBefore = start === 0 || /\n\r?\n$/.test(text.slice(0, start));
  const empty = /^[ \t]*\r?\n/.exec(text.slice(end));
  return cut(page, start, emptyBefore && empty ? end + empty[0].length : end);
}

function dashOf({ text }: Page, item: unknown): number | undefined {
  const before = /-\s+$/.exec(text.slice(0, startOf(item)));
  return before?.index;
}

/** @returns The blocks on the way to a value, where they are missing. */
function nest(path: Path, value: unknown, present?: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const block = typeof present === 'object' && present !== null ? present : {};
  const inner = (block as Record<string | number, unknown>)[key];
  return { ...block, [key]: nest(rest, value, inner) };
}

function stepOf(text: string, document: Document): number {
  const root: unknown = document.contents;
  if (!isMap(root)) return 2;
  for (const { key, value } of root.items) {
    if (!isMap(value) || value.items.length === 0) continue;
    const inner = startOf(value.items[0]);
    const outer = startOf(key);
    const page = { text } as Page;
    if (!startsLine(page, inner)) continue;
    const step = column(page, inner) - column(page, outer);
    if (step > 0) return step;
  }
  return 2;
}

/** A value on its key's line; a text in several lines starts there, but goes on. */
function isOnLine(node: unknown): boolean {
  if (isCollection(node)) return node.flow === true;
  return isScalar(node) && !isBlockScalar(node);
}

function isBlockScalar(node: unknown): boolean {
  return (
    isScalar(node) && (node.type === Scalar.BLOCK_FOLDED || node.type === Scalar.BLOCK_LITERAL)
  );
}

/** `key:` with nothing after it, or an empty document. */
function isEmpty(node: unknown): boolean {
  if (node === null || node === undefined) return true;
  return isScalar(node) && node.value === null && node.range?.[0] === node.range?.[1];
}

function nameOf({ key }: Pair): string {
  return String(isScalar(key) ? key.value : key);
}
