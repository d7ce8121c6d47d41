import { constants } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import type { Status } from '../observe/status.ts';
import type { AdminClient } from './admin-client.ts';
import { hasTerminal, receipt, showDashboard } from './dashboard.ts';
import { serverFinder, type ServerOptions } from './find-server.ts';
import { follow, tellLost } from './follow.ts';
import { liveFeed } from './live-feed.ts';
import { print, printJson, printText } from './output.ts';
import { statusLines } from './status-text.ts';
import { columnsOf, paintFor } from './terminal.ts';

export interface StatusOptions extends ServerOptions {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly watch?: boolean;
}

/** The command `status`. */
export async function status(options: StatusOptions): Promise<void> {
  const find = serverFinder(options);
  if (options.watch) return watch(find, options);
  if (!options.once && !options.json && hasTerminal()) return showLive(find);
  const server = await find();
  const now = await server.get<Status>('/admin/status');
  if (options.json) printJson(now);
  else show(now);
}

/** The dashboard. */
async function showLive(find: () => Promise<AdminClient>): Promise<void> {
  const feed = liveFeed({
    server: await find(),
    find,
    now: Date.now,
    key: process.env['JAIROUTER_KEY'],
  });
  const began = Date.now();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const dashboard = await showDashboard(feed, { signals, stopsServer: false });
  // What a picture leaves behind is small and short-lived. Node would take 30 MB more for it.
  setFlagsFromString('--semi-space-growth-factor=1');
  const signal = await dashboard.closed;
  // Who has closed the terminal reads no more.
  if (signal !== 'SIGHUP') print([receipt(dashboard, feed.url, Date.now() - began)]);
  if (signal) process.exit(128 + constants.signals[signal]);
}

/** Prints it each second until it is stopped: over the last one on a terminal, else below it. */
async function watch(
  find: () => Promise<AdminClient>,
  { json = false }: StatusOptions,
): Promise<void> {
  const { stdout } = process;
  let first = true;
  await follow({
    server: await find(),
    find,
    after: undefined,
    onLost: tellLost,
    onEvent({ event, data }) {
      if (event !== 'snapshot') return;
      if (json) {
        stdout.write(`${JSON.stringify(data)}\n`);
        return;
      }
      if (stdout.isTTY) stdout.write('\u001b[H\u001b[2J');
      else if (!first) stdout.write('\n');
      first = false;
      show(data as Status);
    },
  });
}

function show(now: Status): void {
  const { stdout, env } = process;
  printText(statusLines(now, { paint: paintFor(stdout, env), width: columnsOf(stdout) }));
}
