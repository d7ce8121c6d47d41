import { isMap, type YAMLMap, type YAMLSeq } from 'yaml';
import {
  column,
  cut,
  endOf,
  flowPair,
  flowValue,
  lineEnd,
  lineStart,
  nextLine,
  startOf,
  startsLine,
  type Page,
} from './splice-text.ts';

type Flow = YAMLMap | YAMLSeq;

/** Puts a pair (or, in a list, a value alone) at the end of what stands in braces or brackets. */
export function insertInFlow(page: Page, flow: Flow, value: unknown, key?: string): string {
  const { text, eol, step } = page;
  const [open, end] = flow.range!;
  const close = end - 1;
  const write = (indent?: number): string =>
    key === undefined ? flowValue(page, value, indent) : flowPair(page, key, value, indent);
  const [first, last] = [flow.items[0], flow.items.at(-1)];
  if (!last) {
    if (!page.json) return cut(page, open + 1, close, ` ${write()} `);
    const line = lineStart(page, open);
    const outer = text.slice(line).match(/^\s*/)![0].length;
    const inner = ' '.repeat(outer + step);
    const lines = `${eol}${inner}${write(outer + step)}${eol}${' '.repeat(outer)}`;
    return cut(page, open + 1, close, lines);
  }
  const after = endOf(page, last);
  const comma = commaAfter(page, after, close);
  const from = comma === undefined ? after : comma + 1;
  const several = text.slice(open, startOf(first)).includes('\n');
  if (!several) return cut(page, from, from, comma === undefined ? `, ${write()}` : ` ${write()}`);
  const indent = column(page, startOf(first));
  // Behind a comment in the line, but before a brace that closes there.
  const at = text.slice(from, close).includes('\n') ? lineEnd(page, from) : from;
  const line = `${eol}${' '.repeat(indent)}${write(indent)}${comma === undefined ? '' : ','}`;
  const added = cut(page, at, at, line);
  return comma === undefined ? `${added.slice(0, after)},${added.slice(after)}` : added;
}

/** Takes an item out, and the comma that is one too many then. */
export function removeFromFlow(page: Page, flow: Flow, index: number): string {
  const [open, end] = flow.range!;
  const item = flow.items[index];
  const before = flow.items[index - 1];
  const next = flow.items[index + 1];
  if (!before && !next) return cut(page, open, end, isMap(flow) ? '{}' : '[]');
  const [start, stop] = [startOf(item), endOf(page, item)];
  const comma = commaAfter(page, stop, end - 1);
  const ownLine = startsLine(page, start);
  if (next) {
    const close = comma! + 1;
    const alone = ownLine && startOf(next) > lineEnd(page, close);
    return alone
      ? cut(page, lineStart(page, start), nextLine(page, close))
      : cut(page, start, startOf(next));
  }
  const earlier = commaAfter(page, endOf(page, before), start)!;
  const close = comma === undefined ? stop : comma + 1;
  // With the line break before it; a brace that closes in its line moves up.
  const from = ownLine ? lineEnd(page, lineStart(page, start) - 2) : earlier + 1;
  const shorter = cut(page, from, close);
  return comma === undefined ? shorter.slice(0, earlier) + shorter.slice(earlier + 1) : shorter;
}

/** The place of the next comma, past spaces and comments. */
function commaAfter({ text }: Page, from: number, to: number): number | undefined {
  const match = /^(?:\s|#[^\n]*\n)*,/.exec(text.slice(from, to));
  return match ? from + match[0].length - 1 : undefined;
}
