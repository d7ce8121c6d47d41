import { setTimeout as sleep } from 'node:timers/promises';
import { formatSpan } from '../format.ts';
import type { Status } from '../observe/status.ts';
import type { AdminClient, AdminEvent } from './admin-client.ts';

export interface FollowOptions {
  /** The server as it was found. */
  readonly server: AdminClient;
  /** Looks for it again: one that was started anew has another token, and perhaps another port. */
  readonly find: () => Promise<AdminClient>;
  /** The number of the last call or news that is known; what came after it is told first. */
  readonly after: number | undefined;
  readonly onEvent: (event: AdminEvent) => void;
  /** @param wait Milliseconds until the next try. */
  readonly onLost: (reason: string, wait: number) => void;
  readonly onBack?: (server: AdminClient) => void;
  /** Ends it; without one it goes on for as long as the process runs. */
  readonly signal?: AbortSignal;
  /** Milliseconds until the next try, after so many that failed one after the other. */
  readonly wait?: (failures: number) => number;
}

/** Half a second, twice as long each time, up to five seconds. */
function backOff(failures: number): number {
  return Math.min(500 * 2 ** failures, 5000);
}

/** Follows a server's events, and takes the connection up again as often as it is lost. */
export async function follow(options: FollowOptions): Promise<void> {
  const { wait: waitFor = backOff, signal = new AbortController().signal } = options;
  let { server, after } = options;
  let startedAt: number | undefined;
  let failures = 0;
  for (;;) {
    const reason = await readOnce(server, after, {
      signal,
      onOpen: () => {
        if (failures > 0) options.onBack?.(server);
        failures = 0;
      },
      onEvent(event) {
        if (event.event === 'snapshot') startedAt = (event.data as Status).startedAt;
        else after = Number(event.id);
        options.onEvent(event);
      },
    });
    if (signal.aborted) return;
    const wait = waitFor(failures);
    failures += 1;
    options.onLost(reason, wait);
    await sleep(wait, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    server = await options.find().catch(() => server);
    const status = await server.get<Status>('/admin/status').catch(() => undefined);
    // Another run counts from the beginning: its numbers say nothing of what is known.
    if (status && status.startedAt !== startedAt) after = undefined;
  }
}

/** Says it where it does not get between what is printed. */
export function tellLost(reason: string, wait: number): void {
  process.stderr.write(`jairouter: ${reason}; trying again in ${formatSpan(wait)}\n`);
}

/** @returns Why the events have ended. */
async function readOnce(
  server: AdminClient,
  after: number | undefined,
  listener: {
    readonly signal: AbortSignal;
    readonly onOpen: () => void;
    readonly onEvent: (event: AdminEvent) => void;
  },
): Promise<string> {
  try {
    await server.events({ after: after === undefined ? undefined : String(after), ...listener });
    return 'the server has closed the connection';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
