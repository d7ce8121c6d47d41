import { Box, useInput } from 'ink';
import { useRef, type ReactElement } from 'react';
import { plain } from '../format.ts';
import { footerLine } from './footer.ts';
import { headerLines } from './header.ts';
import { keysOf } from './keys/names.ts';
import { isRoomy, PANES, SMALLEST, type PlacedPane } from './layout.ts';
import { drawLine } from './line.ts';
import { Lines } from './lines.tsx';
import { PaneBox } from './pane-box.tsx';
import { viewPage } from './pages/index.ts';
import { PANE_KINDS } from './panes/index.ts';
import type { List } from './panes/pane.ts';
import { cursorIndex, isTooSmall, listOf, placedPanes, type State } from './state.ts';
import type { Theme } from './theme.ts';

export interface AppProps {
  readonly state: State;
  readonly theme: Theme;
  /** Where the server is. */
  readonly url: string;
  readonly onKey: (key: string) => void;
}

/** The whole of the dashboard: a picture of its state, and ears for the keys. */
export function App({ state, theme, url, onKey }: AppProps): ReactElement {
  useInput((input, key) => {
    for (const one of keysOf(input, key)) onKey(one);
  });
  const { columns, rows } = state.size;
  if (isTooSmall(state.size)) return <TooSmall state={state} theme={theme} />;
  const width = columns - 2;
  const header = headerLines(state, { url, width });
  const draw = (line: Parameters<typeof drawLine>[0]): string =>
    ` ${drawLine(line, { width, theme })} `;
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Lines lines={header.map(draw)} width={columns} height={header.length} />
      <Body state={state} theme={theme} height={rows - header.length - 1} />
      <Lines lines={[draw(footerLine(state, width))]} width={columns} height={1} />
    </Box>
  );
}

interface BodyProps {
  readonly state: State;
  readonly theme: Theme;
  readonly height: number;
}

function Body({ state, theme, height }: BodyProps): ReactElement {
  const { view, size } = state;
  const page = view.pages.at(-1);
  if (page) {
    const { title, lines, width, height: room, offset, last } = viewPage(page, state);
    const shown = lines.slice(offset, offset + room);
    const more = last > 0 ? `${offset + 1}–${offset + shown.length} of ${lines.length}` : '';
    return (
      <PaneBox
        title={title}
        note={more}
        focused
        framed={isRoomy(size)}
        width={size.columns}
        height={height}
        theme={theme}
        lines={shown.map((line) => drawLine(line, { width, theme }))}
      />
    );
  }
  const panes = placedPanes(state);
  return (
    <Box width={size.columns} height={height} flexShrink={0}>
      {panes.map((pane) => (
        <Box key={pane.name} position="absolute" marginLeft={pane.x} marginTop={pane.y}>
          <ListPane state={state} theme={theme} pane={pane} />
        </Box>
      ))}
    </Box>
  );
}

interface ListPaneProps {
  readonly state: State;
  readonly theme: Theme;
  readonly pane: PlacedPane;
}

/** A pane of rows. It scrolls no further than it must to show the cursor. */
function ListPane({ state, theme, pane }: ListPaneProps): ReactElement {
  const { name, width, height, framed } = pane;
  const kind = PANE_KINDS[name];
  const list = listOf(state, name);
  const focused = state.view.focus === name;
  const cursor = cursorIndex(state, name, list);
  const room = Math.max(1, height - (framed ? 2 : 1) - (kind.untitled ? 0 : 1));
  const offset = useOffset(cursor, room, list.keys.length);
  return (
    <PaneBox
      title={kind.title}
      number={PANES.indexOf(name) + 1}
      note={noteOn(state, pane, list)}
      focused={focused}
      framed={framed}
      width={width}
      height={height}
      theme={theme}
      lines={list.draw({
        width: width - (framed ? 4 : 2),
        height: height - (framed ? 2 : 1),
        offset,
        selected: focused ? cursor : undefined,
        theme,
      })}
    />
  );
}

/** What stands in the upper line: how many rows, how they are sorted, what is filtered. */
function noteOn({ view }: State, { name }: PlacedPane, list: List): string {
  const sort = view.sorts[name];
  const filtered = list.keys.length < list.total || view.filter !== '';
  return [
    filtered ? `${list.keys.length} of ${list.total}` : list.total === 0 ? '' : String(list.total),
    ...(sort ? [`by ${sort.by}${sort.reversed ? ', reversed' : ''}`] : []),
    ...(view.filter === '' ? [] : [`/${plain(view.filter)}`]),
  ]
    .filter(Boolean)
    .join(' · ');
}

/** The first row that is seen: where it was, as long as the cursor is within what is seen then. */
function useOffset(cursor: number, room: number, rows: number): number {
  const offset = useRef(0);
  const most = Math.max(0, rows - room);
  const least = Math.max(0, cursor - room + 1);
  offset.current = Math.min(most, cursor, Math.max(least, offset.current));
  return offset.current;
}

function TooSmall({
  state,
  theme,
}: {
  readonly state: State;
  readonly theme: Theme;
}): ReactElement {
  const { columns, rows } = state.size;
  const said = [
    `${columns}×${rows} is too small`,
    `make it ${SMALLEST.columns}×${SMALLEST.rows} at least`,
    'q quits',
  ];
  const lines = Array.from({ length: rows }, (_, index) =>
    drawLine([said[index] ?? ''], { width: columns, theme }),
  );
  return <Lines lines={lines} width={columns} height={rows} />;
}
