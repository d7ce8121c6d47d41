import { newsSeq } from '../panes/events.ts';
import { PANES, type PaneName } from '../layout.ts';
import { viewPage } from '../pages/index.ts';
import { PANE_KINDS } from '../panes/index.ts';
import { cursorIndex, listOf, placedPanes, seen, selectedKey, type State } from '../state.ts';
import type { Option, Page, View } from '../view.ts';
import { FRESH, noPage, openPage, type Binding, type Step } from './binding.ts';

const MOVES = ['up', 'k', 'down', 'j', 'pageup', 'pagedown', 'home', 'g', 'end', 'G'] as const;
type Move = (typeof MOVES)[number];

/** Keys to go about with, and to choose what is seen. */
export const MOVING: readonly Binding[] = [
  {
    keys: MOVES,
    shown: '↑↓',
    does: 'move',
    help: '↑ ↓ or j k, page up and down, home and end or g G: move, or scroll a page',
    group: 'move',
    rank: 30,
    when: () => true,
    press: (state, key) => ({ view: move(state, key as Move) }),
  },
  {
    keys: ['enter'],
    shown: 'enter',
    does: 'detail',
    help: 'open what the cursor is on: an instance, a call, an event',
    group: 'move',
    rank: 10,
    when: (state) => noPage(state) && opened(state) !== undefined,
    press: (state) => opened(state)!,
  },
  {
    keys: ['enter'],
    shown: 'enter',
    does: 'choose',
    help: '',
    group: 'move',
    rank: 10,
    when: ({ view }) => chosen(view) !== undefined,
    press: ({ view }) => ({
      view: { ...view, pages: view.pages.slice(0, -1) },
      order: chosen(view)!.order,
    }),
  },
  {
    keys: ['escape', 'q', 'backspace'],
    shown: 'esc',
    does: 'back',
    help: 'back: closes a page, a zoomed pane, a filter',
    group: 'move',
    rank: 1,
    when: ({ view }) => view.pages.length > 0,
    press: ({ view }) => ({ view: { ...view, pages: view.pages.slice(0, -1) } }),
  },
  {
    keys: ['escape'],
    shown: 'esc',
    does: 'back',
    help: '',
    group: 'move',
    rank: 5,
    when: ({ view }) => view.zoomed || view.filter !== '',
    press: ({ view }) => ({
      view: view.zoomed ? { ...view, zoomed: false } : { ...view, filter: '' },
    }),
  },
  {
    keys: PANES.map((_, index) => String(index + 1)),
    shown: '1-5',
    does: 'pane',
    help: '1 instances, 2 in flight, 3 calls, 4 events, 5 models; again: zoom, and back',
    group: 'look',
    rank: 14,
    when: noPage,
    press: ({ view }, key) => ({ view: focus(view, PANES[Number(key) - 1]!) }),
  },
  {
    keys: ['tab', 'backtab'],
    shown: 'tab',
    does: 'next pane',
    help: 'the next pane on the screen; with shift the one before',
    group: 'look',
    when: noPage,
    press: (state, key) => ({ view: nextPane(state, key === 'tab' ? 1 : -1) }),
  },
  {
    keys: ['/'],
    shown: '/',
    does: 'filter',
    help: 'show only rows that have these words, in every pane',
    group: 'look',
    rank: 13,
    when: noPage,
    press: ({ view }) => ({ view: { ...view, typing: true } }),
  },
  {
    keys: ['s', 'right', 'left'],
    shown: 's',
    does: 'sort',
    help: 's or →: sort by the next column; ←: by the one before',
    group: 'look',
    rank: 20,
    when: (state) => noPage(state) && PANE_KINDS[state.view.focus].sortable().length > 0,
    press: ({ view }, key) => ({ view: sortNext(view, key === 'left' ? -1 : 1) }),
  },
  {
    keys: ['S'],
    shown: 'S',
    does: 'reverse',
    help: 'the other way round',
    group: 'look',
    rank: 21,
    when: ({ view }) => view.pages.length === 0 && view.sorts[view.focus] !== undefined,
    press: ({ view }) => {
      const { by, reversed } = view.sorts[view.focus]!;
      const sorts = { ...view.sorts, [view.focus]: { by, reversed: !reversed } };
      return { view: { ...view, sorts } };
    },
  },
  {
    keys: ['space'],
    shown: 'space',
    does: 'pause',
    help: 'stop the picture, and go on; nothing is missed meanwhile',
    group: 'look',
    rank: 60,
    when: noPage,
    press: ({ view, board }) => ({
      view: { ...view, frozen: view.frozen ? undefined : board },
    }),
  },
];

function move(state: State, key: Move): View {
  const { view } = state;
  const page = view.pages.at(-1);
  if (page) return { ...view, pages: [...view.pages.slice(0, -1), movePage(state, page, key)] };
  const list = listOf(state, view.focus);
  if (list.keys.length === 0) return view;
  const height = placedPanes(state).find(({ name }) => name === view.focus)?.height ?? 1;
  const from = cursorIndex(state, view.focus, list);
  const index = moved(from, key, { last: list.keys.length - 1, jump: Math.max(1, height - 4) });
  const cursors = { ...view.cursors };
  // In the first row it stays there, whatever comes in above: the newest call is followed.
  if (index === 0) delete cursors[view.focus];
  else cursors[view.focus] = { key: list.keys[index]!, index };
  return { ...view, cursors };
}

function movePage(state: State, page: Page, key: Move): Page {
  const { height, last } = viewPage(page, state);
  if (page.kind === 'choice') {
    const end = (page.options?.length ?? 1) - 1;
    return { ...page, index: moved(page.index, key, { last: end, jump: height }) };
  }
  return { ...page, scroll: moved(page.scroll, key, { last, jump: Math.max(1, height - 1) }) };
}

function moved(
  from: number,
  key: Move,
  { last, jump }: { readonly last: number; readonly jump: number },
): number {
  const to = {
    up: from - 1,
    k: from - 1,
    down: from + 1,
    j: from + 1,
    pageup: from - jump,
    pagedown: from + jump,
    home: 0,
    g: 0,
    end: last,
    G: last,
  }[key];
  return Math.max(0, Math.min(last, to));
}

function focus(view: View, name: PaneName): View {
  return { ...view, focus: name, zoomed: view.focus === name ? !view.zoomed : view.zoomed };
}

function nextPane(state: State, step: 1 | -1): View {
  const { view } = state;
  const names = view.zoomed ? PANES : placedPanes(state).map(({ name }) => name);
  const at = names.indexOf(view.focus) + step;
  return { ...view, focus: names.at(at % names.length)! };
}

/** The next column that can be sorted by; behind the last one, the order of the server. */
function sortNext(view: View, step: 1 | -1): View {
  const titles = [undefined, ...PANE_KINDS[view.focus].sortable()];
  const at = titles.indexOf(view.sorts[view.focus]?.by);
  const by = titles.at((at + step) % titles.length);
  const sorts = { ...view.sorts };
  if (by === undefined) delete sorts[view.focus];
  else sorts[view.focus] = { by, reversed: false };
  return { ...view, sorts };
}

/** What the arrow stands before, where there is something to choose from. */
function chosen({ pages }: View): Option | undefined {
  const page = pages.at(-1);
  return page?.kind === 'choice' ? page.options?.[page.index] : undefined;
}

/** What enter opens; nothing when there is nothing to open. */
function opened(state: State): Step | undefined {
  const { view } = state;
  const key = selectedKey(state);
  if (key === undefined) return undefined;
  const board = seen(state);
  switch (view.focus) {
    case 'instances':
      return openPage(
        state,
        { kind: 'instance', name: key, detail: undefined, ...FRESH },
        { do: 'load' },
      );
    case 'calls': {
      const call = board.calls.find(({ seq }) => String(seq) === key)!;
      return openPage(state, { kind: 'call', call, detail: undefined, ...FRESH }, { do: 'load' });
    }
    case 'events': {
      const news = board.news.find(({ seq }) => seq === newsSeq(key))!;
      return openPage(state, { kind: 'news', news, ...FRESH });
    }
    case 'streams': {
      const running = board.status?.running.find(({ id }) => id === key);
      if (running?.instance === undefined) return undefined;
      return openPage(
        state,
        { kind: 'instance', name: running.instance, detail: undefined, ...FRESH },
        { do: 'load' },
      );
    }
    case 'models':
      // Everything that concerns it, in every pane.
      return { view: { ...view, filter: key, focus: 'calls', zoomed: false } };
  }
}
