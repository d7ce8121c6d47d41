import { fit, widthOf } from '../dashboard/text.ts';
import { plain } from '../format.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
  /** May be cut where the table is too wide; the widest is cut first. */
  readonly flexible?: boolean;
  /** Colours a cell that is cut and padded already. */
  readonly paint?: (text: string, row: Row) => string;
}

interface TableOptions {
  /** Cells of a terminal that a line may take; absent: whatever it needs. */
  readonly width?: number | undefined;
  /** Colours the line of titles; absent: there is no such line. */
  readonly head?: (text: string) => string;
  /** Stands before each line. */
  readonly indent?: string;
}

/** Between two columns. */
const GAP = '  ';
/** A column is not cut below this. */
const LEAST = 8;

/** @returns The rows in aligned columns, a line each; a column in which nothing stands is left out. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, head, indent = '' }: TableOptions = {},
): string[] {
  const filled = columns
    .map((column) => ({ ...column, cells: rows.map((row) => plain(column.cell(row))) }))
    .filter(({ cells }) => cells.some((cell) => cell !== ''));
  const widths = filled.map(({ title, cells }) =>
    Math.max(head ? widthOf(title) : 0, ...cells.map(widthOf)),
  );
  if (width !== undefined) {
    const room = width - widthOf(indent) - GAP.length * (filled.length - 1);
    shrink(widths, room, (position) => filled[position]!.flexible === true);
  }
  const fitted = (text: string, position: number): string =>
    fit(text, widths[position]!, filled[position]!.right ? 'right' : 'left');
  const titles = filled.map(({ title }, position) => fitted(title, position)).join(GAP);
  const lines = rows.map((row, index) =>
    filled
      .map(({ cells, paint = (text) => text }, position) =>
        paint(fitted(cells[index]!, position), row),
      )
      .join(GAP),
  );
  return [...(head ? [head(titles)] : []), ...lines].map((line) => indent + line.trimEnd());
}

/** Takes from the widest of those that may be cut, until all fit or none has more to give. */
function shrink(widths: number[], room: number, flexible: (position: number) => boolean): void {
  let excess = widths.reduce((sum, width) => sum + width, 0) - room;
  while (excess > 0) {
    let widest = -1;
    for (const [position, width] of widths.entries()) {
      if (!flexible(position) || width <= LEAST) continue;
      if (widest < 0 || width > widths[widest]!) widest = position;
    }
    if (widest < 0) return;
    widths[widest]! -= 1;
    excess -= 1;
  }
}
