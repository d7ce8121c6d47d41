import { bucket, type Bucket } from './bucket.ts';
import type { Limiter, LimiterSettings } from './limiter.ts';

export interface WarmUp extends Bucket {
  /** When it began to warm up. */
  since: number;
}

/** The share of the rate that a cold bucket refills at. */
export const COLD = 1 / 3;
/** Milliseconds from cold to the full rate, and of no calls at all until it is cold again. */
export const WARM_UP = 30_000;

/**
 * A token bucket for a backend that has to find its feet: from the first call on, the rate grows
 * evenly from a third to the whole over 30 s. After 30 s without a call it is cold again.
 *
 * `capacity`: the burst, by default a third of what the rate names (60/m: 20), since a cold bucket
 * is a full one, and never less than one call.
 */
export function warmUp({ rate, capacity = rate.count * COLD }: LimiterSettings): Limiter<WarmUp> {
  const interval = rate.per / rate.count;
  const base = bucket<WarmUp>(
    Math.max(1, capacity),
    {
      amount: ({ since }, from, to) => (warmth(to - since) - warmth(from - since)) / interval,
      time: ({ since }, from, amount) => since + age(warmth(from - since) + amount * interval),
    },
    // As if it had last been called just too long ago: it warms up from its first call on.
    (now) => ({ spent: 0, at: now - WARM_UP, since: now }),
  );

  const cold = (state: WarmUp, now: number) => now - state.at >= WARM_UP && base.idle(state, now);

  return {
    ...base,
    take(state, now, cost) {
      if (cold(state, now)) state.since = now;
      return base.take(state, now, cost);
    },
    settle(state, now, receipt, difference) {
      if (cold(state, now)) state.since = now;
      base.settle(state, now, receipt, difference);
    },
    idle: cold,
  };
}

/** What a bucket warming up for `age` ms has refilled, in milliseconds of the full rate. */
function warmth(age: number): number {
  // Before it warmed up it was another, warmer bucket; counting that as whole refunds too little.
  if (age <= 0) return age;
  if (age >= WARM_UP) return age - (WARM_UP * (1 - COLD)) / 2;
  return COLD * age + ((1 - COLD) * age ** 2) / (2 * WARM_UP);
}

/** The inverse of `warmth`. */
function age(warmth: number): number {
  if (warmth <= 0) return warmth;
  if (warmth >= (WARM_UP * (1 + COLD)) / 2) return warmth + (WARM_UP * (1 - COLD)) / 2;
  const slope = (1 - COLD) / WARM_UP;
  return (Math.sqrt(COLD ** 2 + 2 * slope * warmth) - COLD) / slope;
}
