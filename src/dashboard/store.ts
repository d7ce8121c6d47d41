import { EMPTY_BOARD, note } from './board.ts';
import type { Feed, FeedEvent } from './feed.ts';
import { press } from './keys/index.ts';
import type { Size } from './layout.ts';
import { execute, refresh } from './executor.ts';
import type { State } from './state.ts';
import type { Background } from './theme.ts';
import { FIRST_VIEW, type View } from './view.ts';

/** Holds the state of the dashboard and changes it: by what the feed tells and what is pressed. */
export interface Store {
  readonly state: () => State;
  /** @param listener Called when there is another state: soon, but at most ten times a second. */
  readonly subscribe: (listener: () => void) => () => void;
  readonly press: (key: string) => void;
  readonly resize: (size: Size) => void;
  readonly setBackground: (background: Background) => void;
  readonly close: () => void;
}

export interface StoreOptions {
  readonly feed: Feed;
  readonly size: Size;
  readonly background?: Background | undefined;
  readonly stopsServer: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Sends a text to the clipboard. */
  readonly copy: (text: string) => void;
  readonly suspend: () => void;
  readonly leave: () => void;
  readonly pauses?: { readonly pressed: number; readonly told: number };
}

/** Milliseconds between two pictures, at least. */
const PAUSES = {
  /** When somebody has pressed a key … */
  pressed: 100,
  /** … and when there are only news: nobody reads faster than that. */
  told: 250,
} as const;
/** What changes by itself, such as a countdown, is seen to change this often. */
const TICK = 1000;
/** Columns beside a notice: its mark, and both ends of the line. */
const MARGIN = 4;
/** Milliseconds that a notice stays. */
const NOTICE = 5000;

export function openStore(options: StoreOptions): Store {
  const { feed, now, pauses = PAUSES } = options;
  const listeners = new Set<() => void>();
  let pending: FeedEvent[] = [];
  let state: State = {
    board: EMPTY_BOARD,
    view: FIRST_VIEW,
    size: options.size,
    background: options.background,
    stopsServer: options.stopsServer,
    now: now(),
  };
  let shownAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  /** On the clock of `performance.now()`. */
  let showsAt = Infinity;

  const show = (): void => {
    clearTimeout(timer);
    showsAt = Infinity;
    shownAt = performance.now();
    settle();
    for (const listener of listeners) listener();
  };
  /** Brings the state up to date: a key is to act on what is known now. */
  const settle = (): void => {
    const { view } = state;
    const notice = view.notice && view.notice.until <= now() ? undefined : view.notice;
    state = {
      ...state,
      board: pending.length === 0 ? state.board : note(state.board, pending, now()),
      view: notice === view.notice ? view : { ...view, notice },
      now: now(),
    };
    pending = [];
  };
  const change = (pause = pauses.pressed): void => {
    const now = performance.now();
    const at = Math.max(now, shownAt + pause);
    if (at >= showsAt) return;
    clearTimeout(timer);
    showsAt = at;
    if (at <= now) show();
    else timer = setTimeout(show, at - now);
  };
  const look = (update: (view: View) => View): void => {
    state = { ...state, view: update(state.view) };
    change();
  };
  const say = (text: string, tone: 'good' | 'bad' | 'accent'): void =>
    look((view) => {
      // What has gone wrong is to be read whole.
      if (tone === 'bad' && text.length > state.size.columns - MARGIN)
        return { ...view, pages: [...view.pages, { kind: 'failed', problem: text, scroll: 0 }] };
      return { ...view, notice: { text, tone, until: now() + NOTICE } };
    });
  const context = { ...options, actions: feed.actions, state: () => state, look, say };

  feed.open((event) => {
    pending.push(event);
    if (event.kind === 'snapshot') refresh(context);
    // The first one is what somebody waits for.
    change(event.kind === 'snapshot' && !state.board.status ? 0 : pauses.told);
  });
  const tick = setInterval(() => change(pauses.told), TICK);
  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    press(key) {
      settle();
      const { view, order } = press(state, key);
      state = { ...state, view };
      if (order) execute(order, context);
      change();
    },
    resize(size) {
      state = { ...state, size };
      change();
    },
    setBackground(background) {
      state = { ...state, background };
      change();
    },
    close() {
      clearInterval(tick);
      clearTimeout(timer);
      listeners.clear();
      feed.close();
    },
  };
}
