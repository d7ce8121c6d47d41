import type { Config } from '../../../config/schema.ts';
import type { Rate } from '../../../config/units.ts';

/** A `rateLimit` block as its author set it, with units read. */
export type RateLimit = NonNullable<Config['rateLimit']>;
export type Algorithm = NonNullable<RateLimit['algorithm']>;

export interface LimiterSettings {
  readonly rate: Rate;
  /** Unset: what the algorithm says. */
  readonly capacity?: number | undefined;
}

/**
 * One algorithm with its numbers. All that it remembers is in `state`, which it changes in place;
 * the same calls on an equal state at the same times come out the same.
 *
 * Times are milliseconds of any one clock, best a monotonic one. When it steps back, calls are at
 * most admitted later for it, never more of them. Costs are whole numbers from 1.
 *
 * Methods, not function properties: so `Limiter<Bucket>` may stand where only "some limiter and
 * its states" is known (`Limiter`).
 */
export interface Limiter<S = unknown> {
  /** The most that it ever admits at one moment; a call that costs more has to be cut to it. */
  readonly limit: number;
  /** Whether an admitted call may have to wait until its receipt's time. */
  readonly shapes: boolean;
  /** The state of a key that has not called, or not for long. */
  initial(now: number): S;
  /**
   * Changes nothing.
   * @returns Whole milliseconds until a call of that cost is admitted, if no other comes first: 0
   * admits it now, `Infinity` never.
   */
  wait(state: S, now: number, cost: number): number;
  /**
   * Charges a call, admitted or not.
   * @returns A receipt, which `refund` and `settle` ask for. Of a shaper it is the time from which
   * the call may go, `now` or later.
   */
  take(state: S, now: number, cost: number): number;
  /** Gives back the charge of a call that did not go ahead. */
  refund(state: S, now: number, receipt: number, cost: number): void;
  /**
   * Corrects a charge that was an estimate.
   * @param difference Real cost less charged cost. What is owed is charged at `now`, even if
   * nothing is left; what was too much goes back to where it was taken from.
   */
  settle(state: S, now: number, receipt: number, difference: number): void;
  /** How many calls of cost 1 would be admitted now; whole, 0 or more. */
  remaining(state: S, now: number): number;
  /** Whole milliseconds until nothing is used; 0 when nothing is. */
  resetAfter(state: S, now: number): number;
  /** Whether it behaves, from now on, as the initial state does: then it may be forgotten. */
  idle(state: S, now: number): boolean;
}

/**
 * @returns The least whole number of milliseconds, 0 or more, after which `now` has reached
 * `target`. The sum is checked: a rounded difference can fall short of its target.
 */
export function until(target: number, now: number): number {
  const wait = Math.max(0, Math.ceil(target - now));
  return now + wait >= target ? wait : wait + 1;
}

/**
 * The window and the count of a windowed algorithm. A rate below one call per unit becomes one
 * call per longer window (0.5/s: 1 in 2 s), as it would otherwise admit nothing.
 */
export function windowOf({ count, per }: Rate): Rate {
  return count >= 1 ? { count, per } : { count: 1, per: per / count };
}
