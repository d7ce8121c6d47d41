import type { Caller, Limit } from './limit.ts';
import type { Limits } from './limits.ts';

/** A call's cost and time. */
export interface CallCost {
  /** An estimate; of no matter when no limit counts tokens. */
  readonly tokens: number;
  /** Milliseconds of the clock that all calls are measured by, best a monotonic one. */
  readonly now: number;
}

/** A call that some limit does not let through. Nobody has been charged. */
export interface Refusal {
  readonly admitted: false;
  /** The one that it would have to wait longest for. */
  readonly limit: Limit;
  /** Whole milliseconds after which all the limits admit it, unless others come first. */
  readonly retryAfter: number;
}

/** Asks all the limits that apply to a call, and charges all of them or none. */
export function admitAll(
  limits: readonly Limit[],
  caller: Caller,
  cost: CallCost,
): Grant | Refusal {
  if (limits.length === 0) return FREE;
  return refusal(limits, caller, cost) ?? new Grant(limits, caller, cost);
}

/** What `admitAll` would answer if it refuses. Charges nobody either way. */
export function refusal(
  limits: readonly Limit[],
  caller: Caller,
  { tokens, now }: CallCost,
): Refusal | undefined {
  let retryAfter = 0;
  let longest: Limit | undefined;
  for (const limit of limits) {
    const state = limit.states.peek(limit.keyOf(caller));
    // Who has no state has used nothing, and no cost is above what an unused limit admits.
    if (state === undefined) continue;
    const wait = limit.limiter.wait(state, now, limit.costOf(tokens));
    if (wait <= retryAfter) continue;
    retryAfter = wait;
    longest = limit;
  }
  return longest && { admitted: false, limit: longest, retryAfter };
}

/** What `refusal` says of the limits of one instance, as it is told of a candidate. Charges nobody. */
export function instanceRefusal(
  limits: Limits,
  caller: Caller,
  cost: CallCost,
): { readonly reason: string; readonly until: number; readonly limit: string } | undefined {
  const refused = refusal(limits.ofInstance(caller), caller, cost);
  if (!refused) return undefined;
  const { limit, retryAfter } = refused;
  const reason = `is at its limit of ${limit.text}`;
  return { reason, until: cost.now + retryAfter, limit: limit.place };
}

interface Charge {
  readonly limit: Limit;
  readonly key: string;
  readonly cost: number;
  readonly receipt: number;
}

/** A call that was let through and charged, and how to make up for what comes out otherwise. */
export class Grant {
  readonly admitted = true;
  /** Milliseconds to wait before going on; above 0 only where a shaper lets the call queue. */
  readonly delay: number;
  #charges: readonly Charge[];

  /** Charges the limits, whether they admit the call or not: `admitAll` asks first. */
  constructor(limits: readonly Limit[], caller: Caller, { tokens, now }: CallCost) {
    let delay = 0;
    this.#charges = limits.map((limit): Charge => {
      const key = limit.keyOf(caller);
      const cost = limit.costOf(tokens);
      const receipt = limit.limiter.take(limit.states.state(key, now), now, cost);
      if (limit.limiter.shapes) delay = Math.max(delay, receipt - now);
      return { limit, key, cost, receipt };
    });
    this.delay = delay;
  }

  /**
   * For a call that never reached a backend: another limit refused it, or its client left while it
   * waited. Gives back what can be given back without letting more through than the limits say.
   * After this or `settle`, both do nothing more.
   */
  refund(now: number): void {
    for (const { limit, key, cost, receipt } of this.#close()) {
      const state = limit.states.peek(key);
      if (state !== undefined) limit.limiter.refund(state, now, receipt, cost);
    }
  }

  /**
   * Puts the tokens that were really used in the place of the estimate. Without it the estimate
   * stands, as it must when a backend doesn't tell. After this or `refund`, both do nothing more.
   */
  settle(tokens: number, now: number): void {
    for (const { limit, key, cost, receipt } of this.#close()) {
      const difference = tokens - cost;
      if (limit.unit !== 'tokens' || difference === 0) continue;
      // A state may be forgotten while its call runs: what is given back is then too late, but
      // what is owed is owed all the same.
      const state = difference > 0 ? limit.states.state(key, now) : limit.states.peek(key);
      if (state !== undefined) limit.limiter.settle(state, now, receipt, difference);
    }
  }

  #close(): readonly Charge[] {
    const charges = this.#charges;
    this.#charges = [];
    return charges;
  }
}

/** Has no charges, and so nothing of its own: every call without limits may share it. */
const FREE = new Grant(
  [],
  { service: '', model: '', key: undefined, ip: '', client: '' },
  { tokens: 0, now: 0 },
);
