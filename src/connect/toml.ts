/** A key and its value, as they lie in a TOML text. */
interface Pair {
  /** From the root, its table's path included. */
  readonly path: readonly string[];
  readonly table: readonly string[];
  readonly line: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** After the line's end. */
  readonly end: number;
}

interface Header {
  readonly path: readonly string[];
  readonly start: number;
  /** After the line's end. */
  readonly end: number;
  /** `[[path]]`: one of a list of tables. */
  readonly list: boolean;
}

interface Page {
  readonly pairs: readonly Pair[];
  readonly headers: readonly Header[];
}

type Value = string | number | boolean | { readonly [key: string]: Value };

/**
 * Puts a value into a TOML text and leaves every other character alone. The text must be valid; what
 * comes out has to be proved by who asked, since rare shapes are not foreseen.
 *
 * @param value `undefined`: the key is taken out, if it is there.
 */
export function setToml(text: string, path: readonly string[], value: Value | undefined): string {
  if (typeof value === 'object') return setTable(text, path, value);
  const { pairs, headers } = readPage(text);
  const pair = pairs.find((each) => isSame(each.path, path));
  if (value === undefined) {
    return pair ? text.slice(0, pair.line) + text.slice(pair.end) : text;
  }
  if (pair) return text.slice(0, pair.valueStart) + toml(value) + text.slice(pair.valueEnd);
  const table = path.slice(0, -1);
  const hasHeader = table.length === 0 || headers.some((each) => isSame(each.path, table));
  const dotted = pairs.findLast(
    (each) => startsWith(each.path, table) && each.table.length < table.length,
  );
  if (!hasHeader && dotted) {
    // `a.b = 1` made the table: what else is in it has to be written in the same way.
    const line = `${path.slice(dotted.table.length).map(tomlKey).join('.')} = ${toml(value)}`;
    return text.slice(0, dotted.end) + line + eolOf(text) + text.slice(dotted.end);
  }
  return insert(text, { pairs, headers }, table, `${tomlKey(path.at(-1)!)} = ${toml(value)}`);
}

function setTable(text: string, path: readonly string[], table: Record<string, Value>): string {
  const { pairs, headers } = readPage(text);
  const inline = pairs.find((each) => isSame(each.path, path));
  if (inline) return text.slice(0, inline.valueStart) + toml(table) + text.slice(inline.valueEnd);
  const inside = (each: { readonly path: readonly string[] }): boolean =>
    startsWith(each.path, path);
  let edited = text;
  if (pairs.some(inside) || headers.some(inside)) {
    const wanted = new Set(Object.keys(table));
    const gone = pairs.filter((each) => inside(each) && !wanted.has(each.path[path.length] ?? ''));
    for (const { path: own } of gone) edited = setToml(edited, own, undefined);
    for (const [key, value] of Object.entries(table))
      edited = setToml(edited, [...path, key], value);
    return edited;
  }
  const lines = Object.entries(table).map(([key, value]) => `${tomlKey(key)} = ${toml(value)}`);
  return append(text, path, lines);
}

/** Puts a table at the end, one empty line below what is there. */
function append(text: string, path: readonly string[], lines: readonly string[]): string {
  const eol = eolOf(text);
  const ended = text === '' || text.endsWith('\n') ? text : text + eol;
  const gap = ended === '' || /\n\r?\n$/.test(ended) ? '' : eol;
  const header = `[${path.map(tomlKey).join('.')}]`;
  return `${ended}${gap}${[header, ...lines].map((line) => line + eol).join('')}`;
}

function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

/** Puts a line behind the last one of its table. */
function insert(text: string, page: Page, table: readonly string[], line: string): string {
  const { pairs, headers } = page;
  const header = headers.find((each) => !each.list && isSame(each.path, table));
  if (table.length > 0 && !header) return append(text, table, [line]);
  const eol = eolOf(text);
  const start = header?.end ?? 0;
  const next = headers.find((each) => each.start >= start);
  const own = pairs.filter(({ line: at }) => at >= start && at < (next?.start ?? Infinity));
  const at = own.at(-1)?.end ?? (header ? header.end : beforeComments(text, next?.start));
  const before = text.slice(0, at);
  const gap = before === '' || before.endsWith('\n') ? '' : eol;
  const after = text.slice(at);
  // A table that comes next keeps its distance.
  const distance = own.length === 0 && !header && after !== '' ? eol : '';
  return `${before}${gap}${line}${eol}${distance}${after}`;
}

/** Comments right above a header are about it. */
function beforeComments(text: string, header: number | undefined): number {
  if (header === undefined) return text.length;
  const above = /(?:^|\n)((?:[ \t]*#[^\n]*\n)*)$/.exec(text.slice(0, header));
  return header - (above?.[1]?.length ?? 0);
}

/** Finds the keys and headers; strings, lists and inline tables may hold what looks like either. */
function readPage(text: string): Page {
  const pairs: Pair[] = [];
  const headers: Header[] = [];
  let table: readonly string[] = [];
  let at = 0;
  while (at < text.length) {
    const line = at;
    at = skip(text, at, /[ \t\r\n]*/y);
    const start = text.lastIndexOf('\n', at - 1) + 1;
    if (text[at] === '#') {
      at = lineEnd(text, at);
    } else if (text[at] === '[') {
      const list = text[at + 1] === '[';
      const { path, end } = readKey(text, at + (list ? 2 : 1));
      at = lineEnd(text, end);
      headers.push({ path, start, end: at, list });
      table = path;
    } else if (at < text.length) {
      const { path, end } = readKey(text, at);
      const valueStart = skip(text, text.indexOf('=', end) + 1, /[ \t]*/y);
      const valueEnd = skipValue(text, valueStart);
      at = lineEnd(text, valueEnd);
      pairs.push({ path: [...table, ...path], table, line: start, valueStart, valueEnd, end: at });
    }
    // A text that is no TOML must not hold us.
    if (at <= line) break;
  }
  return { pairs, headers };
}

const KEY_PART = /[ \t]*(?:"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))[ \t]*/y;

function readKey(text: string, from: number): { path: string[]; end: number } {
  const path: string[] = [];
  let end = from;
  for (;;) {
    KEY_PART.lastIndex = end;
    const match = KEY_PART.exec(text);
    if (!match) return { path, end };
    const [whole, basic, literal, bare] = match;
    path.push(basic === undefined ? (literal ?? bare ?? '') : unescape(basic));
    end += whole.length;
    if (text[end] !== '.') return { path, end };
    end++;
  }
}

function unescape(text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    // An escape that only TOML has; such a key is none of ours.
    return text;
  }
}

const STRINGS: readonly (readonly [string, RegExp])[] = [
  ['"""', /"""(?:[^\\]|\\[\s\S])*?"{3,5}/y],
  ["'''", /'''[\s\S]*?'{3,5}/y],
  ['"', /"(?:[^"\\\n]|\\.)*"/y],
  ["'", /'[^'\n]*'/y],
];

/** @returns The end of the value that begins here. */
function skipValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const string = STRINGS.find(([mark]) => text.startsWith(mark, at));
    const character = text[at]!;
    if (string) at = Math.max(at + 1, skip(text, at, string[1]));
    else if (character === '#' && depth > 0) at = lineEnd(text, at);
    else if (character === '[' || character === '{') [depth, at] = [depth + 1, at + 1];
    else if (character === ']' || character === '}') [depth, at] = [depth - 1, at + 1];
    else if (depth === 0 && /[\r\n#]/.test(character)) break;
    else at++;
    if (depth === 0 && (string || /[\]}]/.test(character))) return at;
  }
  return from + text.slice(from, at).trimEnd().length;
}

function skip(text: string, from: number, pattern: RegExp): number {
  pattern.lastIndex = from;
  return from + (pattern.exec(text)?.[0].length ?? 0);
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end + 1;
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && startsWith(one, other);
}

function startsWith(path: readonly string[], beginning: readonly string[]): boolean {
  return beginning.every((part, index) => path[index] === part);
}

function toml(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('\u007f', '\\u007f');
  if (typeof value !== 'object') return String(value);
  const pairs = Object.entries(value).map(([key, inner]) => `${tomlKey(key)} = ${toml(inner)}`);
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}
