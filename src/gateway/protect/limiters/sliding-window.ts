import { until, windowOf, type Limiter, type LimiterSettings } from './limiter.ts';
import { ChargeLog } from './charge-log.ts';

/**
 * Exact: the calls of any span as long as the rate's unit cost no more than its count, wherever
 * the span begins. Remembers each charge for one unit, so up to `count` of them for every key.
 * `capacity` means nothing here.
 */
export function slidingWindow({ rate }: LimiterSettings): Limiter<ChargeLog> {
  const { count: limit, per } = windowOf(rate);

  return {
    limit,
    shapes: false,
    initial: () => new ChargeLog(),
    wait(state, now, cost) {
      if (cost > limit) return Infinity;
      if (state.total + cost <= limit) return 0;
      return until(state.timeBelow(limit - cost) + per, now);
    },
    take(state, now, cost) {
      state.expire(now, per);
      return state.add(now, cost);
    },
    refund: (state, _now, receipt, cost) => state.reduce(receipt, cost),
    settle(state, now, receipt, difference) {
      if (difference <= 0) return state.reduce(receipt, -difference);
      state.expire(now, per);
      state.add(now, difference);
    },
    remaining: (state, now) => Math.max(0, Math.floor(limit - state.totalAt(now, per))),
    resetAfter: (state, now) => until(state.lastTime + per, now),
    idle: (state, now) => now >= state.lastTime + per,
  };
}
