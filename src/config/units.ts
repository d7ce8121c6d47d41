const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const SIZE_UNITS = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};

/** Milliseconds: beyond this, Node's timers fire at once instead of late. */
export const LONGEST_DURATION = 2 ** 31 - 1;

/** @returns Milliseconds of `500ms`, `30s`, `1.5m`, `2h`; `undefined` when it is no duration. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, DURATION_UNITS);
}

/** @returns Bytes of `512kb`, `100mb`, `1gib`; `undefined` when it is no size. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text, SIZE_UNITS);
}

/**
 * @param ms Whole milliseconds, 0 or more.
 * @returns The same as a config writes it, in the largest unit that holds it whole: `90s`, `10m`.
 */
export function formatDuration(ms: number): string {
  const units = Object.entries(DURATION_UNITS).reverse();
  const [unit, length] = units.find(([, size]) => ms >= size && ms % size === 0) ?? ['ms', 1];
  return `${ms / length}${unit}`;
}

/** @returns Bytes as a config writes them, in the largest unit of thousands that holds them whole. */
export function formatSize(bytes: number): string {
  const [unit, length] = (['gb', 'mb', 'kb'] as const)
    .map((name) => [name, SIZE_UNITS[name]] as const)
    .find(([, size]) => bytes >= size && bytes % size === 0) ?? ['b', 1];
  return `${bytes / length}${unit}`;
}

/** A number of calls (or tokens) in a span of time. */
export interface Rate {
  readonly count: number;
  /** Milliseconds. */
  readonly per: number;
}

/** @returns The rate of `10/s`, `60/m`, `1000/h`; `undefined` when it is no rate. */
export function parseRate(text: string): Rate | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*\/\s*(s|m|h)$/i.exec(text.trim());
  if (!match) return undefined;
  const count = Number(match[1]);
  const unit = match[2]!.toLowerCase() as 's' | 'm' | 'h';
  return count > 0 ? { count, per: DURATION_UNITS[unit] } : undefined;
}

/** @returns A rate as a config writes it, such as `10/s`. */
export function formatRate({ count, per }: Rate): string {
  const [unit] = Object.entries(DURATION_UNITS).find(([, length]) => length === per)!;
  return `${count}/${unit}`;
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text.trim());
  const unit = match?.[2]!.toLowerCase();
  // Own keys only: `5constructor` would otherwise find a function.
  if (!match || !unit || !Object.hasOwn(units, unit)) return undefined;
  return Math.round(Number(match[1]) * units[unit]!);
}
