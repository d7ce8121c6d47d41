import stringWidth from 'string-width';
import { plain } from '../format.ts';

/**
 * What takes one column a character: ASCII, Latin, and the arrows, lines, blocks and shapes that we
 * draw with. Nearly all text is of this kind, and needs no measuring.
 */
const PLAIN =
  /^[\u0020-\u007e\u00a0-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u21ff\u2500-\u25fc✓✗]*$/;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** @returns How many columns a text takes in a terminal: an ideograph takes two. */
export function widthOf(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text);
}

/** The longest beginning of a text that takes at most `width` columns. */
export function take(text: string, width: number): string {
  if (PLAIN.test(text)) return text.slice(0, width);
  let taken = '';
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) {
    columns += stringWidth(segment);
    if (columns > width) break;
    taken += segment;
  }
  return taken;
}

/** Cuts a text where it is wider than `width` columns, and says so with an ellipsis. */
export function cut(text: string, width: number): string {
  if (width <= 0) return '';
  if (widthOf(text) <= width) return text;
  return `${take(text, width - 1)}…`;
}

/** Cuts or fills a text to exactly `width` columns. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const shown = cut(text, width);
  const blank = ' '.repeat(Math.max(0, width - widthOf(shown)));
  return align === 'left' ? shown + blank : blank + shown;
}

/**
 * Breaks a text into lines of at most `width` columns, at blanks where there are any. A line keeps
 * its indent, and so do those that it is broken into.
 */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line, Math.max(1, width)));
}

/** What is shown of a text of several lines that came from elsewhere: its line ends and tabs are kept. */
export function plainLines(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll('\t', '  ').split('\n').map(plain).join('\n');
}

/** Looks at no more of the line at a time than goes into the next: a body may be one line of megabytes. */
function wrapLine(line: string, width: number): string[] {
  const blanks = /^ */.exec(line)![0];
  const indent = blanks.length < width / 2 ? blanks : '';
  const lines: string[] = [];
  let from = 0;
  for (;;) {
    const room = lines.length === 0 ? width : width - indent.length;
    const ahead = line.slice(from, from + room * LONGEST + 1);
    const prefix = lines.length === 0 ? '' : indent;
    const whole = take(ahead, room) || ahead.slice(0, 1);
    if (from + whole.length >= line.length) return [...lines, prefix + whole];
    const blank = whole.lastIndexOf(' ');
    // A break in the indent would never come to an end.
    const isWord =
      line[from + whole.length] !== ' ' && blank > (lines.length === 0 ? indent.length : 0);
    const end = isWord ? blank : whole.length;
    lines.push(prefix + whole.slice(0, end));
    from += end;
    while (line[from] === ' ') from += 1;
    if (from >= line.length) return lines;
  }
}

/** Units of a character, at most, such as of a letter with marks or of a family. */
const LONGEST = 12;
