import type { Board } from './board.ts';
import { layOut, SMALLEST, type PaneName, type PlacedPane, type Size } from './layout.ts';
import { PANE_KINDS } from './panes/index.ts';
import type { List } from './panes/pane.ts';
import type { Background } from './theme.ts';
import type { View } from './view.ts';

/** All that a picture is drawn from. */
export interface State {
  readonly board: Board;
  readonly view: View;
  readonly size: Size;
  /** Absent while nobody knows. */
  readonly background: Background | undefined;
  /** Leaving ends the server too. */
  readonly stopsServer: boolean;
  /** Milliseconds since the epoch, on our own clock. */
  readonly now: number;
}

/** @returns The board that is seen: the one of now, or of when the picture was stopped. */
export function seen({ board, view }: State): Board {
  return view.frozen ?? board;
}

/** @returns The time on the server's clock that the picture is of. */
export function serverTime(state: State): number {
  const { view, now } = state;
  const board = seen(state);
  // A stopped picture, and one of a server that is gone, does not age.
  if (board.status && (view.frozen || board.connection.state !== 'live')) return board.status.now;
  return now + board.ahead;
}

export function listOf(state: State, name: PaneName): List {
  return PANE_KINDS[name].list(state.view, name, { board: seen(state), now: serverTime(state) });
}

/** Where the cursor of a pane is; 0 when it has no rows. */
export function cursorIndex({ view }: State, name: PaneName, { keys }: List): number {
  const cursor = view.cursors[name];
  if (!cursor) return 0;
  const index = keys.indexOf(cursor.key);
  return index >= 0 ? index : Math.max(0, Math.min(cursor.index, keys.length - 1));
}

/** @returns The key of the row that the cursor of the focused pane is on. */
export function selectedKey(state: State): string | undefined {
  const { focus } = state.view;
  const list = listOf(state, focus);
  return list.keys[cursorIndex(state, focus, list)];
}

export function isTooSmall({ columns, rows }: Size): boolean {
  return columns < SMALLEST.columns || rows < SMALLEST.rows;
}

/** @returns The panes as they stand; `y` counts from below the header. */
export function placedPanes(state: State): PlacedPane[] {
  const { view, size } = state;
  const { status, news } = seen(state);
  return layOut({
    size,
    around: headerHeight(state) + 1,
    focus: view.focus,
    zoomed: view.zoomed,
    rows: {
      instances: status?.instances.length ?? 1,
      streams: status?.running.length ?? 0,
      calls: Infinity,
      events: news.length,
      models: status?.models.length ?? 0,
    },
  });
}

/** The header has a second line where there is room for it, and one more for what is wrong. */
export function headerHeight(state: State): number {
  return (state.size.rows >= 12 ? 2 : 1) + (alertOf(state) === undefined ? 0 : 1);
}

/** What has to be known whatever is on the screen; absent when all is well. */
export function alertOf(state: State): string | undefined {
  const { connection } = state.board;
  if (connection.state === 'lost') return connection.reason;
  const { status } = seen(state);
  if (status?.config.error) {
    const [first = 'it is invalid', ...others] = status.config.error.problems;
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    return `config not applied: ${first}${more}`;
  }
  if (status && status.config.restartNeeded.length > 0)
    return `restart the server to apply ${status.config.restartNeeded.join(', ')}`;
  if (status?.draining) return 'the server is stopping: it takes no new calls';
  return undefined;
}
