import { z } from 'zod';
import type { Adapter } from '../adapters/adapter.ts';
import { ADAPTERS } from '../adapters/index.ts';
import { OPERATIONS, SERVICES, type Operation } from '../service.ts';
import {
  address,
  baseUrl,
  duration,
  flag,
  headerName,
  host,
  numeric,
  rate,
  size,
  text,
  urlPath,
} from './fields.ts';
import { BUILT_IN, CAPTURE, TRACES, type CaptureSettings, type TraceSettings } from './settings.ts';
import { formatDuration } from './units.ts';

/**
 * The whole configuration, as one schema: the types, the JSON Schema that editors use and the
 * option list of the docs all come from here. Blocks that layer (`defaults` < service < instance)
 * have no default of their own here; `BUILT_IN` is the lowest layer, and only named beside them.
 */

export const STRATEGIES = [
  'random',
  'round-robin',
  'least-connections',
  'ip-hash',
  'consistent-hash',
  'latency',
] as const;
const strategy = z.enum(STRATEGIES);
const service = z.enum(SERVICES);

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

const timeouts = z
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

const retry = z
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

const health = z
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

const rateLimit = z
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

const circuitBreaker = z
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

const queue = z
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

const unsupported = z.enum(['drop', 'reject']);
const UNSUPPORTED =
  'What becomes of the parts of a call that a backend of another dialect has no words for: `drop` leaves them out and names them in the header `x-jairouter-dropped`, `reject` refuses such a call.';

const BREAKER = 'When to keep calls away from an instance.';

const serviceBlock = z
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

const defaults = z.strictObject({
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
      .array(service)
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

const operation = z.enum(Object.keys(OPERATIONS) as [Operation, ...Operation[]]);

/** An adapter of one's own without code. */
export const adapterDefinition = z.strictObject({
  extends: text.meta({ description: 'The adapter that it does as, but for what stands beside.' }),
  baseUrl: baseUrl
    .optional()
    .meta({ description: 'The address of instances that have none of their own.' }),
  cloud: flag
    .optional()
    .meta({ description: 'Whether it is a service that is paid by use, and so probed rarely.' }),
  ports: z
    .array(numeric({ whole: true, min: 1, max: 65_535 }))
    .min(1)
    .optional()
    .meta({
      description:
        'Where it listens; without a `baseUrl`, the first one on this machine is the address of instances that have none.',
    }),
  services: z
    .array(service)
    .min(1)
    .optional()
    .meta({ description: 'The services it can. Unset: those of the adapter it extends.' }),
  without: z
    .array(operation)
    .min(1)
    .optional()
    .meta({ description: 'Single operations of its services that it does not have.' }),
  prefix: z
    .string()
    .regex(/^(\/\S+)?$/, 'must be empty, or a path like /api/v2')
    .optional()
    .meta({ description: 'What stands in the place of the `/v1` that paths begin with.' }),
  paths: z
    .partialRecord(z.enum([...operation.options, 'models']), urlPath)
    .optional()
    .meta({
      description:
        'Paths below `baseUrl` that differ in more than that, by operation; `models` is where it lists its own.',
    }),
  auth: z
    .strictObject({
      header: headerName.meta({ description: 'The header that carries the key.' }),
      scheme: text.optional().meta({ description: 'A word before the key, such as `Token`.' }),
    })
    .optional()
    .meta({ description: 'How it takes its key. Unset: as the adapter it extends.' }),
  models: z
    .array(text)
    .min(1)
    .optional()
    .meta({ description: 'The models of a backend that can list none. Unset: it is asked.' }),
});

const model = z
  .strictObject({
    targets: z
      .array(z.string().regex(/^[^/\s]+\/.+$/, 'must be INSTANCE/MODEL'))
      .min(1)
      .meta({ description: 'What the name stands for: one or more `INSTANCE/MODEL`.' }),
    fallback: z.array(text).default([]).meta({
      description: 'Model names that are tried in this order when no target can serve.',
    }),
    sameEmbeddings: flag.optional().meta({
      description:
        'That its targets and fallbacks are one embedding model, although their names differ.',
    }),
    rateLimit: rateLimit.optional().meta({ description: 'A limit on calls for this name.' }),
  })
  .meta({ id: 'model', description: 'A model name of your own.' });

const apiKey = z.strictObject({
  name: text.meta({ description: 'Whose key it is; shown instead of the key.' }),
  key: text.meta({ description: 'The key. Write `${VARIABLE}` rather than the key itself.' }),
  models: z
    .array(text)
    .default(['*'])
    .meta({ description: 'The models it may use; `*` stands for any run of characters.' }),
  rateLimit: rateLimit.optional().meta({ description: "A limit on this key's calls." }),
});

const server = z.strictObject({
  host: host.prefault('127.0.0.1').meta({
    description:
      'The address to listen on. Any but a loopback address needs `apiKeys`, or `--insecure`.',
  }),
  port: numeric({ whole: true, min: 0, max: 65_535 })
    .prefault(4747)
    .meta({ description: 'The port to listen on; 0 takes any free one.' }),
  apiKeys: z.array(apiKey).prefault([]).meta({
    description: 'The keys that clients must show. None: open, which is for loopback only.',
  }),
  allowedHosts: z
    .array(z.string().regex(/^[^/\s]+$/, 'must be a host name, without http:// and path'))
    .default([])
    .meta({
      description:
        'Further `Host` names that are answered while no API key is set; loopback names always are.',
    }),
  cors: z
    .strictObject({
      origins: z
        .array(
          z
            .string()
            .regex(
              /^(\*|null|[a-z][a-z0-9+.-]*:\/\/[^/\s]+)$/i,
              'must be an origin like http://localhost:3000, without a path',
            ),
        )
        .default([])
        .meta({
          description:
            'Browser origins that may call; `*` stands for any run of characters. None: no browser page may.',
        }),
    })
    .prefault({})
    .meta({ description: 'What browser pages may do.' }),
  maxBodySize: size
    .prefault('100mb')
    .meta({ description: 'Larger request bodies are refused with 413.' }),
  adminToken: text.optional().meta({
    description:
      "A fixed token for `/admin`, beside each run's own. Write `${VARIABLE}` rather than the token itself.",
  }),
});

const capture = z
  .union([
    flag.transform((on): CaptureSettings | undefined => (on ? CAPTURE : undefined)),
    z
      .strictObject({
        calls: numeric({ whole: true, min: 0, max: 1000 }).prefault(CAPTURE.calls).meta({
          description: 'The latest so many calls whose bodies are kept in memory.',
        }),
        maxBytes: size
          .prefault(`${CAPTURE.maxBytes / 1000}kb`)
          .meta({ description: 'What is kept of each body in memory; the rest is left out.' }),
        dir: text.optional().meta({
          description:
            'A folder in which each call and its answer are written as a file, from the config’s own folder. Unset: none are.',
        }),
        maxFileBytes: size.prefault(`${CAPTURE.maxFileBytes / 1_000_000}mb`).meta({
          description: 'What is written of each body into its file; a longer one is marked as cut.',
        }),
      })
      .transform(({ dir, ...kept }): CaptureSettings => ({ ...kept, dir })),
  ])
  .meta({ description: '`true`, or a block with how much is kept, and where.' });

const traces = z
  .union([
    flag.transform((on): TraceSettings | undefined => (on ? TRACES : undefined)),
    z
      .strictObject({
        endpoint: address.optional().meta({
          description:
            "The collector's address, for OTLP over HTTP; without a path, /v1/traces. Unset: OTEL_EXPORTER_OTLP_ENDPOINT, else http://localhost:4318.",
        }),
        headers: z.record(z.string(), z.string()).default({}).meta({
          description: 'Headers sent to the collector.',
        }),
        sampleRatio: numeric({ min: 0, max: 1 }).prefault(TRACES.sampleRatio).meta({
          description:
            "The share of calls that is told; a client's own trace decides for its calls.",
        }),
        serviceName: text.optional().meta({
          description: 'What the server is called. Unset: OTEL_SERVICE_NAME, else jairouter.',
        }),
      })
      .transform(({ endpoint, headers, sampleRatio, serviceName }): TraceSettings => ({
        endpoint,
        headers,
        sampleRatio,
        serviceName,
      })),
  ])
  .meta({ description: '`true`, or a block with where they go.' });

const telemetry = z.strictObject({
  traces: traces.optional().meta({
    description: 'Tells OpenTelemetry of each call and its attempts. Unset: nobody is told.',
  }),
});

/** Visible ASCII but the slash: names stand in response headers, and before a slash in targets. */
const INSTANCE_NAME = /^[!-.0-~]+$/;

/**
 * The names are a check on the whole: with a schema for its keys, a record would not look at what
 * stands under a wrong one, and its mistakes would only show after the name is mended.
 */
const instances = z
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

export const schema = z
  .strictObject({
    $schema: z.string().optional().meta({ description: 'Where editors find the JSON Schema.' }),
    server: server.prefault({}).meta({ description: 'The endpoint that your tools talk to.' }),
    defaults: defaults
      .prefault({})
      .meta({ description: 'What holds where a service or an instance says nothing else.' }),
    services: z
      .partialRecord(service, serviceBlock)
      .prefault({})
      .meta({ description: 'What holds for one kind of work, by its name.' }),
    instances: instances
      .prefault({})
      .meta({ description: 'Your backends, each under a name of your choice.' }),
    models: z
      .record(text, model)
      .prefault({})
      .meta({ description: 'Model names of your own, and what they stand for.' }),
    adapters: z
      .record(text, z.union([text, adapterDefinition]))
      .prefault({})
      .meta({
        description:
          'Adapters of your own, by name: the path of a module, or what one has other than another.',
      }),
    rateLimit: rateLimit.optional().meta({ description: 'A limit on all calls together.' }),
    capture: capture
      .optional()
      .meta({ description: 'Keeps the bodies of calls, to look at and to replay. Unset: none.' }),
    telemetry: telemetry.prefault({}).meta({ description: 'What is told to others of the calls.' }),
  })
  .meta({ title: 'jairouter configuration' });

/** A config file as its author writes it. */
export type ConfigInput = z.input<typeof schema>;
/** A valid config with units read and defaults filled in; inheritance is resolved by `settings.ts`. */
export type Config = z.output<typeof schema>;
export type AdapterExtension = z.output<typeof adapterDefinition>;
export type Strategy = (typeof STRATEGIES)[number];
