import { broken } from './prose.ts';
import { columnsOf } from './terminal.ts';

/** Writes lines for people to read, broken where the terminal is too narrow. */
export function printText(lines: Iterable<string>): void {
  const columns = columnsOf(process.stdout);
  for (const line of lines) print(columns === undefined ? [line] : broken(line, columns));
}

/** Writes lines as they are. */
export function print(lines: Iterable<string>): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

/** Writes what `--json` promises: one value, indented, nothing else. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
