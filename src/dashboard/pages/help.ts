import type { Binding } from '../keys/binding.ts';
import type { Line } from '../line.ts';
import { PHASES, STATES } from '../symbols.ts';
import { beside, heading, paragraph } from './page.ts';

const GROUPS = {
  move: 'Moving',
  look: 'Looking',
  instance: 'On an instance',
  call: 'On a call',
  server: 'Everywhere',
} as const satisfies Record<Binding['group'], string>;

const COLUMNS = [
  ['Run', 'attempts that it runs now, and how many it may (maxConcurrency)'],
  ['Queue', 'calls that wait for room on it'],
  ['Req/s', 'ended each second, over the last ten seconds'],
  ['Last 60 s', 'the same, second by second; all rows on one scale'],
  [
    'p50 p95',
    'the whole duration of good answers in the last minute: half, and 95 of 100, were faster',
  ],
  ['First', 'the time to the first byte, half were faster'],
  ['Tok/s', 'output tokens each second; ~ when a part is guessed from the events of streams'],
  ['Err', 'failed or cut, of those that ended in the last minute'],
  ['Tries', 'attempts that a call took'],
  ['Why', 'why the call went there, or what went wrong'],
] as const;

/** All keys, and what the columns and signs mean. */
export function helpLines(bindings: readonly Binding[], width: number): readonly Line[] {
  return beside(
    width,
    (columns) => keys(bindings, columns),
    (columns) => [...meanings(columns), [], ...signs(columns)],
  );
}

function keys(bindings: readonly Binding[], width: number): Line[] {
  return Object.entries(GROUPS).flatMap(([group, title]): Line[] => [
    heading(title),
    ...bindings
      .filter((binding) => binding.group === group && binding.help !== '')
      .flatMap(({ shown, help }) => described(shown, help, width)),
    [],
  ]);
}

function meanings(width: number): Line[] {
  return [
    heading('Columns'),
    ...COLUMNS.flatMap(([title, meaning]) => described(title, meaning, width)),
  ];
}

function signs(width: number): Line[] {
  const row = (all: Record<string, { symbol: string }>): string =>
    Object.entries(all)
      .map(([word, { symbol }]) => `${symbol}\u00a0${word}`)
      .join('  ');
  return [
    heading('Signs'),
    ...described('instance', row(STATES), width),
    ...described('call', row(PHASES), width),
  ];
}

function described(name: string, meaning: string, width: number): Line[] {
  const column = 11;
  return paragraph(meaning, width - column).map((line, index) => [
    [(index === 0 ? name : '').padEnd(column), 'strong'],
    ...line,
  ]);
}
