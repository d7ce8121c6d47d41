import { bucket, type Bucket } from './bucket.ts';
import type { Limiter, LimiterSettings } from './limiter.ts';

/**
 * Bursts of up to `capacity`, then calls at `rate`. In any span of time it admits at most
 * `capacity` and what the rate allows for that span.
 *
 * `capacity`: by default as many as the rate names (60/m: 60), and never less than one call.
 */
export function tokenBucket({ rate, capacity = rate.count }: LimiterSettings): Limiter<Bucket> {
  const interval = rate.per / rate.count;
  return bucket(
    Math.max(1, capacity),
    {
      amount: (_bucket, from, to) => (to - from) / interval,
      time: (_bucket, from, amount) => from + amount * interval,
    },
    (now) => ({ spent: 0, at: now }),
  );
}
