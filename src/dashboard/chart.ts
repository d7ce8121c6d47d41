const LEVELS = '▁▂▃▄▅▆▇█';
const EIGHTHS = '▏▎▍▌▋▊▉█';

export interface SparklineOptions {
  /** Columns. */
  readonly width: number;
  /** What a whole block stands for. */
  readonly max: number;
  /** When the last of the values was, in whole seconds: it keeps the bars of several values in step. */
  readonly second: number;
}

/**
 * A line of small bars, the newest at the right. With more values than columns a bar is the mean of
 * several, always of the same ones, so that the picture moves as a whole and does not flicker.
 * Nothing at all is blank; the least of something can be seen.
 *
 * @param values One each second, the oldest first.
 */
export function sparkline(
  values: readonly number[],
  { width, max, second }: SparklineOptions,
): string {
  const step = Math.max(1, Math.ceil(values.length / Math.max(1, width)));
  let bars = '';
  let end = values.length;
  // The last bar may have begun only now.
  let size = (second % step) + 1;
  while (end > 0 && bars.length < width) {
    const start = Math.max(0, end - size);
    let sum = 0;
    for (let index = start; index < end; index += 1) sum += values[index]!;
    bars = level(sum / (end - start), max) + bars;
    end = start;
    size = step;
  }
  return bars.padStart(width);
}

function level(value: number, max: number): string {
  if (!(value > 0)) return ' ';
  const index = Math.ceil((value / max) * LEVELS.length) - 1;
  return LEVELS[Math.min(LEVELS.length - 1, Math.max(0, index))]!;
}

/** A bar of `share` of `width` columns, exact to an eighth of one; the least of something can be seen. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  if (eighths === 0) return share > 0 ? EIGHTHS[0]! : '';
  const rest = eighths % 8;
  return '█'.repeat(Math.floor(eighths / 8)) + (rest === 0 ? '' : EIGHTHS[rest - 1]!);
}

/** A span of time, within another one. */
export interface Stretch {
  readonly from: number;
  readonly until: number;
  /** Where waiting turned into an answer; absent: it never did. */
  readonly turn: number | undefined;
}

/** A stretch on a line of `width` columns that stands for `whole`: `░` waited, `█` answered. */
export function timeline({ from, until, turn }: Stretch, whole: number, width: number): string {
  const column = (time: number): number =>
    Math.min(width, Math.max(0, Math.round((time / Math.max(whole, 1)) * width)));
  const start = Math.min(column(from), width - 1);
  const end = Math.max(column(until), start + 1);
  const change = turn === undefined ? end : Math.min(end, Math.max(start, column(turn)));
  return (' '.repeat(start) + '░'.repeat(change - start) + '█'.repeat(end - change)).padEnd(width);
}
