import type { Caller, CostUnit, Limit } from './limit.ts';

/** How far one limit is used up by one caller. */
interface Gauge {
  /** Admitted at one moment, when nothing is used. */
  readonly limit: number;
  /** The same now. */
  readonly remaining: number;
  /** Milliseconds until nothing is used. */
  readonly reset: number;
}

/**
 * `x-ratelimit-{limit,remaining,reset}-requests` of the limit on requests that is nearest to
 * refusing this caller, and `…-tokens` of that on tokens; as OpenAI sends them.
 */
export function limitHeaders(
  limits: readonly Limit[],
  caller: Caller,
  now: number,
): Record<string, string> {
  const tightest: Partial<Record<CostUnit, Gauge>> = {};
  for (const limit of limits) {
    const next = gauge(limit, caller, now);
    const known = tightest[limit.unit];
    if (known === undefined || isTighter(next, known)) tightest[limit.unit] = next;
  }
  const headers: Record<string, string> = {};
  for (const unit of UNITS) {
    const told = tightest[unit];
    if (told === undefined) continue;
    const names = NAMES[unit];
    headers[names.limit] = String(told.limit);
    headers[names.remaining] = String(told.remaining);
    headers[names.reset] = formatReset(told.reset);
  }
  return headers;
}

const UNITS = ['requests', 'tokens'] as const satisfies readonly CostUnit[];
/** Written out: names that are put together for each answer cost more than all that they tell. */
const NAMES = {
  requests: {
    limit: 'x-ratelimit-limit-requests',
    remaining: 'x-ratelimit-remaining-requests',
    reset: 'x-ratelimit-reset-requests',
  },
  tokens: {
    limit: 'x-ratelimit-limit-tokens',
    remaining: 'x-ratelimit-remaining-tokens',
    reset: 'x-ratelimit-reset-tokens',
  },
} as const satisfies Record<CostUnit, Record<keyof Gauge, string>>;

/** @returns The value of `Retry-After`: whole seconds, rounded up, 1 or more. */
export function retryAfterSeconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1000)));
}

/**
 * @param ms 0 or more; a fraction is rounded up.
 * @returns A duration as Go prints it, which is how OpenAI does: `20ms`, `1.5s`, `6m0s`, `1h0m0s`.
 */
export function formatReset(ms: number): string {
  const whole = Math.ceil(ms);
  if (whole > 0 && whole < 1000) return `${whole}ms`;
  const seconds = (whole % 60_000) / 1000;
  const minutes = Math.floor(whole / 60_000);
  if (minutes === 0) return `${seconds}s`;
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes}m${seconds}s` : `${hours}h${minutes % 60}m${seconds}s`;
}

/** Reads a limit, and charges nobody. */
export function gauge(limit: Limit, caller: Caller, now: number): Gauge {
  const { limiter, states } = limit;
  const state = states.peek(limit.keyOf(caller)) ?? limiter.initial(now);
  return {
    limit: Math.floor(limiter.limit),
    remaining: limiter.remaining(state, now),
    reset: limiter.resetAfter(state, now),
  };
}

function isTighter(a: Gauge, b: Gauge): boolean {
  return a.remaining === b.remaining ? a.reset > b.reset : a.remaining < b.remaining;
}
