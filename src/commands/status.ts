import type { Status } from '../observe/status.ts';
import type { AdminClient } from './admin-client.ts';
import { findServer, type ServerOptions } from './find-server.ts';
import { follow, tellLost } from './follow.ts';
import { print, printJson } from './output.ts';
import { statusLines } from './status-text.ts';
import { paintFor } from './terminal.ts';

export interface StatusOptions extends ServerOptions {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly watch?: boolean;
}

/** The command `status`. */
export async function status(options: StatusOptions): Promise<void> {
  const server = await findServer(options);
  if (options.watch) return watch(server, options);
  const now = await server.get<Status>('/admin/status');
  if (options.json) printJson(now);
  else show(now);
}

/** Prints it each second until it is stopped: over the last one on a terminal, else below it. */
async function watch(server: AdminClient, options: StatusOptions): Promise<void> {
  const { stdout } = process;
  const { json = false } = options;
  let first = true;
  await follow({
    server,
    find: () => findServer(options),
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
  print(statusLines(now, { paint: paintFor(stdout, env), width: stdout.columns }));
}
