import { fit, take, widthOf } from './text.ts';
import type { Theme, Tone } from './theme.ts';

/** A piece of a line: a text, with what it means. */
export type Span = string | readonly [text: string, tone: Tone];
/** A line as it is to be shown, not yet cut to a width and without escape codes. */
export type Line = readonly Span[];

/** @returns Its text alone. */
export function textOf(line: Line): string {
  return line.map((span) => (typeof span === 'string' ? span : span[0])).join('');
}

/** Cuts or fills a line to exactly `width` columns; what is cut off is told by an ellipsis. */
export function fitLine(line: Line, width: number, align: 'left' | 'right' = 'left'): Line {
  if (width <= 0) return [];
  const blank = width - widthOf(textOf(line));
  if (blank === 0) return line;
  if (blank > 0)
    return align === 'left' ? [...line, ' '.repeat(blank)] : [' '.repeat(blank), ...line];
  const fitted: Span[] = [];
  let left = width - 1;
  for (const span of line) {
    const [text, tone] = typeof span === 'string' ? [span] : span;
    const whole = widthOf(text) <= left;
    const shown = whole ? text : `${take(text, left)}…`;
    fitted.push(tone === undefined ? shown : [shown, tone]);
    left -= widthOf(shown);
    if (!whole) break;
  }
  // An ideograph that did not fit leaves a column.
  if (left >= 0) fitted.push(' '.repeat(left + 1));
  return fitted;
}

/** A line as the terminal gets it. */
export function paintLine(line: Line, theme: Theme): string {
  let text = '';
  for (const span of line) text += typeof span === 'string' ? span : theme.paint(...span);
  return text;
}

/** A line as the terminal gets it, of exactly `width` columns. */
export function drawLine(line: Line, { width, theme }: { width: number; theme: Theme }): string {
  return paintLine(fitLine(line, width), theme);
}

/** The row that keys act on: inverse all over, since colours on an inverse ground read badly. */
export function drawSelected(line: Line, options: { width: number; theme: Theme }): string {
  return options.theme.paint(fit(textOf(line), options.width), 'selected');
}

/** Two lines in one, the second at its right end; when they do not both fit, the second goes. */
export function spread(left: Line, right: Line, width: number): Line {
  const room = width - widthOf(textOf(left)) - widthOf(textOf(right));
  return room < 2 ? left : [...left, ' '.repeat(room), ...right];
}
