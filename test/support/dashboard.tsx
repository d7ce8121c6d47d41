import { setImmediate } from 'node:timers/promises';
import { render } from 'ink-testing-library';
import { useSyncExternalStore, type ReactElement } from 'react';
import { onTestFinished } from 'vitest';
import { App } from '../../src/dashboard/app.tsx';
import type { Feed } from '../../src/dashboard/feed.ts';
import type { Size } from '../../src/dashboard/layout.ts';
import { Painter } from '../../src/dashboard/painter.tsx';
import type { State } from '../../src/dashboard/state.ts';
import { openStore, type Store } from '../../src/dashboard/store.ts';
import { PLAIN_THEME, type Theme } from '../../src/dashboard/theme.ts';
import { fakeFeed, NOON, type FakeFeed } from './fake-feed.ts';
import { until } from './gateway.ts';

export interface TestDashboard extends Mounted {
  readonly feed: FakeFeed;
}

/** A dashboard without a terminal. */
export interface Mounted {
  /** The last picture. */
  lines(): readonly string[];
  text(): string;
  /** The line that has this text. */
  line(text: string): string;
  state(): State;
  /** Presses keys, one after the other: characters, or the names of {@link SEQUENCES}. */
  press(...keys: readonly string[]): Promise<void>;
  resize(size: Size): void;
  /** Waits until the picture has this text, or has it no more. */
  sees(text: string | RegExp): Promise<void>;
  seesNot(text: string | RegExp): Promise<void>;
  readonly copied: readonly string[];
  readonly left: () => boolean;
  readonly suspended: () => boolean;
  setTime(now: number): void;
}

export interface MountOptions {
  readonly size?: Size;
  readonly theme?: Theme;
  readonly stopsServer?: boolean;
}

export interface TestDashboardOptions extends MountOptions {
  /** Told before the first picture. */
  readonly told?: (feed: FakeFeed) => void;
}

/** What a terminal sends for keys that have no character. */
const SEQUENCES: Readonly<Record<string, string>> = {
  enter: '\r',
  escape: '\u001b',
  tab: '\t',
  backtab: '\u001b[Z',
  space: ' ',
  up: '\u001b[A',
  down: '\u001b[B',
  right: '\u001b[C',
  left: '\u001b[D',
  pageup: '\u001b[5~',
  pagedown: '\u001b[6~',
  home: '\u001b[H',
  end: '\u001b[F',
  backspace: '\u007f',
  'ctrl-c': '\u0003',
  'ctrl-z': '\u001a',
  'ctrl-u': '\u0015',
};

/** The dashboard of a feed that a test makes tell things, at noon. */
export function mountDashboard({ told, ...options }: TestDashboardOptions = {}): TestDashboard {
  const feed = fakeFeed();
  const mounted = mountOn(feed, options);
  mounted.setTime(NOON);
  told?.(feed);
  return { ...mounted, feed };
}

/** The dashboard, drawn as in a terminal but without one; it is closed with the test. */
export function mountOn(feed: Feed, options: MountOptions = {}): Mounted {
  const copied: string[] = [];
  let clock = Date.now;
  let left = false;
  let suspended = false;
  let picture: readonly string[] = [];
  const store = openStore({
    feed,
    size: options.size ?? { columns: 120, rows: 36 },
    stopsServer: options.stopsServer ?? false,
    now: () => clock(),
    pauses: { pressed: 10, told: 20 },
    copy: (text) => void copied.push(text),
    suspend: () => {
      suspended = true;
    },
    leave: () => {
      left = true;
    },
  });
  const { stdin, unmount } = render(
    <Painted
      store={store}
      theme={options.theme ?? PLAIN_THEME}
      onPicture={(lines) => {
        picture = lines;
      }}
    />,
  );
  onTestFinished(() => {
    unmount();
    store.close();
  });
  const text = (): string => picture.join('\n');
  const has = (wanted: string | RegExp): boolean =>
    typeof wanted === 'string' ? text().includes(wanted) : wanted.test(text());
  const wait = async (holds: () => boolean, what: string): Promise<void> => {
    try {
      await until(holds);
    } catch {
      throw new Error(`${what}:\n${text()}`);
    }
  };
  return {
    copied,
    lines: () => picture,
    text,
    line: (wanted) => picture.find((line) => line.includes(wanted)) ?? '',
    state: () => store.state(),
    press: async (...keys) => {
      for (const key of keys) {
        stdin.write(SEQUENCES[key] ?? key);
        // An escape that something follows at once would be the beginning of a sequence.
        await setImmediate();
      }
    },
    resize: (size) => store.resize(size),
    sees: (wanted) => wait(() => has(wanted), `${String(wanted)} is not seen`),
    seesNot: (wanted) => wait(() => !has(wanted), `${String(wanted)} is still seen`),
    left: () => left,
    suspended: () => suspended,
    setTime: (to) => {
      clock = () => to;
    },
  };
}

interface PaintedProps {
  readonly store: Store;
  readonly theme: Theme;
  readonly onPicture: (lines: readonly string[]) => void;
}

function Painted({ store, theme, onPicture }: PaintedProps): ReactElement {
  const state = useSyncExternalStore(store.subscribe, store.state);
  return (
    <Painter size={state.size} onPicture={onPicture}>
      <App state={state} theme={theme} url="http://127.0.0.1:4747" onKey={store.press} />
    </Painter>
  );
}

/** Shows one state after the other, drawn as in a terminal. */
export function stage(): {
  readonly show: (state: State) => void;
  readonly lines: () => readonly string[];
} {
  let picture: readonly string[] = [];
  const onPicture = (lines: readonly string[]): void => {
    picture = lines;
  };
  const tree = (state: State): ReactElement => (
    <Painter size={state.size} onPicture={onPicture}>
      <App state={state} theme={PLAIN_THEME} url="http://127.0.0.1:4747" onKey={() => {}} />
    </Painter>
  );
  let shown: ReturnType<typeof render> | undefined;
  onTestFinished(() => shown?.unmount());
  return {
    show(state) {
      if (shown) shown.rerender(tree(state));
      else shown = render(tree(state));
    },
    lines: () => picture,
  };
}
