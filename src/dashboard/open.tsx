import { Writable } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import { render } from 'ink';
import { useMemo, useSyncExternalStore, type ReactElement } from 'react';
import { App } from './app.tsx';
import type { Feed } from './feed.ts';
import { ASK_BACKGROUND, backgroundIn, keyboard } from './keyboard.ts';
import { Painter } from './painter.tsx';
import { openScreen, type Screen } from './screen.ts';
import type { State } from './state.ts';
import { openStore, type Store } from './store.ts';
import { themeFor, type Background } from './theme.ts';

export interface DashboardOptions {
  readonly feed: Feed;
  /** Both ends of the terminal. */
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly colour: boolean;
  /** What the environment tells; the terminal is asked too. */
  readonly background: Background | undefined;
  /** Those that end the dashboard. */
  readonly signals: readonly NodeJS.Signals[];
  /** Leaving ends the server too, and so is asked about. */
  readonly stopsServer: boolean;
}

export interface Dashboard {
  /**
   * Settles when the terminal has been given back: with the signal that ended it, or without one
   * when the person left. Rejects with what went wrong in here.
   */
  readonly closed: Promise<NodeJS.Signals | undefined>;
  /** What has been seen. */
  readonly state: () => State;
  close(): void;
}

/** Milliseconds; a process that stopped itself and goes on again is later than this. */
const STOPPING = 50;

/** Takes the terminal and shows a server there until somebody leaves. */
export function openDashboard(options: DashboardOptions): Dashboard {
  const { feed, stdin, stdout, signals } = options;
  let leave: (signal: NodeJS.Signals | undefined) => void;
  let fail: (error: unknown) => void;
  const closed = new Promise<NodeJS.Signals | undefined>((resolve, reject) => {
    leave = resolve;
    fail = reject;
  });
  const screen = openScreen({ stdin, stdout }, (size) => store.resize(size));
  const store = openStore({
    feed,
    size: screen.size(),
    background: options.background,
    stopsServer: options.stopsServer,
    now: Date.now,
    copy: (text) => void stdout.write(clipboard(text)),
    suspend: () => suspend(screen, store),
    leave: () => leave(undefined),
  });
  const ink = render(
    <Root
      store={store}
      colour={options.colour}
      feed={feed}
      onPicture={(lines) => screen.draw(lines)}
    />,
    {
      stdin: keyboard(stdin, (answer) => {
        const background = backgroundIn(answer);
        if (background) store.setBackground(background);
      }),
      stdout: inkOutput(screen),
      exitOnCtrlC: false,
      patchConsole: false,
      // It only writes its pictures then, without moving the cursor and without looking for a CI.
      debug: true,
    },
  );
  if (options.colour) stdout.write(ASK_BACKGROUND);
  ink.waitUntilExit().catch((error: unknown) => fail(error));
  const gone = (): void => leave('SIGHUP');
  const onSignal = (signal: NodeJS.Signals): void => leave(signal);
  for (const signal of signals) process.once(signal, onSignal);
  stdin.once('end', gone);

  const close = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
    stdin.off('end', gone);
    store.close();
    screen.close();
    // At its end Ink draws once more, by itself: what is not there takes it no time.
    ink.rerender(null);
    ink.unmount();
    leave(undefined);
  };
  return { closed: closed.finally(close), state: () => store.state(), close };
}

interface RootProps {
  readonly store: Store;
  readonly colour: boolean;
  readonly feed: Feed;
  readonly onPicture: (lines: readonly string[]) => void;
}

function Root({ store, colour, feed, onPicture }: RootProps): ReactElement {
  const state = useSyncExternalStore(store.subscribe, store.state);
  const { background } = state;
  const theme = useMemo(() => themeFor({ colour, background }), [colour, background]);
  return (
    <Painter size={state.size} onPicture={onPicture}>
      <App state={state} theme={theme} url={feed.url} onKey={store.press} />
    </Painter>
  );
}

/** What Ink takes for the terminal: it is told the size, and what it writes goes nowhere. */
function inkOutput(screen: Screen): WriteStream {
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  Object.defineProperties(output, {
    columns: { get: () => screen.size().columns },
    rows: { get: () => screen.size().rows },
  });
  return output as WriteStream;
}

/** Does what the terminal does on Ctrl-Z when it is not in raw mode: stops all that run in the foreground. */
function suspend(screen: Screen, store: Store): void {
  screen.leave();
  process.kill(0, 'SIGTSTP');
  // Where nobody could continue us, we were not stopped.
  setTimeout(() => {
    screen.enter();
    store.resize(screen.size());
  }, STOPPING);
}

/** Asks the terminal to copy a text, also through a connection from elsewhere (OSC 52). */
function clipboard(text: string): string {
  return `\u001b]52;c;${Buffer.from(text).toString('base64')}\u0007`;
}
