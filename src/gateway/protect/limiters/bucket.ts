import type { Limiter } from './limiter.ts';

export interface Bucket {
  /** What was out of the bucket at the time `at`; above the limit when it is in debt. */
  spent: number;
  at: number;
}

/** How a bucket refills; amounts are in units of cost. */
interface Refill<B extends Bucket> {
  /** What flows in from one time to a later one. */
  amount(bucket: B, from: number, to: number): number;
  /** The time by which that much has flowed in. */
  time(bucket: B, from: number, amount: number): number;
}

/** Of one unit of cost: what rounding may take from a bucket without a call being refused. */
const ROUNDING = 1e-6;

/** A bucket that holds `limit`, full at first, and refills by fractions as `refill` says. */
export function bucket<B extends Bucket>(
  limit: number,
  refill: Refill<B>,
  initial: (now: number) => B,
): Limiter<B> {
  const full = limit + ROUNDING;

  function spent(state: B, now: number): number {
    if (now <= state.at) return state.spent;
    const rest = state.spent - refill.amount(state, state.at, now);
    return rest > ROUNDING ? rest : 0;
  }

  function charge(state: B, now: number, cost: number): number {
    state.spent = spent(state, now) + cost;
    state.at = Math.max(state.at, now);
    return state.at;
  }

  return {
    limit,
    shapes: false,
    initial,
    wait(state, now, cost) {
      if (cost > full) return Infinity;
      if (spent(state, now) + cost <= full) return 0;
      const target = refill.time(state, state.at, state.spent + cost - full);
      let wait = Math.max(1, Math.ceil(target - now));
      // The inverse is only as exact as its arithmetic; what the client is told has to hold.
      while (spent(state, now + wait) + cost > full) wait++;
      return wait;
    },
    take: charge,
    refund(state, now, receipt, cost) {
      // What has flowed in since may have spilled over because of this refund's cost alone: giving
      // it back once more would let one call too many through.
      const refilled = now > receipt ? refill.amount(state, receipt, now) : 0;
      state.spent = Math.max(0, state.spent - Math.max(0, cost - refilled));
    },
    settle(state, now, _receipt, difference) {
      if (difference > 0) charge(state, now, difference);
      // Whole, unlike a refund: generating takes longer than refilling, and by that measure no
      // estimate that was too high would ever be made good.
      else state.spent = Math.max(0, state.spent + difference);
    },
    remaining: (state, now) => Math.max(0, Math.floor(full - spent(state, now))),
    resetAfter(state, now) {
      if (spent(state, now) === 0) return 0;
      return Math.max(1, Math.ceil(refill.time(state, state.at, state.spent) - now));
    },
    idle: (state, now) => spent(state, now) === 0,
  };
}
