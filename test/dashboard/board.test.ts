import { describe, expect, it } from 'vitest';
import { EMPTY_BOARD, note } from '../../src/dashboard/board.ts';
import type { FeedEvent } from '../../src/dashboard/feed.ts';
import { call, news, NOON, status } from '../support/fake-feed.ts';

function calls(from: number, until: number): FeedEvent[] {
  return Array.from({ length: until - from + 1 }, (_, index) => ({
    kind: 'call',
    call: call(from + index),
  }));
}

describe('the board', () => {
  it('has calls and news with the newest first, and no more of them than one can read', () => {
    const first = note(EMPTY_BOARD, calls(1, 3), NOON);
    expect(first.calls.map(({ seq }) => seq)).toEqual([3, 2, 1]);
    const more = note(first, calls(4, 1100), NOON);
    expect(more.calls).toHaveLength(1000);
    expect(more.calls[0]!.seq).toBe(1100);
    expect(more.calls.at(-1)!.seq).toBe(101);
  });

  it('knows how far the clock of the server is ahead', () => {
    const snapshot = { kind: 'snapshot', status: status({ now: NOON + 5000 }) } as const;
    expect(note(EMPTY_BOARD, [snapshot], NOON).ahead).toBe(5000);
  });

  it('begins anew with another server, and keeps what that one has told before its snapshot', () => {
    const before = note(
      EMPTY_BOARD,
      [
        { kind: 'snapshot', status: status() },
        ...calls(1, 3),
        { kind: 'news', news: news(4, 'old') },
      ],
      NOON,
    );
    const restarted = status({ startedAt: NOON });
    const after = note(before, [{ kind: 'snapshot', status: restarted }, ...calls(1, 1)], NOON);
    expect(after.calls.map(({ seq }) => seq)).toEqual([1]);
    expect(after.news).toEqual([]);
    const same = note(before, [{ kind: 'snapshot', status: status() }], NOON);
    expect(same.calls).toHaveLength(3);
  });

  it('keeps what it has while there is no connection', () => {
    const before = note(
      EMPTY_BOARD,
      [{ kind: 'snapshot', status: status() }, ...calls(1, 2)],
      NOON,
    );
    const connection = {
      state: 'lost',
      triesAgainAt: NOON,
      reason: 'connection refused',
    } as const;
    const lost = note(before, [{ kind: 'connection', connection }], NOON);
    expect(lost).toEqual({ ...before, connection });
  });
});
