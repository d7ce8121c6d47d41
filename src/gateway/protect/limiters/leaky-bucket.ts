import { until, type Limiter, type LimiterSettings } from './limiter.ts';

/** A stretch of reserved time whose call has left. */
interface Gap {
  start: number;
  end: number;
}

interface LeakyBucket {
  /** When the next call may go; everything before is reserved, or a gap. */
  next: number;
  /** No reservation begins later, and no gap ends later. */
  last: number;
  /** In order of time, and not touching one another. Mostly there are none. */
  gaps: Gap[] | undefined;
}

/** Of one unit of cost: what rounding may add to the queue without a call being refused. */
const ROUNDING = 1e-3;

/**
 * A shaper: calls leave evenly at `rate`, in the order they came. One goes at once if it can, up
 * to `capacity` wait their turn, and a further one is refused. A call's departure is fixed when it
 * is admitted; if it leaves the queue before, the next one to come that fits takes its place, so
 * no turn is lost and nobody who waits is put back.
 *
 * A cost of n takes n turns. `capacity`: by default as many as the rate names, so that nobody
 * waits longer than its unit.
 */
export function leakyBucket({
  rate,
  capacity = Math.max(1, rate.count),
}: LimiterSettings): Limiter<LeakyBucket> {
  const interval = rate.per / rate.count;
  const longestWait = capacity * interval;
  const rounding = ROUNDING * interval;

  return {
    limit: Math.floor(capacity) + 1,
    shapes: true,
    initial: (now) => ({ next: now, last: now, gaps: undefined }),
    wait(state, now, cost) {
      if (findGap(state, now, cost * interval - rounding) >= 0) return 0;
      return until(state.next - longestWait - rounding, now);
    },
    take(state, now, cost) {
      const length = cost * interval;
      forgetPast(state, now);
      const index = findGap(state, now, length - rounding);
      if (index >= 0) return takeGap(state, index, { now, length, rounding });
      const start = Math.max(state.next, now);
      state.next = start + length;
      state.last = start;
      return start;
    },
    refund(state, now, receipt, cost) {
      const start = Math.max(receipt, now);
      const end = receipt + cost * interval;
      forgetPast(state, now);
      if (end - start > rounding) leave(state, { start, end }, rounding);
    },
    settle(state, now, _receipt, difference) {
      const shift = difference * interval;
      // Never before those who have their time already.
      if (shift > 0) state.next = Math.max(state.next, now) + shift;
      else state.next = Math.max(state.last, state.next + shift);
    },
    remaining(state, now) {
      const waiting = Math.max(0, state.next - now) / interval;
      return Math.max(0, Math.floor(capacity - waiting + ROUNDING) + 1);
    },
    resetAfter: (state, now) => until(state.next, now),
    idle: (state, now) => now >= state.next,
  };
}

/** @returns The index of the first gap with that much time left in it; -1 when there is none. */
function findGap({ gaps }: LeakyBucket, now: number, length: number): number {
  if (gaps === undefined) return -1;
  return gaps.findIndex(({ start, end }) => end - Math.max(start, now) >= length);
}

function forgetPast(state: LeakyBucket, now: number): void {
  if (state.gaps?.[0] === undefined || state.gaps[0].end > now) return;
  const gaps = state.gaps.filter(({ end }) => end > now);
  state.gaps = gaps.length > 0 ? gaps : undefined;
}

function takeGap(
  state: LeakyBucket,
  index: number,
  { now, length, rounding }: { now: number; length: number; rounding: number },
): number {
  const gaps = state.gaps!;
  const gap = gaps[index]!;
  const start = Math.max(gap.start, now);
  gap.start = start + length;
  if (gap.end - gap.start <= rounding) gaps.splice(index, 1);
  if (gaps.length === 0) state.gaps = undefined;
  return start;
}

function leave(state: LeakyBucket, gap: Gap, rounding: number): void {
  const gaps = state.gaps ?? [];
  const after = gaps.findIndex(({ start }) => start > gap.start);
  const index = after < 0 ? gaps.length : after;
  gaps.splice(index, 0, gap);
  join(gaps, index, rounding);
  join(gaps, index - 1, rounding);

  // The end of the line is no gap: who comes next simply goes there.
  const tail = gaps.at(-1)!;
  if (tail.end >= state.next - rounding) {
    gaps.pop();
    state.next = tail.start;
    state.last = tail.start;
  } else {
    state.last = Math.max(state.last, tail.end);
  }
  state.gaps = gaps.length > 0 ? gaps : undefined;
}

/** Makes one gap of two that touch. */
function join(gaps: Gap[], index: number, rounding: number): void {
  const gap = gaps[index];
  const next = gaps[index + 1];
  if (!gap || !next || next.start - gap.end > rounding) return;
  gap.end = Math.max(gap.end, next.end);
  gaps.splice(index + 1, 1);
}
