import { Document, isNode, isScalar, isSeq, Scalar, visit, type Pair } from 'yaml';

/** A file's text and how it is written. */
export interface Page {
  readonly text: string;
  readonly document: Document;
  readonly json: boolean;
  readonly eol: string;
  /** Columns from a block to what is in it. */
  readonly step: number;
}

export function startOf(item: unknown): number {
  return isNode(item) ? item.range![0] : startOf((item as Pair).key);
}

/** @returns Where an item's last character ends, without comments and line breaks after it. */
export function endOf({ text }: Page, item: unknown): number {
  if (!isNode(item)) {
    const { key, value } = item as Pair;
    return endOf({ text } as Page, isNode(value) ? value : key);
  }
  let end = item.range![1];
  while (end > 0 && /\s/.test(text[end - 1]!)) end--;
  return end;
}

export function lineStart({ text }: Page, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

/** @returns The end of the line, before its line break. */
export function lineEnd({ text }: Page, at: number): number {
  const end = text.indexOf('\n', at);
  if (end < 0) return text.length;
  return text[end - 1] === '\r' ? end - 1 : end;
}

/** @returns Where the next line starts. */
export function nextLine(page: Page, at: number): number {
  const end = page.text.indexOf('\n', lineEnd(page, at));
  return end < 0 ? page.text.length : end + 1;
}

export function column(page: Page, at: number): number {
  return at - lineStart(page, at);
}

/** Whether only spaces stand before it in its line. */
export function startsLine(page: Page, at: number): boolean {
  return page.text.slice(lineStart(page, at), at).trim() === '';
}

export function cut({ text }: Page, from: number, to: number, between = ''): string {
  return text.slice(0, from) + between + text.slice(to);
}

/** Whether a value is written on the line of its key. */
export function isInline(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every((item) => typeof item !== 'object');
  return Object.keys(value).length === 0;
}

/** @returns A pair as a block writes it; its further lines stand `indent` columns to the right. */
export function blockPair(page: Page, key: string, value: unknown, indent: number): string {
  return indented(page, toText(new Document({ [key]: value }), page, 'items'), indent);
}

/** @returns An item of a list, with its dash. */
export function blockItem(page: Page, value: unknown, indent: number): string {
  return indented(page, toText(new Document([value]), page, 'inner'), indent);
}

/** @returns A pair between braces. */
export function flowPair(page: Page, key: string, value: unknown, indent?: number): string {
  const name = page.json ? JSON.stringify(key) : flowYaml(page, key);
  return `${name}: ${flowValue(page, value, indent)}`;
}

/**
 * @returns A value between braces, or on the line of its key.
 * @param indent Of its line, where JSON may use several lines.
 */
export function flowValue(page: Page, value: unknown, indent?: number): string {
  if (!page.json) return flowYaml(page, value);
  if (indent === undefined) return json(value, '').replaceAll('\n', ' ');
  return indented(page, json(value, ' '.repeat(page.step)), indent);
}

/** @returns A scalar in place of another one, in the same quotes where it can be. */
export function scalarLike(page: Page, old: unknown, value: unknown): string {
  const type = isScalar(old) ? old.type : undefined;
  if (typeof value === 'string' && !page.json) {
    if (type === Scalar.QUOTE_DOUBLE) return JSON.stringify(value);
    if (type === Scalar.QUOTE_SINGLE && !/[\n\r]/.test(value)) {
      return `'${value.replaceAll("'", "''")}'`;
    }
  }
  return flowValue(page, value);
}

/** YAML between braces, as people write it: `{ a: 1, b: [x, y] }`. */
function flowYaml(page: Page, value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => flowYaml(page, item)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).filter(([, item]) => item !== undefined);
    const inner = pairs.map(([key, item]) => `${flowYaml(page, key)}: ${flowYaml(page, item)}`);
    return inner.length === 0 ? '{}' : `{ ${inner.join(', ')} }`;
  }
  // In a list, so that it gets the quotes that it needs there.
  return toText(new Document([value]), page, 'all').slice(1, -1);
}

/** JSON as people write it: a list of plain values stands in one line. */
function json(value: unknown, step: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const lists = Array.isArray(value);
  if (lists && isInline(value)) return `[${value.map((item) => json(item, step)).join(', ')}]`;
  const inner = Object.entries(value).flatMap(([key, item]) => {
    if (item === undefined) return [];
    const text = json(item, step).replaceAll('\n', `\n${step}`);
    return [`${step}${lists ? '' : `${JSON.stringify(key)}: `}${text}`];
  });
  const [open, close] = lists ? '[]' : '{}';
  return inner.length === 0 ? `${open}${close}` : `${open}\n${inner.join(',\n')}\n${close}`;
}

/** @param flow What is written in brackets: all, or only what fits a line; `inner`: not the outermost. */
function toText(document: Document, page: Page, flow: 'all' | 'items' | 'inner'): string {
  visit(document, {
    Scalar(_, node) {
      // So that nobody takes it for a variable of the shell, or wonders about the braces.
      if (typeof node.value === 'string' && node.value.includes('$')) {
        node.type = Scalar.QUOTE_DOUBLE;
      }
    },
    Collection(_, node) {
      const short = node.items.length === 0 || (isSeq(node) && node.items.every(isScalar));
      const outermost = flow === 'inner' && node === document.contents;
      node.flow = flow === 'all' || (short && !outermost);
    },
  });
  return document
    .toString({ indent: page.step, lineWidth: 0, flowCollectionPadding: false })
    .trimEnd();
}

function indented({ eol }: Page, text: string, indent: number): string {
  return text
    .split('\n')
    .map((line, index) => (index === 0 || line === '' ? line : ' '.repeat(indent) + line))
    .join(eol);
}
