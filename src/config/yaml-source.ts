import { extname } from 'node:path';
import {
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Pair,
} from 'yaml';
import { jsonMistake } from './json-mistake.ts';
import type { Path } from './problem.ts';
import { SourceError, type Place, type Source } from './source.ts';
import { yamlMistakes } from './yaml-mistakes.ts';

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
  const placed = ({ offset, message }: { offset: number; message: string }): Mistake => ({
    ...placeAt(offset),
    message,
  });
  const mistakes = yamlMistakes(document, text);
  const harmless = mistakes.filter((mistake) => mistake.harmless).map(placed);
  const fatal = mistakes.filter((mistake) => !mistake.harmless).map(placed);
  // A trailing comma and the like may pass; what has to be told is told in JSON's own terms.
  const json = extname(file) === '.json' ? jsonMistake(text) : undefined;
  if (json && (fatal.length > 0 || json.message.includes('comments')))
    throw new SourceError([placed(json)]);
  if (fatal.length > 0) throw new SourceError([...firstOfEachLine(fatal), ...harmless]);
  return {
    text,
    data: toData(document),
    mistakes: harmless,
    place(path, at) {
      const offset = offsetOf(document, path, at);
      return offset === undefined ? undefined : placeAt(offset);
    },
  };
}

interface Mistake extends Place {
  readonly message: string;
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
