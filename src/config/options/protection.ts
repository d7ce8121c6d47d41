import { z } from 'zod';
import { duration, numeric, rate, size } from '../fields.ts';
import { BUILT_IN } from '../settings.ts';
import { formatDuration } from '../units.ts';

export const timeouts = z
  .strictObject({
    connect: duration.optional().meta({
      description: 'Until the TCP and TLS connection stands.',
      default: formatDuration(BUILT_IN.timeouts.connect),
    }),
    firstByte: duration.optional().meta({
      description:
        'Until the head of an answer that is not streamed; that is its whole generation.',
      default: formatDuration(BUILT_IN.timeouts.firstByte),
    }),
    firstEvent: duration.optional().meta({
      description: 'Until the first event of a stream; `firstByte` caps it.',
      default: formatDuration(BUILT_IN.timeouts.firstEvent),
    }),
    idle: duration.optional().meta({
      description: 'Between two bytes of an answer.',
      default: formatDuration(BUILT_IN.timeouts.idle),
    }),
    total: duration.optional().meta({ description: 'The whole attempt. Unset: no limit.' }),
    loading: duration.optional().meta({
      description:
        'How long a call waits for a backend that says it is loading the model; `firstByte` and `firstEvent` are suspended meanwhile.',
      default: formatDuration(BUILT_IN.timeouts.loading),
    }),
  })
  .meta({ id: 'timeouts', description: 'Time limits of one attempt.' });

export const retry = z
  .strictObject({
    attempts: numeric({ whole: true, min: 1, max: 20 }).optional().meta({
      description: 'Attempts of one call at the most, the first one included.',
      default: BUILT_IN.retry.attempts,
    }),
    bufferLimit: size.optional().meta({
      description:
        'A larger request body is let go of as it is sent, and so is sent once only: it takes up no memory while the backend works, but can be tried elsewhere only if nobody took it.',
      default: '32mb',
    }),
  })
  .meta({ id: 'retry', description: 'Trying again on another instance.' });

export const health = z
  .strictObject({
    interval: duration.optional().meta({
      description: 'Between two probes of an instance.',
      default: formatDuration(BUILT_IN.health.interval),
    }),
    timeout: duration.optional().meta({
      description: 'For one probe.',
      default: formatDuration(BUILT_IN.health.timeout),
    }),
    unhealthyAfter: numeric({ whole: true, min: 1 }).optional().meta({
      description: 'Failed probes in a row until an instance counts as unhealthy.',
      default: BUILT_IN.health.unhealthyAfter,
    }),
    healthyAfter: numeric({ whole: true, min: 1 }).optional().meta({
      description: 'Good probes in a row until it counts as healthy again.',
      default: BUILT_IN.health.healthyAfter,
    }),
  })
  .meta({ id: 'health', description: 'Probes of an instance.' });

export const rateLimit = z
  .strictObject({
    algorithm: z
      .enum(['token-bucket', 'leaky-bucket', 'sliding-window', 'fixed-window', 'warm-up'])
      .optional()
      .meta({ description: 'How calls are counted.', default: BUILT_IN.rateLimit.algorithm }),
    rate: rate.meta({ description: 'Calls (or tokens) in a span of time, such as 10/s or 60/m.' }),
    capacity: numeric({ above: 0 }).optional().meta({
      description:
        'The burst of `token-bucket` and `warm-up`, or how many may wait in a `leaky-bucket`; the windows have none. Unset: as many as the rate names (60/m: 60), a third of that for `warm-up`.',
    }),
    per: z
      .enum(['global', 'client', 'key', 'ip', 'model', 'instance'])
      .optional()
      .meta({ description: 'What has a count of its own.', default: BUILT_IN.rateLimit.per }),
    cost: z.enum(['requests', 'tokens']).optional().meta({
      description: 'What a call costs: 1, or the tokens it uses.',
      default: BUILT_IN.rateLimit.cost,
    }),
  })
  .meta({ id: 'rateLimit', description: 'A limit on calls.' });

export const circuitBreaker = z
  .strictObject({
    failureThreshold: numeric({ whole: true, min: 1 }).optional().meta({
      description: 'Failures in a row that open it.',
      default: BUILT_IN.circuitBreaker.failureThreshold,
    }),
    failureRate: numeric({ above: 0, max: 1 }).optional().meta({
      description: 'The share of failures among the calls of `window` that opens it.',
      default: BUILT_IN.circuitBreaker.failureRate,
    }),
    window: duration.optional().meta({
      description: 'How far back `failureRate` looks.',
      default: formatDuration(BUILT_IN.circuitBreaker.window),
    }),
    minimumCalls: numeric({ whole: true, min: 1 }).optional().meta({
      description: 'Calls within `window` below which `failureRate` says nothing yet.',
      default: BUILT_IN.circuitBreaker.minimumCalls,
    }),
    openFor: duration.optional().meta({
      description:
        'How long it stays open before it lets trial calls through; doubled each time it opens again, up to ten times as long or five minutes.',
      default: formatDuration(BUILT_IN.circuitBreaker.openFor),
    }),
    successThreshold: numeric({ whole: true, min: 1 }).optional().meta({
      description: 'Good trial calls that close it.',
      default: BUILT_IN.circuitBreaker.successThreshold,
    }),
    trials: numeric({ whole: true, min: 1 })
      .optional()
      .meta({ description: 'Trial calls at once. Unset: as many as `successThreshold`.' }),
  })
  .meta({ id: 'circuitBreaker', description: 'Keeps calls away from a failing instance.' });

export const queue = z
  .strictObject({
    size: numeric({ whole: true, min: 0 }).optional().meta({
      description: 'Calls that may wait at once; 0: none.',
      default: BUILT_IN.queue.size,
    }),
    maxWait: duration.optional().meta({
      description: 'How long a call waits at the most.',
      default: formatDuration(BUILT_IN.queue.maxWait),
    }),
  })
  .meta({ id: 'queue', description: 'Where calls wait when every candidate is full.' });

/** What a breaker is for, where one stands. */
export const BREAKER = 'When to keep calls away from an instance.';
