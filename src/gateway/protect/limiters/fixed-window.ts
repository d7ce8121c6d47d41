import { until, windowOf, type Limiter, type LimiterSettings } from './limiter.ts';

interface FixedWindow {
  /** When the window ends and the next one begins empty. */
  end: number;
  used: number;
}

/**
 * At most the rate's count in each window of its unit; windows begin at whole multiples of the
 * unit on the caller's clock. Twice as many may come together around the edge of two windows.
 * Debt ends with its window. `capacity` means nothing here.
 */
export function fixedWindow({ rate }: LimiterSettings): Limiter<FixedWindow> {
  const { count: limit, per } = windowOf(rate);

  const used = (state: FixedWindow, now: number) => (now >= state.end ? 0 : state.used);

  function charge(state: FixedWindow, now: number, cost: number): number {
    // Only forward: a clock that steps back over an edge must not open the last window again.
    if (now >= state.end) {
      state.end = endOfWindow(now, per);
      state.used = 0;
    }
    state.used += cost;
    return state.end;
  }

  function giveBack(state: FixedWindow, receipt: number, cost: number): void {
    if (state.end === receipt) state.used = Math.max(0, state.used - cost);
  }

  return {
    limit,
    shapes: false,
    initial: (now) => ({ end: endOfWindow(now, per), used: 0 }),
    wait(state, now, cost) {
      if (cost > limit) return Infinity;
      return used(state, now) + cost <= limit ? 0 : until(state.end, now);
    },
    take: charge,
    refund: (state, _now, receipt, cost) => giveBack(state, receipt, cost),
    settle(state, now, receipt, difference) {
      if (difference > 0) charge(state, now, difference);
      else giveBack(state, receipt, -difference);
    },
    remaining: (state, now) => Math.max(0, Math.floor(limit - used(state, now))),
    resetAfter: (state, now) => (used(state, now) > 0 ? until(state.end, now) : 0),
    idle: (state, now) => used(state, now) === 0,
  };
}

function endOfWindow(now: number, per: number): number {
  return now - (now % per) + per;
}
