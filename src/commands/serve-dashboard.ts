import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { connectAdmin } from './admin-client.ts';
import { hasTerminal, showDashboard } from './dashboard.ts';
import { liveFeed } from './live-feed.ts';
import { stateFolder } from './state-file.ts';
import { UserError } from './user-error.ts';

/** The terminal of a server that shows its own dashboard there: its log goes elsewhere meanwhile. */
export interface ServeScreen {
  /** Writes a part of the log. */
  readonly write: (text: string) => void;
  /** Shows the dashboard. @param leave Called when somebody leaves it. */
  show(server: { readonly url: string; readonly token: string }, leave: () => void): Promise<void>;
  /** Gives the terminal back, and says where the log is; what is logged from now on is seen too. */
  close(): void;
}

/** Logs of earlier runs that are kept. */
const KEPT = 10;

/** @throws UserError when there is no terminal, or no file can be written for the log. */
export function openServeScreen(env: NodeJS.ProcessEnv): ServeScreen {
  if (!hasTerminal()) {
    throw new UserError(
      '--dashboard needs a terminal: leave it away, and run `jairouter status` in one',
      2,
    );
  }
  const log = openLogFile(join(stateFolder(env), 'logs'));
  let dashboard: { close(): void } | undefined;
  let closed = false;
  return {
    write(text) {
      log.write(text);
      if (closed) process.stdout.write(text);
    },
    async show({ url, token }, leave) {
      const server = connectAdmin({ url, token, own: true });
      const feed = liveFeed({
        server,
        find: () => Promise.resolve(server),
        now: Date.now,
        key: env['JAIROUTER_KEY'],
      });
      const opened = await showDashboard(feed, { signals: [], stopsServer: true });
      if (closed) {
        opened.close();
        return;
      }
      dashboard = opened;
      await opened.closed;
      if (!closed) leave();
    },
    close() {
      if (closed) return;
      closed = true;
      dashboard?.close();
      process.stdout.write(`The log is in ${log.file}\n`);
    },
  };
}

/** A new file, which only its owner may read; of the earlier ones, the oldest go. */
function openLogFile(folder: string): {
  readonly file: string;
  readonly write: (text: string) => void;
} {
  const name = `${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}-${process.pid}.log`;
  const file = join(folder, name);
  let handle: number;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const earlier = readdirSync(folder).filter((one) => one.endsWith('.log'));
    for (const old of earlier.toSorted().slice(0, -KEPT)) rmSync(join(folder, old));
    handle = openSync(file, 'ax', 0o600);
  } catch (error) {
    throw new UserError(
      `--dashboard keeps the log in a file, and ${folder} can't be written: ${(error as Error).message}`,
    );
  }
  let empty = true;
  process.once('exit', () => {
    closeSync(handle);
    // It did not come to serving.
    if (empty) rmSync(file, { force: true });
  });
  return {
    file,
    write(text) {
      empty = false;
      writeSync(handle, text);
    },
  };
}
