import { fixedWindow } from './fixed-window.ts';
import { leakyBucket } from './leaky-bucket.ts';
import type { Algorithm, Limiter, LimiterSettings } from './limiter.ts';
import { slidingWindow } from './sliding-window.ts';
import { tokenBucket } from './token-bucket.ts';
import { warmUp } from './warm-up.ts';

/** Every algorithm of `rateLimit`. */
export const LIMITERS = {
  'token-bucket': tokenBucket,
  'leaky-bucket': leakyBucket,
  'sliding-window': slidingWindow,
  'fixed-window': fixedWindow,
  'warm-up': warmUp,
} satisfies Record<Algorithm, (settings: LimiterSettings) => Limiter>;
