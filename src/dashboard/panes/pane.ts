import type { Board } from '../board.ts';
import type { PaneName } from '../layout.ts';
import { drawTable, sortRows, type Column, type Sort } from '../table.ts';
import type { Theme } from '../theme.ts';
import type { View } from '../view.ts';

/** What is said of a pane's rows: one file a pane. */
export interface PaneKind<Row> {
  readonly title: string;
  rows(board: Board): readonly Row[];
  /** By what a row is known when others come and go. */
  keyOf(row: Row): string;
  /** What the filter looks in. */
  words(row: Row): string;
  columns(context: PaneContext<Row>): readonly Column<Row>[];
  /** Its columns speak for themselves. */
  readonly untitled?: boolean;
  /** Said when there are no rows. */
  readonly empty: string;
}

export interface PaneContext<Row> {
  /** All of them, filtered or not. */
  readonly rows: readonly Row[];
  /** Milliseconds since the epoch, on the server's clock. */
  readonly now: number;
}

export interface Pane {
  readonly title: string;
  readonly untitled: boolean;
  /** The columns that it can be sorted by. */
  sortable(): readonly string[];
  list(view: View, name: PaneName, options: { board: Board; now: number }): List;
}

/** The rows of a pane as they are seen: filtered and sorted. */
export interface List {
  readonly keys: readonly string[];
  /** How many there are without the filter. */
  readonly total: number;
  draw(options: {
    readonly width: number;
    readonly height: number;
    readonly offset: number;
    readonly selected: number | undefined;
    readonly theme: Theme;
  }): string[];
}

export function definePane<Row>(kind: PaneKind<Row>): Pane {
  const { title, untitled = false } = kind;
  return {
    title,
    untitled,
    sortable: () =>
      kind
        .columns({ rows: [], now: 0 })
        .filter(({ sortBy }) => sortBy)
        .map((column) => column.title),
    list(view, name, { board, now }) {
      const all = kind.rows(board);
      const columns = kind.columns({ rows: all, now });
      const sort: Sort | undefined = view.sorts[name];
      const rows = sortRows(filterRows(all, kind, view.filter), columns, sort);
      return {
        keys: rows.map((row) => kind.keyOf(row)),
        total: all.length,
        draw: (options) =>
          drawTable({
            ...options,
            columns,
            rows,
            sort,
            titled: !untitled,
            empty: all.length === 0 ? kind.empty : `nothing matches /${view.filter}`,
          }),
      };
    },
  };
}

function filterRows<Row>(
  rows: readonly Row[],
  kind: PaneKind<Row>,
  filter: string,
): readonly Row[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = kind.words(row).toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
