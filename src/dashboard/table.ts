import { drawLine, drawSelected, fitLine, type Line, type Span } from './line.ts';
import { widthOf } from './text.ts';
import type { Theme } from './theme.ts';

/** One column of a table: a row of the pane's own list of them. */
export interface Column<Row> {
  /** What it is sorted by, and what people see over it. */
  readonly title: string;
  /** Columns it takes at least. */
  readonly width: number;
  /** Columns it may take when there is room; absent: no more than it must. */
  readonly most?: number;
  readonly align?: 'left' | 'right';
  /** The lower, the longer it stays when room gets scarce. */
  readonly rank: number;
  readonly cell: (row: Row, width: number) => Line | string;
  /** Absent: it can't be sorted by. An absent value comes last, either way. */
  readonly sortBy?: (row: Row) => number | string | undefined;
  /** Sorted by it, the greatest comes first. */
  readonly greatestFirst?: boolean;
}

export interface Sort {
  /** The title of the column. */
  readonly by: string;
  /** Against the column's own direction. */
  readonly reversed: boolean;
}

const GAP = 2;

/**
 * Chooses the columns for a width: the lowest ranks, as far as there is room, in the order of the
 * list. What is left is shared among those that may grow.
 */
export function fitColumns<Row>(
  columns: readonly Column<Row>[],
  width: number,
): { readonly column: Column<Row>; readonly width: number }[] {
  const kept = new Set<Column<Row>>();
  let left = width + GAP;
  for (const column of columns.toSorted((a, b) => a.rank - b.rank)) {
    left -= column.width + GAP;
    if (left < 0 && kept.size > 0) break;
    kept.add(column);
    if (left < 0) break;
  }
  const chosen = columns.filter((column) => kept.has(column));
  const widths = chosen.map((column) => column.width);
  const taken = widths.reduce((sum, one) => sum + one + GAP, -GAP);
  share(width - taken, chosen, widths);
  return chosen.map((column, index) => ({ column, width: Math.min(width, widths[index]!) }));
}

/** Who wants little gets it first; what is left then is shared alike. */
function share<Row>(room: number, columns: readonly Column<Row>[], widths: number[]): void {
  let left = room;
  const wish = (index: number): number => (columns[index]!.most ?? 0) - widths[index]!;
  const give = (index: number, most: number): void => {
    const given = Math.max(0, Math.min(most, left, wish(index)));
    widths[index]! += given;
    left -= given;
  };
  const byRank = columns
    .map((_, index) => index)
    .sort((a, b) => columns[a]!.rank - columns[b]!.rank);
  for (const index of byRank) {
    if (wish(index) <= LITTLE) give(index, LITTLE);
  }
  for (;;) {
    const growing = byRank.filter((index) => wish(index) > 0);
    if (left <= 0 || growing.length === 0) return;
    const part = Math.max(1, Math.floor(left / growing.length));
    for (const index of growing) give(index, part);
  }
}

const LITTLE = 6;

/** @returns The columns that the widest of these texts takes. */
export function widest<Row>(rows: readonly Row[], text: (row: Row) => string): number {
  let most = 0;
  for (const row of rows) most = Math.max(most, widthOf(text(row)));
  return most;
}

/** Sorts by a column; rows that are equal there keep their order. */
export function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: Sort | undefined,
): readonly Row[] {
  const column = columns.find(({ title }) => title === sort?.by);
  const { sortBy } = column ?? {};
  if (!sort || !column || !sortBy) return rows;
  const sign = (column.greatestFirst ?? false) === sort.reversed ? 1 : -1;
  return rows.toSorted((a, b) => {
    const [x, y] = [sortBy(a), sortBy(b)];
    if (x === undefined || y === undefined)
      return Number(x === undefined) - Number(y === undefined);
    if (x === y) return 0;
    const order =
      typeof x === 'string' && typeof y === 'string' ? x.localeCompare(y) : x < y ? -1 : 1;
    return sign * order;
  });
}

export interface TableView<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly width: number;
  /** Lines, the one for the titles among them. */
  readonly height: number;
  /** The first row that is shown. */
  readonly offset: number;
  /** The row that keys act on; absent when the pane has no focus. */
  readonly selected: number | undefined;
  readonly sort: Sort | undefined;
  /** With the columns' titles over them. */
  readonly titled: boolean;
  /** Said in place of rows when there are none. */
  readonly empty: string;
  readonly theme: Theme;
}

/** @returns At most `height` lines of exactly `width` columns. */
export function drawTable<Row>(view: TableView<Row>): string[] {
  const { rows, width, height, offset, theme } = view;
  if (height <= 0) return [];
  const fitted = fitColumns(view.columns, width);
  const lines: string[] = [];
  if (view.titled) lines.push(drawLine(titles(fitted, view.sort), { width, theme }));
  if (rows.length === 0) lines.push(drawLine([[view.empty, 'faint']], { width, theme }));
  for (let index = offset; index < rows.length && lines.length < height; index += 1) {
    const line = join(
      fitted.map(({ column, width: columns }) => {
        const cell = column.cell(rows[index]!, columns);
        return fitLine(typeof cell === 'string' ? [cell] : cell, columns, column.align);
      }),
    );
    lines.push((index === view.selected ? drawSelected : drawLine)(line, { width, theme }));
  }
  return lines.slice(0, height);
}

/** The arrow of the sorted column stands in the gap before it, where it never takes room from a title. */
function titles<Row>(
  fitted: readonly { readonly column: Column<Row>; readonly width: number }[],
  sort: Sort | undefined,
): Line {
  return fitted.flatMap(({ column, width }, index) => {
    const { title, align } = column;
    const sorted = sort?.by === title;
    const sign = sorted ? arrow(column, sort) : ' ';
    const tone = sorted ? 'accent' : 'faint';
    // Before the first column there is no gap.
    if (index === 0) return fitLine([[align ? sign + title : title + sign, tone]], width, align);
    return [' '.repeat(GAP - 1), ...fitLine([[sign + title, tone]], width + 1, align)];
  });
}

function arrow<Row>({ greatestFirst = false }: Column<Row>, { reversed }: Sort): string {
  return greatestFirst === reversed ? '▲' : '▼';
}

function join(cells: readonly Line[]): Span[] {
  return cells.flatMap((cell, index) => (index === 0 ? cell : [' '.repeat(GAP), ...cell]));
}
