import { plain } from '../../format.ts';
import { fitLine, textOf, type Line, type Span } from '../line.ts';
import { plainLines, take, widthOf, wrap } from '../text.ts';
import type { Tone } from '../theme.ts';

/** Pieces that pages are put together from. All are lines, none wider than what they were made for. */

export function heading(title: string): Line {
  return [[title, 'accent']];
}

/** What is known, name by name; the names make a column. Unknown ones are left out. */
export function facts(
  entries: readonly (readonly [name: string, value: Line | string | undefined])[],
  width: number,
): Line[] {
  const known = entries.flatMap(([name, value]) =>
    value === undefined || value.length === 0
      ? []
      : [{ name, value: typeof value === 'string' ? [plain(value)] : value }],
  );
  const column = Math.max(0, ...known.map(({ name }) => name.length)) + 2;
  return known.flatMap(({ name, value }): Line[] => {
    const label: Span = [name.padEnd(column), 'faint'];
    if (widthOf(textOf(value)) + column <= width) return [[label, ...value]];
    return wrap(textOf(value), width - column).map((text, index) => [
      index === 0 ? label : ' '.repeat(column),
      text,
    ]);
  });
}

/** A text of several lines, broken where it is too wide. */
export function paragraph(text: string, width: number, tone?: Tone): Line[] {
  return wrap(plainLines(text), width).map((line) => [tone ? [line, tone] : line]);
}

/** Running text whose pieces mean different things, broken at blanks and line ends. */
export function flow(spans: readonly Span[], width: number): Line[] {
  const lines: Span[][] = [[]];
  let left = width;
  const next = (): void => {
    lines.push([]);
    left = width;
  };
  for (const span of spans) {
    const [text, tone] = typeof span === 'string' ? [span, undefined] : span;
    for (const [word] of text.matchAll(/\n|[^\S\n]+|\S+/g)) {
      if (word === '\n') {
        next();
        continue;
      }
      let rest = word;
      if (widthOf(rest) > left && left < width) next();
      while (rest !== '') {
        const piece = take(rest, left) || rest.slice(0, 1);
        lines.at(-1)!.push(tone ? [piece, tone] : piece);
        left -= widthOf(piece);
        rest = rest.slice(piece.length);
        if (rest !== '') next();
      }
    }
  }
  return lines;
}

/** Rows in columns that are as wide as their widest cell; the last one has what is left. */
export function grid(rows: readonly (readonly Line[])[], width: number): Line[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((row) => widthOf(textOf(row[column] ?? [])))),
  );
  return rows.map((row) => {
    let left = width;
    return row.flatMap((cell, column): Line => {
      const isLast = column === row.length - 1;
      const room = Math.max(0, isLast ? left : Math.min(widths[column]!, left));
      left -= room + 2;
      const fitted = isLast && widthOf(textOf(cell)) <= room ? cell : fitLine(cell, room);
      return isLast ? fitted : [...fitted, '  '];
    });
  });
}

/** Two lists of lines side by side, where each gets enough room for that; otherwise one below the other. */
export function beside(
  width: number,
  left: (width: number) => readonly Line[],
  right: (width: number) => readonly Line[],
): readonly Line[] {
  const gap = 4;
  const half = Math.floor((width - gap) / 2);
  if (half < 56) return [...left(width), [], ...right(width)];
  const [a, b] = [left(half), right(half)];
  return Array.from({ length: Math.max(a.length, b.length) }, (_, index) => [
    ...fitLine(a[index] ?? [], half),
    ' '.repeat(gap),
    ...(b[index] ?? []),
  ]);
}

/** A value as YAML would have it, so that it can be copied into a config. */
export function yamlLines(value: unknown, indent = ''): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((one) => {
      const [first = '[]', ...more] = isScalar(one)
        ? [scalar(one)]
        : yamlLines(one, `${indent}  `).map((line, index) => (index === 0 ? line.trim() : line));
      return [`${indent}- ${first}`, ...more];
    });
  }
  return Object.entries(value as Record<string, unknown>).flatMap(([key, one]) => {
    if (one === undefined) return [];
    if (isScalar(one)) return [`${indent}${key}: ${scalar(one)}`];
    const flat = flatList(one);
    if (flat !== undefined) return [`${indent}${key}: ${flat}`];
    return [`${indent}${key}:`, ...yamlLines(one, `${indent}  `)];
  });
}

/** `[a, b]`, when it is a list of a few short words. */
function flatList(value: unknown): string | undefined {
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
    return Array.isArray(value) ? '[]' : '{}';
  if (!Array.isArray(value) || !value.every(isScalar)) return undefined;
  const text = `[${value.map(scalar).join(', ')}]`;
  return text.length <= 60 ? text : undefined;
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function scalar(value: unknown): string {
  if (typeof value !== 'string') return String(value);
  // What YAML would read as something else than this text.
  return /^[\w./:@+-][\w ./:@+-]*$/.test(value) &&
    !/^(true|false|null|yes|no|on|off|[\d.]+)$|: /i.test(value)
    ? value
    : JSON.stringify(value);
}
