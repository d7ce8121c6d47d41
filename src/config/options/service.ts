import { z } from 'zod';
import { duration, flag, text } from '../fields.ts';
import { BUILT_IN } from '../settings.ts';
import {
  BREAKER,
  circuitBreaker,
  health,
  queue,
  rateLimit,
  retry,
  timeouts,
} from './protection.ts';

export const STRATEGIES = [
  'random',
  'round-robin',
  'least-connections',
  'ip-hash',
  'consistent-hash',
  'latency',
] as const;
export type Strategy = (typeof STRATEGIES)[number];
const strategy = z.enum(STRATEGIES);

const loadBalance = z
  .union([
    strategy.transform((name) => ({ strategy: name })),
    z.strictObject({
      strategy: strategy.optional().meta({
        description: 'How to choose among the candidates of one call.',
        default: BUILT_IN.loadBalance.strategy,
      }),
      preferLoaded: flag.optional().meta({
        description: 'Among the candidates, those first that have the model in memory.',
        default: BUILT_IN.loadBalance.preferLoaded,
      }),
      key: z
        .string()
        .regex(
          /^(prefix|user|api-key|header:[\w-]+)$/,
          'must be prefix, user, api-key or header:NAME',
        )
        .optional()
        .meta({
          description:
            "What `consistent-hash` hashes: the conversation's `prefix`, the request's `user` field, the client's `api-key`, or a request header (`header:NAME`).",
          default: BUILT_IN.loadBalance.key,
        }),
    }),
  ])
  .meta({ id: 'loadBalance', description: 'A strategy by name, or a block with its details.' });

const unsupported = z.enum(['drop', 'reject']);
const UNSUPPORTED =
  'What becomes of the parts of a call that a backend of another dialect has no words for: `drop` leaves them out and names them in the header `x-jairouter-dropped`, `reject` refuses such a call.';

export const serviceBlock = z
  .strictObject({
    loadBalance: loadBalance
      .optional()
      .meta({ description: 'How calls of this service are spread.' }),
    timeouts: timeouts.optional().meta({ description: 'Time limits of calls of this service.' }),
    retry: retry.optional().meta({ description: 'Retries of calls of this service.' }),
    hedge: z
      .strictObject({
        after: z.union([z.literal('p95'), duration]).meta({
          description:
            'How late the first byte must be: a duration, or `p95`, what 19 of 20 answers of the instance keep.',
        }),
      })
      .optional()
      .meta({
        description:
          'A second attempt on another, idle instance when the first byte is late; the first to answer wins. Unset: none.',
      }),
    keepAlive: duration.optional().meta({
      description:
        'While a stream waits for its first event, an SSE comment is sent this often, so that nothing on the way gives up; errors then come as events. Unset: nothing is sent.',
    }),
    defaultModel: text
      .optional()
      .meta({ description: 'The model of calls that name none. Unset: such calls are refused.' }),
    unsupported: unsupported
      .optional()
      .meta({ description: UNSUPPORTED, default: BUILT_IN.unsupported }),
    rateLimit: rateLimit.optional().meta({ description: "A limit on this service's calls." }),
    queue: queue.optional().meta({ description: 'Where calls of this service wait.' }),
  })
  .meta({ id: 'service', description: 'What holds for one service.' });

export const defaults = z.strictObject({
  loadBalance: loadBalance
    .optional()
    .meta({ description: 'How calls are spread over the candidates.' }),
  timeouts: timeouts.optional().meta({ description: 'Time limits of attempts.' }),
  retry: retry.optional().meta({ description: 'Retries of calls.' }),
  health: health.optional().meta({ description: 'Probes of the instances.' }),
  rateLimit: rateLimit.optional().meta({
    description: "A limit on each service's calls, where the service sets none of its own.",
  }),
  circuitBreaker: circuitBreaker.optional().meta({ description: BREAKER }),
  queue: queue.optional().meta({ description: 'Where calls of each service wait.' }),
  unsupported: unsupported
    .optional()
    .meta({ description: UNSUPPORTED, default: BUILT_IN.unsupported }),
});
