import fc from 'fast-check';
import { LIMITERS } from '../../../../src/gateway/protect/limiters/index.ts';
import type {
  Algorithm,
  Limiter,
  LimiterSettings,
} from '../../../../src/gateway/protect/limiters/limiter.ts';

export const ALGORITHMS = Object.keys(LIMITERS) as Algorithm[];

export interface Arrival {
  /** Milliseconds since the arrival before; often 0. */
  readonly gap: number;
  readonly cost: number;
}

export interface Admission {
  readonly at: number;
  readonly cost: number;
  readonly receipt: number;
}

/** A clock just after its start, one of days later, one of the day; whole and with a fraction. */
export const start = fc.oneof(
  fc.integer({ min: 0, max: 100_000 }),
  fc.double({ min: 0, max: 1e9, noNaN: true }),
  fc.integer({ min: 1_780_000_000_000, max: 1_790_000_000_000 }),
);

export const settings: fc.Arbitrary<LimiterSettings> = fc.record({
  rate: fc.record({
    count: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constantFrom(0.2, 0.5, 2.5, 1000 / 7)),
    per: fc.constantFrom(1000, 60_000),
  }),
  capacity: fc.oneof(
    fc.constant(undefined),
    fc.integer({ min: 1, max: 20 }),
    fc.constantFrom(0.5, 1.5),
  ),
});

/** Costs are kept to what the limiter admits at all. */
export function arrivals(options: { readonly maxCost?: number } = {}): fc.Arbitrary<Arrival[]> {
  const some = fc.oneof(
    fc.integer({ min: 1, max: 3000 }),
    fc.double({ min: 0, max: 3000, noNaN: true }),
  );
  return fc.array(
    fc.record({
      gap: fc.oneof(
        { weight: 4, arbitrary: fc.constant(0) },
        { weight: 4, arbitrary: some },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 200_000 }) },
      ),
      cost: fc.integer({ min: 1, max: options.maxCost ?? 1 }),
    }),
    { maxLength: 80, size: 'max' },
  );
}

/** Lets them all ask in turn. */
export function run<S>(
  limiter: Limiter<S>,
  from: number,
  calls: readonly Arrival[],
): { state: S; now: number; admitted: Admission[] } {
  const state = limiter.initial(from);
  const admitted: Admission[] = [];
  let now = from;
  for (const { gap, cost: wanted } of calls) {
    now += gap;
    const cost = fitting(limiter, wanted);
    if (limiter.wait(state, now, cost) > 0) continue;
    admitted.push({ at: now, cost, receipt: limiter.take(state, now, cost) });
  }
  return { state, now, admitted };
}

/** The cost, cut to what the limiter ever admits. */
export function fitting(limiter: Limiter, cost: number): number {
  return Math.min(cost, Math.floor(limiter.limit));
}
