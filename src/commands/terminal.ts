import type { Writable } from 'node:stream';
import { styleText } from 'node:util';

/** A stream that may be a terminal, as `process.stdout` is. */
export type Output = Writable & { readonly isTTY?: boolean | undefined };

/** Colours by what they mean. */
export interface Paint {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
}

/** @returns How wide a terminal is; `undefined` where there is none, or it does not know (and says 0). */
export function columnsOf({
  columns,
}: {
  readonly columns?: number | undefined;
}): number | undefined {
  return columns === undefined || columns < 1 ? undefined : columns;
}

/** @returns The colours of a stream: none when it is no terminal, unless the environment says so. */
export function paintFor(output: Output, env: Readonly<Record<string, string | undefined>>): Paint {
  const style =
    (format: Parameters<typeof styleText>[0]) =>
    (text: string): string =>
      isColourful(output, env) ? styleText(format, text) : text;
  return { strong: style('bold'), faint: style('dim'), good: style('green'), bad: style('red') };
}

/** The same rules as commander's for its help: `NO_COLOR` wins over `FORCE_COLOR`. */
export function isColourful(
  output: Output,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const forced = env['FORCE_COLOR'];
  if (env['NO_COLOR'] || forced === '0' || forced === 'false') return false;
  if (forced !== undefined) return true;
  return output.isTTY === true && env['TERM'] !== 'dumb';
}
