import type { News, RecentCall, Status } from '../observe/status.ts';
import type { Connection, FeedEvent } from './feed.ts';

/** All that is known of the server at a moment. */
export interface Board {
  readonly connection: Connection;
  /** Absent until the first snapshot has come. */
  readonly status: Status | undefined;
  /** Milliseconds by which the server's clock is ahead of ours. */
  readonly ahead: number;
  /** Calls that are over, the newest first. */
  readonly calls: readonly RecentCall[];
  readonly news: readonly News[];
}

export const EMPTY_BOARD: Board = {
  connection: { state: 'connecting' },
  status: undefined,
  ahead: 0,
  calls: [],
  news: [],
};

/** How many calls are kept, and how much news: what a person may scroll through. */
const KEPT = 1000;

/**
 * Writes events on the board. They come in bundles, since copying a thousand rows for each call of a
 * busy server would cost more than showing them.
 *
 * @param now Milliseconds since the epoch, on our own clock.
 */
export function note(board: Board, events: readonly FeedEvent[], now: number): Board {
  let { connection, status, ahead } = board;
  let restarted = false;
  const calls: RecentCall[] = [];
  const news: News[] = [];
  for (const event of events) {
    switch (event.kind) {
      case 'connection':
        ({ connection } = event);
        break;
      case 'snapshot':
        // Another process counts from one again: its numbers would be mixed up with the old ones.
        if (status && status.startedAt !== event.status.startedAt) {
          restarted = true;
          calls.length = 0;
          news.length = 0;
        }
        ({ status } = event);
        ahead = status.now - now;
        break;
      case 'call':
        calls.push(event.call);
        break;
      case 'news':
        news.push(event.news);
        break;
    }
  }
  return {
    connection,
    status,
    ahead,
    calls: newestFirst(calls, restarted ? [] : board.calls),
    news: newestFirst(news, restarted ? [] : board.news),
  };
}

/** @param fresh The oldest first, as they came. */
function newestFirst<T>(fresh: readonly T[], old: readonly T[]): readonly T[] {
  if (fresh.length === 0) return old;
  return [...fresh.toReversed(), ...old].slice(0, KEPT);
}
