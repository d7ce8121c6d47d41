import { stripVTControlCharacters } from 'node:util';
import { widthOf } from '../dashboard/text.ts';

/**
 * Breaks a line at blanks where it is wider than a terminal. What goes on stands below the text, beside
 * the marks and labels that the line begins with (`→ `, `calls   `).
 *
 * @param line It may have colours.
 */
export function broken(line: string, width: number): string[] {
  const plain = stripVTControlCharacters(line);
  if (widthOf(plain) <= width) return [line];
  const label = widthOf(LABEL.exec(plain)![0]);
  const hang = label <= width / 2 ? label : widthOf(/^ */.exec(plain)![0]) + 4;
  const lines: string[] = [];
  let current = '';
  let columns = 0;
  for (const [piece, blanks, word = ''] of line.matchAll(/( *)([^ ]+)| +$/g)) {
    const taken = widthOf(stripVTControlCharacters(piece));
    if (columns > hang && columns + taken > width) {
      lines.push(current);
      current = ' '.repeat(hang) + word;
      columns = hang + taken - blanks!.length;
    } else {
      current += piece;
      columns += taken;
    }
  }
  return [...lines, current];
}

/** Blanks, signs, and words with a gap behind them, as columns have. */
const LABEL = /^ *(?:[^\w\s] +|\S+(?: \S+)* {2,})*/;
