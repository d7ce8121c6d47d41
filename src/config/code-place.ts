import type { Path } from './problem.ts';
import { placeAt, type Place } from './source.ts';

interface Token {
  readonly text: string;
  readonly offset: number;
}

/** Comments, strings, numbers and names, and any other sign alone. */
const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|[\p{ID_Start}$_][\p{ID_Continue}$]*|\d[\w.]*|=>|\S/gu;

/**
 * Finds an option in the source text of a config in TypeScript or JavaScript, as far as it is
 * written down there: what a call or a spread brings in has no place of its own.
 *
 * @param exported The name of the export that is meant, if there is one; else the default one.
 * @returns The place of the option, or of the nearest block around it; `undefined` when not even
 * the exported object is found.
 */
export function placeInCode(
  text: string,
  path: Path,
  at: 'key' | 'value',
  exported?: string,
): Place | undefined {
  const tokens = tokenize(text);
  let value = rootObject(tokens, exported);
  if (value === undefined) return undefined;
  let found = value;
  for (const [depth, segment] of path.entries()) {
    const entry: Entry | undefined = entriesOf(tokens, value).find(({ key }, index) =>
      typeof segment === 'number' ? index === segment : key === segment,
    );
    if (!entry) break;
    const wantsKey = at === 'key' || depth < path.length - 1;
    found = wantsKey ? entry.start : entry.value;
    value = entry.value;
  }
  return placeAt(text, tokens[found]!.offset);
}

function tokenize(text: string): Token[] {
  return [...text.matchAll(TOKEN)]
    .map((match) => ({ text: match[0], offset: match.index }))
    .filter(({ text: token }) => !token.startsWith('//') && !token.startsWith('/*'));
}

/** The index of the `{` of the exported object: in place, in a call, or under a name. */
function rootObject(tokens: readonly Token[], exported?: string): number | undefined {
  const textAt = (index: number): string => tokens[index]?.text ?? '';
  let at = tokens.findIndex(
    ({ text }, index) =>
      text === exported &&
      /^(const|let|var)$/.test(textAt(index - 1)) &&
      textAt(index - 2) === 'export',
  );
  if (at < 0) {
    at = tokens.findIndex(
      ({ text }, index) =>
        (text === 'default' && textAt(index - 1) === 'export') ||
        (text === '=' && textAt(index - 1) === 'exports' && textAt(index - 2) === '.'),
    );
    if (at < 0) return undefined;
    at++;
  }
  if (isName(textAt(at)) && textAt(at + 1) !== '(') {
    const name = textAt(at);
    at = tokens.findIndex(
      ({ text }, index) => text === name && /^(const|let|var)$/.test(textAt(index - 1)),
    );
    if (at < 0) return undefined;
    while (at < tokens.length && textAt(at) !== '=') at++;
    at++;
  }
  if (isName(textAt(at)) && textAt(at + 1) === '(') at += 2;
  return textAt(at) === '{' ? at : undefined;
}

interface Entry {
  /** Absent in arrays. */
  readonly key: string | undefined;
  /** Indices of tokens. */
  readonly start: number;
  readonly value: number;
}

/** The entries of the object or array that opens at a token; none when there opens neither. */
function entriesOf(tokens: readonly Token[], open: number): Entry[] {
  const opener = tokens[open]?.text;
  if (opener !== '{' && opener !== '[') return [];
  const entries: Entry[] = [];
  let depth = 0;
  let start = open + 1;
  for (let index = open; index < tokens.length; index++) {
    const { text } = tokens[index]!;
    if ('{[('.includes(text)) depth++;
    else if ('}])'.includes(text)) depth--;
    const ends = depth === 0 || (depth === 1 && text === ',');
    if (!ends) continue;
    if (index > start) entries.push(entryAt(tokens, start, opener));
    if (depth === 0) break;
    start = index + 1;
  }
  return entries;
}

function entryAt(tokens: readonly Token[], start: number, opener: string): Entry {
  if (opener === '[') return { key: undefined, start, value: start };
  const { text } = tokens[start]!;
  const key = /^['"]/.test(text) ? text.slice(1, -1) : text;
  return { key, start, value: tokens[start + 1]?.text === ':' ? start + 2 : start };
}

function isName(text: string): boolean {
  return /^[\p{ID_Start}$_]/u.test(text);
}
