import { plain } from '../format.ts';
import type { Binding } from './keys/binding.ts';
import { activeBindings } from './keys/index.ts';
import { textOf, type Line, type Span } from './line.ts';
import type { State } from './state.ts';
import { widthOf } from './text.ts';
import type { Notice } from './view.ts';

/** The last line: a question, the filter being typed, what came of an order, or the keys that count now. */
export function footerLine(state: State, width: number): Line {
  const { prompt, typing, filter, notice } = state.view;
  if (prompt?.kind === 'confirm')
    return [[prompt.question, 'warn'], '  ', ...key('y', 'yes'), '  ', ...key('n', 'no')];
  if (prompt) {
    const { instance, from, to } = prompt;
    return [
      `Weight of ${plain(instance)}: `,
      [from === to ? String(from) : `${from} → ${to}`, 'strong'],
      '  ',
      ...key('+-', 'change'),
      '  ',
      ...key('enter', 'write it'),
      '  ',
      ...key('esc', 'leave it as it is'),
    ];
  }
  if (typing) {
    const hint = filter === '' ? 'words that a row must have, such as error' : 'esc clears it';
    return [['/', 'accent'], plain(filter), [' ', 'selected'], [`  ${hint}`, 'faint']];
  }
  const said = notice ? noticeLine(notice) : [];
  return [...said, ...keysLine(activeBindings(state), width - widthOf(textOf(said)))];
}

const MARKS = { good: '✓ ', bad: '✗ ', accent: '' } as const satisfies Record<
  Notice['tone'],
  string
>;

function noticeLine({ text, tone }: Notice): Line {
  return [[`${MARKS[tone]}${plain(text)}`, tone], '    '];
}

/** The most useful keys that there is room for, in the order of the table. */
function keysLine(bindings: readonly Binding[], width: number): Line {
  const useful = bindings
    .filter((binding) => binding.rank !== undefined)
    .toSorted((a, b) => a.rank! - b.rank!);
  const shown = new Set<Binding>();
  let left = width;
  for (const binding of useful) {
    left -= binding.shown.length + binding.does.length + 3;
    if (left < -2) break;
    shown.add(binding);
  }
  const line: Span[] = [];
  for (const binding of bindings) {
    if (!shown.has(binding)) continue;
    if (line.length > 0) line.push('  ');
    line.push(...key(binding.shown, binding.does));
  }
  return line;
}

function key(shown: string, does: string): Span[] {
  return [
    [shown, 'accent'],
    [` ${does}`, 'faint'],
  ];
}
