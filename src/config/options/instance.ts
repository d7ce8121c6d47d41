import { z } from 'zod';
import type { Adapter } from '../../adapters/adapter.ts';
import { ADAPTERS } from '../../adapters/index.ts';
import { SERVICES } from '../../service.ts';
import { address, baseUrl, flag, numeric, text } from '../fields.ts';
import { BREAKER, circuitBreaker, health, rateLimit, timeouts } from './protection.ts';

const tls = z.strictObject({
  ca: text.optional().meta({
    description:
      "A PEM file with the authority that signed the backend's certificate; a path from the config file's folder.",
  }),
  rejectUnauthorized: flag.prefault(true).meta({
    description: "Whether a certificate that can't be verified ends the connection.",
  }),
});

const warmers = Object.values<Adapter>(ADAPTERS)
  .filter((adapter) => 'warm' in adapter)
  .map(({ name }) => name);

const instance = z
  .strictObject({
    adapter: text.meta({
      description: `What kind of backend it is: ${Object.keys(ADAPTERS).join(', ')}, or one of \`adapters\`.`,
    }),
    baseUrl: baseUrl.optional().meta({
      description:
        'Its address, with or without a trailing `/v1`. May be left out where the adapter has one of its own.',
    }),
    enabled: flag
      .prefault(true)
      .meta({ description: 'Whether it serves at all. A disabled instance is not probed either.' }),
    weight: numeric({ above: 0 })
      .prefault(1)
      .meta({ description: 'Its share of the work, relative to the other instances.' }),
    priority: numeric({ whole: true, min: 0 }).prefault(0).meta({
      description: 'Its tier: lower first; a higher one serves only when no lower one can.',
    }),
    apiKey: text.optional().meta({
      description: 'The key the backend wants. Write `${VARIABLE}` rather than the key itself.',
    }),
    headers: z
      .record(z.string(), z.string())
      .default({})
      .meta({ description: 'Headers sent with every request to it.' }),
    services: z
      .array(z.enum(SERVICES))
      .min(1)
      .optional()
      .meta({ description: 'The services it may be used for. Unset: all that its adapter can.' }),
    models: z.array(text).min(1).optional().meta({
      description:
        'The models it serves; `*` stands for any run of characters. Unset: the backend is asked.',
    }),
    timeouts: timeouts.optional().meta({ description: 'Time limits of attempts on it.' }),
    health: health.optional().meta({ description: 'Its probes.' }),
    tls: tls.optional().meta({ description: 'How its certificate is checked.' }),
    proxy: address.optional().meta({
      description: 'An HTTP proxy on the way to it. Unset: HTTP(S)_PROXY and NO_PROXY decide.',
    }),
    paid: flag.optional().meta({
      description:
        'Whether calls cost money, so that none is made twice (`hedge`). Unset: true for clouds.',
    }),
    warm: z
      .array(text)
      .min(1)
      .optional()
      .meta({
        description: `Models to load as soon as it is reached, for adapters that can: ${warmers.join(', ')}.`,
      }),
    ollama: z
      .strictObject({
        numCtx: z.union([z.literal('auto'), numeric({ whole: true, min: 1 })]).meta({
          description:
            'The context that its models are loaded with, in tokens; `auto`: as much as the prompts need.',
        }),
      })
      .optional()
      .meta({ description: 'For the ollama adapter.' }),
    repairToolCalls: flag.optional().meta({
      description:
        'Whether tool calls are put right that its models write as text, or with broken JSON, without ids or in a wrong shape.',
      default: false,
    }),
    azure: z
      .strictObject({
        api: z.enum(['deployments', 'v1']).prefault('deployments').meta({
          description:
            'Which of its two APIs is called: that with a path for each deployment and an `api-version`, or the newer `/openai/v1`.',
        }),
        apiVersion: text.optional().meta({
          description: 'The `api-version` of the former. Unset: `2024-10-21`.',
        }),
        deployments: z.record(text, text).prefault({}).meta({
          description:
            'Deployments by the names that clients call them. Unset: a model is deployed under its own name.',
        }),
      })
      .optional()
      .meta({ description: 'For the azure adapter.' }),
    rerank: z
      .strictObject({
        score: z.enum(['raw', 'sigmoid']).prefault('raw').meta({
          description:
            'Scores as they come, or through the sigmoid function, for backends that give raw logits (llamacpp) beside others that give 0 to 1.',
        }),
      })
      .optional()
      .meta({ description: 'How its rerank answers are read.' }),
    maxConcurrency: numeric({ whole: true, min: 1 })
      .optional()
      .meta({ description: 'Attempts on it at one time.' }),
    rateLimit: rateLimit.optional().meta({
      description: 'A limit on attempts on it. While it is reached, other instances are asked.',
    }),
    circuitBreaker: circuitBreaker.optional().meta({ description: BREAKER }),
  })
  .meta({ id: 'instance', description: 'One running backend.' });

/** Visible ASCII but the slash: names stand in response headers, and before a slash in targets. */
const INSTANCE_NAME = /^[!-.0-~]+$/;

/**
 * The names are a check on the whole: with a schema for its keys, a record would not look at what
 * stands under a wrong one, and its mistakes would only show after the name is mended.
 */
export const instances = z
  .record(z.string(), instance)
  .superRefine(
    (named, ctx) => {
      for (const name of Object.keys(named)) {
        if (INSTANCE_NAME.test(name)) continue;
        const message =
          'must have only plain letters, digits and signs such as - _ . (no slash, no space)';
        const issues = [{ code: 'custom' as const, message, path: [] }];
        ctx.addIssue({ code: 'invalid_key', origin: 'record', path: [name], issues });
      }
    },
    // Also when something else in it is wrong.
    { when: ({ value }) => typeof value === 'object' && value !== null },
  )
  .meta({ propertyNames: { type: 'string', pattern: INSTANCE_NAME.source } });
