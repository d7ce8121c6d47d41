import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { table, type Column } from '../../src/commands/table.ts';
import { cut, widthOf } from '../../src/dashboard/text.ts';

interface Row {
  readonly name: string;
  readonly note: string;
  readonly count: number;
}

const columns: readonly Column<Row>[] = [
  { title: 'name', cell: ({ name }) => name },
  { title: 'note', cell: ({ note }) => note, flexible: true },
  { title: 'count', cell: ({ count }) => String(count), right: true },
];

const rows: readonly Row[] = [
  { name: 'laptop', note: '通义千问', count: 7 },
  { name: 'x', note: 'a note that is rather long', count: 1234 },
];

describe('a table', () => {
  test('aligns its columns, wide characters too', () => {
    expect(table(columns, rows, { head: (text) => text, indent: ' ' })).toEqual([
      ' name    note                        count',
      ' laptop  通义千问                        7',
      ' x       a note that is rather long   1234',
    ]);
  });

  test('is cut to the terminal where that is possible', () => {
    expect(table(columns, rows, { width: 30, head: (text) => text })).toEqual([
      'name    note             count',
      'laptop  通义千问             7',
      'x       a note that is…   1234',
    ]);
    // Below what all columns need, none is spared.
    expect(table(columns, rows, { width: 16 })).toEqual(['lap…  通…      7', 'x     a n…  1234']);
  });

  test('leaves columns out where there is no room for all, those that matter least first', () => {
    const ranked = [columns[0]!, { ...columns[1]!, rank: 1 }, { ...columns[2]!, rank: 2 }];
    expect(table(ranked, rows, { width: 18 })).toEqual(['laptop  通义千问', 'x       a note th…']);
    expect(table(ranked, rows, { width: 15 })).toEqual(['laptop', 'x']);
  });

  test('leaves out a column in which nothing stands', () => {
    const bare = rows.map((row) => ({ ...row, note: '' }));
    expect(table(columns, bare)).toEqual(['laptop     7', 'x       1234']);
    expect(table(columns, [])).toEqual([]);
  });

  test('colours after it has measured, and lets nothing through that steers the terminal', () => {
    const red = (text: string) => `<${text}>`;
    const painted = [{ ...columns[0]!, paint: red }, columns[2]!];
    expect(table(painted, [{ name: '\u001b[31mn', note: '', count: 1 }, rows[0]!])).toEqual([
      '< [31mn>  1',
      '<laptop>  7',
    ]);
  });

  test('never is wider than it may be', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    const some = fc.array(fc.record({ name: text, note: text, count: fc.nat() }), { minLength: 1 });
    fc.assert(
      fc.property(some, fc.integer({ min: 7, max: 100 }), (any, width) => {
        for (const line of table(columns, any, { width })) {
          expect(widthOf(line)).toBeLessThanOrEqual(width);
        }
      }),
    );
  });
});

test('a text is cut between characters as they are seen', () => {
  expect(cut('abcdef', 6)).toBe('abcdef');
  expect(cut('abcdef', 4)).toBe('abc…');
  expect(cut('通义千问', 6)).toBe('通义…');
  expect(cut('👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧', 5)).toBe('👩‍👩‍👧👩‍👩‍👧…');
});
