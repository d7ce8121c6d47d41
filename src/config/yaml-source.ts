import {
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Pair,
  type YAMLError,
} from 'yaml';
import type { Path } from './problem.ts';
import { SourceError, type Place, type Source } from './source.ts';

interface Mistake extends Place {
  readonly message: string;
}

/**
 * Reads YAML, and with it JSON.
 *
 * @throws SourceError with every syntax error, at its place.
 */
export function readYaml(file: string, text: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const duplicates: Mistake[] = [];
  const fatal: Mistake[] = [];
  for (const error of document.errors) {
    const mistake = { ...placeAt(error.pos[0]), message: plainWords(error, text) };
    (error.code === 'DUPLICATE_KEY' ? duplicates : fatal).push(mistake);
  }
  for (const { offset, message } of unusable(document)) fatal.push({ ...placeAt(offset), message });
  if (fatal.length > 0) throw new SourceError([...firstOfEachLine(fatal), ...duplicates]);
  return {
    data: toData(document),
    mistakes: duplicates,
    files: [file],
    place(path, at) {
      const offset = offsetOf(document, path, at);
      return offset === undefined ? undefined : placeAt(offset);
    },
  };
}

/** One slip makes the parser stumble several times: the first one of a line tells it. */
function firstOfEachLine(mistakes: readonly Mistake[]): Mistake[] {
  return mistakes.filter(
    ({ line }, index) => mistakes.findIndex((other) => other.line === line) === index,
  );
}

function toData(document: Document): unknown {
  try {
    return document.toJS() ?? undefined;
  } catch (error) {
    // The parser's own guard against documents that unfold without end.
    throw new SourceError([{ message: error instanceof Error ? error.message : String(error) }]);
  }
}

/** What YAML allows and a config can't mean. */
function unusable(document: Document): { offset: number; message: string }[] {
  const found: { offset: number; message: string }[] = [];
  visit(document, {
    Alias(_key, alias) {
      if (!alias.resolve(document))
        found.push({
          offset: alias.range?.[0] ?? 0,
          message: `\`*${alias.source}\` has no \`&${alias.source}\` before it; put text that starts with * in quotes`,
        });
    },
    Pair(_key, { key }) {
      if (isCollection(key))
        found.push({
          offset: key.range?.[0] ?? 0,
          message: 'a list or block stands where a key must be; put quotes around `{` and `[`',
        });
    },
  });
  return found;
}

function plainWords({ code, message, pos }: YAMLError, text: string): string {
  const [start] = pos;
  if (text.slice(start - 1, start + 1) === '${')
    return 'a value with `${…}` needs quotes around it inside `{ }` and `[ ]`';
  switch (code) {
    case 'DUPLICATE_KEY': {
      const [, quoted, plain] = /^(?:["']([^"']*)["']|([^\s:]+))/.exec(text.slice(start)) ?? [];
      return `\`${quoted ?? plain ?? 'a key'}\` is given twice; keep one of them`;
    }
    case 'TAB_AS_INDENT':
      return "tabs can't indent YAML; use spaces";
    case 'BAD_ALIAS':
      return 'text that starts with * needs quotes';
    case 'MULTIPLE_DOCS':
      return 'a second YAML document starts here; a config is one';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a second `key:` on one line; put it on a line of its own, or the text in quotes';
    default:
      return message;
  }
}

/** The offset of the deepest node on the way to `path` that is in the file. */
function offsetOf(document: Document, path: Path, at: 'key' | 'value'): number | undefined {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const [depth, segment] of path.entries()) {
    const block: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isMap(block)) {
      const pair = pairOf(document, block.items, String(segment));
      if (!pair) break;
      node = pair.value;
      const wantsKey = at === 'key' || depth < path.length - 1 || isEmpty(node);
      offset = (wantsKey ? startOf(pair.key) : startOf(node)) ?? offset;
    } else if (isSeq(block) && typeof segment === 'number') {
      node = block.items[segment];
      offset = startOf(node) ?? offset;
    } else break;
  }
  return offset;
}

function pairOf(document: Document, items: readonly Pair[], key: string): Pair | undefined {
  // The last one, as it is the one that counts when a key is given twice.
  const own = items.findLast((pair) => isPair(pair) && nameOf(pair) === key);
  if (own) return own;
  for (const pair of items) {
    if (nameOf(pair) !== '<<') continue;
    const merged = isSeq(pair.value) ? pair.value.items : [pair.value];
    for (const each of merged) {
      const block: unknown = isAlias(each) ? each.resolve(document) : each;
      const found = isMap(block) ? pairOf(document, block.items, key) : undefined;
      if (found) return found;
    }
  }
  return undefined;
}

/** @returns A key as it is written; a merge key's value is a symbol. */
function nameOf({ key }: Pair): string {
  const value = isScalar(key) ? key.value : key;
  return typeof value === 'symbol' ? (value.description ?? '') : String(value);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** `key:` with nothing after it: there is no value to point at. */
function isEmpty(node: unknown): boolean {
  return !isNode(node) || (isScalar(node) && node.value === null);
}
