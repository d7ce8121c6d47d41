import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  drawTable,
  fitColumns,
  sortRows,
  type Column,
  type TableView,
} from '../../src/dashboard/table.ts';
import { PLAIN_THEME, themeFor } from '../../src/dashboard/theme.ts';
import { widthOf } from '../../src/dashboard/text.ts';

interface Row {
  readonly name: string;
  readonly size?: number;
}

const COLUMNS: readonly Column<Row>[] = [
  {
    title: 'Name',
    rank: 1,
    width: 6,
    most: 20,
    cell: (row) => row.name,
    sortBy: (row) => row.name,
  },
  {
    title: 'Size',
    rank: 3,
    width: 4,
    align: 'right',
    cell: (row) => String(row.size ?? ''),
    sortBy: (row) => row.size,
    greatestFirst: true,
  },
  { title: 'Kind', rank: 2, width: 5, cell: () => [['file', 'faint']] },
];
const ROWS: readonly Row[] = [{ name: 'b', size: 2 }, { name: 'a' }, { name: 'c', size: 9 }];

function view(given: Partial<TableView<Row>>): TableView<Row> {
  return {
    columns: COLUMNS,
    rows: ROWS,
    width: 19,
    height: 4,
    offset: 0,
    selected: undefined,
    sort: undefined,
    titled: true,
    empty: 'none',
    theme: PLAIN_THEME,
    ...given,
  };
}

describe('a table', () => {
  it('drops columns by their rank, and keeps the order of the others', () => {
    const titles = (width: number): string[] =>
      fitColumns(COLUMNS, width).map(({ column }) => column.title);
    expect(titles(19)).toEqual(['Name', 'Size', 'Kind']);
    expect(titles(18)).toEqual(['Name', 'Kind']);
    expect(titles(12)).toEqual(['Name']);
    expect(titles(3)).toEqual(['Name']);
  });

  it('gives what is left to the columns that may grow', () => {
    expect(fitColumns(COLUMNS, 30).map(({ width }) => width)).toEqual([17, 4, 5]);
    expect(fitColumns(COLUMNS, 90).map(({ width }) => width)).toEqual([20, 4, 5]);
  });

  it('aligns, scrolls, and says what is missing', () => {
    expect(drawTable(view({}))).toEqual([
      'Name    Size  Kind ',
      'b          2  file ',
      'a             file ',
      'c          9  file ',
    ]);
    expect(drawTable(view({ offset: 2 }))[1]).toBe('c          9  file ');
    expect(drawTable(view({ rows: [] }))[1]).toBe('none               ');
    expect(drawTable(view({ titled: false, height: 1 }))).toEqual(['b          2  file ']);
  });

  it('shows the selected row inverse all over', () => {
    const lines = drawTable(view({ selected: 0, theme: themeFor({ colour: true }) }));
    expect(lines[1]).toBe('\u001b[7mb          2  file \u001b[27m');
    expect(lines[2]).toContain('\u001b[2mfile\u001b[22m');
  });

  it('sorts both ways, the greatest or the first letter first, the unknown last', () => {
    const names = (by: string, reversed: boolean): string =>
      sortRows(ROWS, COLUMNS, { by, reversed })
        .map(({ name }) => name)
        .join('');
    expect(names('Name', false)).toBe('abc');
    expect(names('Name', true)).toBe('cba');
    expect(names('Size', false)).toBe('cba');
    expect(names('Size', true)).toBe('bca');
    expect(names('Kind', false)).toBe('bac');
  });

  it('marks the column that it is sorted by, and the way', () => {
    const first = (by: string, reversed: boolean): string =>
      drawTable(view({ sort: { by, reversed } }))[0]!;
    expect(first('Size', false)).toBe('Name   ▼Size  Kind ');
    expect(first('Size', true)).toBe('Name   ▲Size  Kind ');
    expect(first('Name', false)).toBe('Name▲   Size  Kind ');
  });

  it('has lines of exactly its width, and no more of them than it may', () => {
    const rows = fc.array(
      fc.record({ name: fc.string({ unit: fc.constantFrom('a', 'b', ' ', '千') }) }),
    );
    fc.assert(
      fc.property(
        rows,
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 0, max: 12 }),
        (given, width, height) => {
          const lines = drawTable(view({ rows: given, width, height }));
          expect(lines.length).toBeLessThanOrEqual(height);
          for (const line of lines) expect(widthOf(line)).toBe(width);
        },
      ),
    );
  });
});
