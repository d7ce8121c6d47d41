/** Numbers as people read them. Each is a few characters long, so that columns of them stay narrow. */

/** @param ms Milliseconds. @returns `0.4 ms`, `87 ms`, `1.2 s`, `4 m 05 s`, `2 h 07 m`, `3 d 04 h`. */
export function formatSpan(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** @returns `0`, `7`, `950`, `3.4k`, `12k`, `1.2M`, `7G`; a fraction below 10 with one digit: `0.3`, `<0.1`. */
export function formatCount(count: number): string {
  if (count > 0 && count < 0.05) return '<0.1';
  if (count < 9.95 && !Number.isInteger(count)) return count.toFixed(1);
  return scaled(count, ['', 'k', 'M', 'G', 'T']);
}

/** @returns `512 B`, `3.4 kB`, `12 MB`; thousands, as in sizes of the config. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, [' B', ' kB', ' MB', ' GB', ' TB']);
}

/** @param share From 0 to 1. @returns `0 %`, `0.4 %`, `12 %`; never 0 or 100 for what only is near. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  if (percent < 9.95) return `${Math.max(0.1, percent).toFixed(1)} %`;
  return `${Math.min(99, Math.round(percent))} %`;
}

/** @param time Milliseconds since the epoch. @returns The clock on the wall: `09:41:07`. */
export function formatClock(time: number): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
}

/** @returns The clock for a time of the last twelve hours, else the day as well: `2026-11-26 09:41`. */
export function formatMoment(time: number, now: number): string {
  if (Math.abs(now - time) < 43_200_000) return formatClock(time);
  const date = new Date(time);
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/**
 * What is shown of a text that came from elsewhere: it can't forge a line, steer the terminal, turn the
 * direction of writing, or hide something. Half characters go too.
 */
export function plain(text: string): string {
  return HARMLESS.test(text) ? text : text.replace(HARMFUL, ' ');
}

const HARMLESS = /^[\u0020-\u007e]*$/;
const HARMFUL =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\p{Surrogate}]+/gu;

function scaled(value: number, units: readonly string[]): string {
  let unit = 0;
  // Not 1000 of one unit, where rounding makes it 1 of the next.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits =
    unit > 0 && value < 9.95 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value);
  return `${digits}${units[unit]}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
