import { Box } from 'ink';
import type { ReactElement } from 'react';
import { drawLine, paintLine, type Line, type Span } from './line.ts';
import { Lines } from './lines.tsx';
import { cut, widthOf } from './text.ts';
import type { Theme } from './theme.ts';

export interface PaneBoxProps {
  readonly title: string;
  /** The key that leads here. */
  readonly number?: number;
  /** Said at the right end of the title's line. */
  readonly note: string;
  /** Keys go to it. */
  readonly focused: boolean;
  /** With lines all around; otherwise only with one above. */
  readonly framed: boolean;
  readonly width: number;
  readonly height: number;
  readonly theme: Theme;
  /** Each four columns narrower than the box when it is framed, and two when it is not. */
  readonly lines: readonly string[];
}

/** A box with a title in its upper line. */
export function PaneBox(props: PaneBoxProps): ReactElement {
  const { framed, focused, width, height, theme } = props;
  const side = theme.paint('│', focused ? 'accent' : 'faint');
  const inner = Math.max(0, height - (framed ? 2 : 1));
  const blank = ' '.repeat(Math.max(0, width - (framed ? 4 : 2)));
  const body = Array.from({ length: inner }, (_, index) => {
    const line = props.lines[index] ?? blank;
    return framed ? `${side} ${line} ${side}` : ` ${line} `;
  });
  const lines = [topLine(props), ...body, ...(framed ? [bottomLine(props)] : [])];
  return (
    <Box width={width} height={height} flexShrink={0}>
      <Lines lines={lines.slice(0, height)} width={width} height={height} />
    </Box>
  );
}

function topLine({ title, number, note, focused, framed, width, theme }: PaneBoxProps): string {
  const tone = focused ? 'accent' : 'faint';
  const [left, right] = framed ? ['╭─', '─╮'] : ['──', '──'];
  const name = cut(title, Math.max(0, width - 12));
  const label: Span[] = [
    ' ',
    ...(number === undefined ? [] : [[`${number} `, 'accent'] as const]),
    [name, focused ? 'accent' : 'strong'],
    ' ',
  ];
  const used = widthOf(label.map((span) => (typeof span === 'string' ? span : span[0])).join(''));
  const room = width - used - 4;
  const end: Line = note !== '' && widthOf(note) + 4 <= room ? [' ', [note, 'faint'], ' '] : [];
  const endWidth = end.length === 0 ? 0 : widthOf(note) + 2;
  const line: Line = [
    [left, tone],
    ...label,
    ['─'.repeat(Math.max(0, room - endWidth)), tone],
    ...end,
    [right, tone],
  ];
  return room < 0 ? drawLine(line, { width, theme }) : paintLine(line, theme);
}

function bottomLine({ focused, width, theme }: PaneBoxProps): string {
  return theme.paint(`╰${'─'.repeat(Math.max(0, width - 2))}╯`, focused ? 'accent' : 'faint');
}
