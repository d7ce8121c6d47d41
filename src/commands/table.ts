import { fit, widthOf } from '../dashboard/text.ts';
import { plain } from '../format.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
  /** May be cut where the table is too wide; the widest is cut first. */
  readonly flexible?: boolean;
  /** It is not cut below this; absent: 8. */
  readonly least?: number;
  /** Left out where there is no room, those with the greatest first; absent: it always stays. */
  readonly rank?: number;
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
const LEAST = 8;

/** @returns The rows in aligned columns, a line each; a column in which nothing stands is left out. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, head, indent = '' }: TableOptions = {},
): string[] {
  let filled = columns
    .map((column) => {
      const cells = rows.map((row) => plain(column.cell(row)));
      const width = Math.max(head ? widthOf(column.title) : 0, ...cells.map(widthOf));
      return { ...column, cells, width };
    })
    .filter(({ cells }) => cells.some((cell) => cell !== ''));
  if (width !== undefined) filled = fitted(filled, width - widthOf(indent));
  const cut = (
    text: string,
    { width: columns, right }: { width: number; right?: boolean },
  ): string => fit(text, columns, right ? 'right' : 'left');
  const titles = filled.map((column) => cut(column.title, column)).join(GAP);
  const lines = rows.map((row, index) =>
    filled
      .map(({ paint = (text) => text, ...column }) => paint(cut(column.cells[index]!, column), row))
      .join(GAP),
  );
  return [...(head ? [head(titles)] : []), ...lines].map((line) => indent + line.trimEnd());
}

interface Sized {
  width: number;
  readonly flexible?: boolean;
  readonly least?: number;
  readonly rank?: number;
}

/** Leaves columns out, and cuts what may be cut, until all fit or nothing more can go. */
function fitted<C extends Sized>(columns: readonly C[], width: number): C[] {
  let kept = [...columns];
  for (;;) {
    const room = width - GAP.length * (kept.length - 1);
    const least = kept.reduce((sum, column) => sum + leastOf(column), 0);
    const last = Math.max(...kept.map(({ rank = -1 }) => rank));
    if (least <= room || last < 0) return shrunk(kept, room);
    kept = kept.filter(({ rank }) => rank !== last);
  }
}

function leastOf({ width, flexible, least = LEAST }: Sized): number {
  return flexible ? Math.min(width, least) : width;
}

/** Takes from the widest of those that may be cut; and when they have no more to give, from all. */
function shrunk<C extends Sized>(columns: readonly C[], room: number): C[] {
  const sized = columns.map((column) => ({ ...column }));
  let excess = sized.reduce((sum, { width }) => sum + width, 0) - room;
  for (const least of [leastOf, () => 1]) {
    while (excess > 0) {
      const able = sized.filter((column) => column.width > least(column));
      if (able.length === 0) break;
      const widest = able.reduce((a, b) => (b.width > a.width ? b : a));
      widest.width -= 1;
      excess -= 1;
    }
  }
  return sized;
}
