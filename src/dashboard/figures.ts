import { formatCount, formatShare, formatSpan } from '../format.ts';

/** Numbers as people read them, narrow enough for a table. */

/** Stands where a value is not known. */
export const NOTHING = '–';

/** `0.4 ms`, `212 ms`, `1.2 s`, `12 s`, `2.5 m`, `3.1 h`, `4.0 d`; at most seven columns. */
export function duration(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return NOTHING;
  const value = Math.max(0, milliseconds);
  if (value < 9.95) return `${value.toFixed(1)} ms`;
  if (value < 999.5) return `${Math.round(value)} ms`;
  for (const [unit, size, next] of UNITS) {
    if (value / size < next) return `${short(value / size)} ${unit}`;
  }
  return `${short(value / DAY)} d`;
}

const DAY = 86_400_000;
/** The unit, its milliseconds, and how many of it are one of the next. */
const UNITS = [
  ['s', 1000, 60],
  ['m', 60_000, 60],
  ['h', 3_600_000, 24],
] as const;

/** What is left until something, such as `12 s`, `1:05`, `2 h 03 m`: it says 1 s until it is there. */
export function countdown(milliseconds: number): string {
  const seconds = Math.ceil(Math.max(0, milliseconds) / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds >= 3600) return formatSpan(seconds * 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** A rate or a share of them: `0`, `0.02`, `0.4`, `12.4`, `120`, `3.4k`. */
export function rate(value: number): string {
  if (value === 0) return '0';
  if (value < 0.095) return value.toFixed(2);
  if (value < 99.95) return value.toFixed(1);
  return formatCount(value);
}

/** A share as a percentage. */
export function percent(share: number | undefined): string {
  return share === undefined ? NOTHING : formatShare(share);
}

/** `1 call`, `2 calls`. */
export function counted(value: number, noun: string): string {
  return `${formatCount(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Three digits at most, of which one behind the point where there is room for it. */
function short(value: number): string {
  return value < 9.95 ? value.toFixed(1) : String(Math.round(value));
}
