import { z } from 'zod';
import type { Problem } from '../../config/problem.ts';
import { INSTANCE_STATES } from '../../gateway/directory.ts';
import type {
  CapturedCall,
  CatalogueEntry,
  InstanceDetail,
  InstanceStatus,
  News,
  RecentCall,
  Status,
} from '../../observe/status.ts';
import { OPERATIONS, SERVICES, type Operation } from '../../service.ts';

/**
 * What the API tells, as schemas: the compiler holds them to the types in `observe/status.ts`, which
 * explain the fields, and the tests hold every answer to them.
 */

const time = z.number().meta({ description: 'Milliseconds since the epoch.' });
const span = z.number().meta({ description: 'Milliseconds.' });
export const operation = z.enum(Object.keys(OPERATIONS) as [Operation, ...Operation[]]);
export const service = z.enum(SERVICES);
const state = z.enum(INSTANCE_STATES);
export const problem = z
  .object({
    file: z.string(),
    line: z.number().exactOptional(),
    column: z.number().exactOptional(),
    path: z.string(),
    message: z.string(),
  })
  .meta({ id: 'Problem' }) satisfies z.ZodType<Problem>;
const usage = z.object({ input: z.number(), output: z.number() });
const ending = z.enum(['ok', 'error', 'broken', 'aborted']);

const totals = z
  .object({
    calls: z.number(),
    ok: z.number(),
    failed: z.number().meta({ description: 'Ended with an error status.' }),
    broken: z.number().meta({ description: 'The client got a part and was told so.' }),
    aborted: z.number().meta({ description: 'The client left.' }),
    errors: z.record(z.string(), z.number()),
    tokensIn: z.number(),
    tokensOut: z.number(),
    tokensGuessed: z.number().meta({ description: 'Of streams that no backend counted.' }),
    bytesIn: z.number(),
    bytesOut: z.number(),
  })
  .meta({ id: 'Totals', description: 'Counts since the start.' });

const percentiles = z
  .object({ p50: span, p95: span, p99: span })
  .meta({ id: 'Percentiles', description: 'Within 5 %.' });

const recent = z
  .object({
    perSecond: z.array(z.number()).meta({ description: 'The last 60 seconds, oldest first.' }),
    errorShare: z.number().exactOptional().meta({ description: 'From 0 to 1.' }),
    errors: z.record(z.string(), z.number()).exactOptional(),
    duration: percentiles.exactOptional(),
    firstByte: percentiles.exactOptional(),
    tokensPerSecond: z.number(),
    tokensGuessed: z.boolean(),
  })
  .meta({ id: 'Recent', description: 'What was usual in the last minute.' });

const breaker = z
  .object({
    state: z.enum(['closed', 'open', 'half-open', 'forced-open', 'forced-closed']),
    since: time,
    triesAgainAt: time.exactOptional(),
    reason: z.string().exactOptional(),
  })
  .meta({ id: 'Breaker' });

const instanceFields = z.object({
  name: z.string(),
  adapter: z.string(),
  baseUrl: z.string(),
  state,
  stateDetail: z.string().exactOptional(),
  stateSince: time,
  nextLookAt: time.exactOptional(),
  version: z.string().exactOptional(),
  breaker,
  restsUntil: time.exactOptional(),
  inFlight: z.number(),
  maxConcurrency: z.number().exactOptional().meta({ description: 'Absent: no limit.' }),
  queued: z.number(),
  weight: z.number(),
  priority: z.number(),
  services: z.array(service),
  models: z.number(),
  loaded: z.array(z.string()).exactOptional(),
  connections: z.number(),
  totals,
  recent,
});

export const instance = instanceFields.meta({
  id: 'Instance',
}) satisfies z.ZodType<InstanceStatus>;

const catalogueEntry = z.object({
  id: z.string(),
  aliases: z.array(z.string()),
  services: z.array(service),
  loaded: z.boolean().exactOptional(),
  contextLength: z.number().exactOptional(),
}) satisfies z.ZodType<CatalogueEntry>;

export const instanceDetail = instanceFields
  .extend({
    catalogue: z.array(catalogueEntry),
    wildcards: z.array(z.string()),
    operations: z.array(operation),
    lastErrors: z.array(
      z.object({ at: time, call: z.string(), model: z.string(), message: z.string() }),
    ),
    histogram: z.array(z.object({ until: span, count: z.number() })),
    breakerHistory: z.array(breaker),
    config: z
      .record(z.string(), z.unknown())
      .meta({ description: 'In effect, with what is inherited; secrets are masked.' }),
  })
  .meta({ id: 'InstanceDetail' }) satisfies z.ZodType<InstanceDetail>;

export const status = z
  .object({
    version: z.string(),
    pid: z.number(),
    url: z.string(),
    startedAt: time,
    now: time,
    draining: z.boolean(),
    config: z.object({
      file: z.string().exactOptional(),
      version: z.number().meta({ description: 'Which entry of the history is applied.' }),
      appliedAt: time,
      error: z
        .object({ since: time, problems: z.array(z.string()) })
        .exactOptional()
        .meta({ description: 'The file on disk is not what is applied: it is invalid.' }),
      restartNeeded: z.array(z.string()),
    }),
    inFlight: z.number(),
    queued: z.number(),
    totals,
    recent,
    instances: z.array(instance),
    models: z.array(z.object({ model: z.string(), inFlight: z.number(), totals, recent })),
    running: z.array(
      z.object({
        id: z.string(),
        at: time,
        operation,
        client: z.string(),
        key: z.string().exactOptional(),
        model: z.string().exactOptional(),
        instance: z.string().exactOptional(),
        stream: z.boolean(),
        phase: z.enum(['reading', 'queued', 'connecting', 'waiting', 'answering']),
        attempts: z.number(),
        firstByte: span.exactOptional(),
        events: z.number(),
        bytesOut: z.number(),
      }),
    ),
  })
  .meta({ id: 'Status' }) satisfies z.ZodType<Status>;

const attempt = z
  .object({
    instance: z.string(),
    model: z.string(),
    why: z.string(),
    startedAfter: span,
    duration: span,
    firstByte: span.exactOptional(),
    status: z.number().exactOptional(),
    phase: z.enum(['connecting', 'waiting', 'answering', 'done']),
    ending,
    error: z.string().exactOptional(),
    errorKind: z.string().exactOptional(),
    events: z.number(),
    bytesIn: z.number(),
    bytesOut: z.number(),
    usage: usage.exactOptional(),
    tokensGuessed: z.number(),
  })
  .meta({ id: 'Attempt' });

export const call = z
  .object({
    seq: z.number(),
    id: z.string(),
    at: time,
    path: z.string(),
    operation,
    client: z.string(),
    key: z.string().exactOptional(),
    model: z.string().exactOptional(),
    instance: z.string().exactOptional(),
    upstreamModel: z.string().exactOptional(),
    ending,
    status: z.number().exactOptional(),
    error: z.string().exactOptional(),
    code: z.string().exactOptional(),
    errorKind: z.string().exactOptional(),
    limit: z.string().exactOptional(),
    traceId: z.string().exactOptional(),
    stream: z.boolean(),
    attempts: z.array(attempt),
    duration: span,
    waited: span,
    firstByte: span.exactOptional(),
    events: z.number(),
    bytesIn: z.number(),
    bytesOut: z.number(),
    usage: usage.exactOptional(),
    tokensGuessed: z.number(),
    captured: z.boolean(),
  })
  .meta({ id: 'Call' }) satisfies z.ZodType<RecentCall>;

const body = z
  .object({
    headers: z.record(z.string(), z.string()),
    bytes: z.number(),
    truncated: z.boolean(),
    text: z.string().exactOptional(),
    base64: z.string().exactOptional(),
  })
  .meta({ id: 'CapturedBody' });

export const capturedCall = call
  .extend({ request: body.exactOptional(), answer: body.exactOptional() })
  .meta({ id: 'CapturedCall' }) satisfies z.ZodType<CapturedCall>;

export const news = z
  .object({
    seq: z.number(),
    at: time,
    kind: z.enum(['server', 'config', 'instance', 'breaker', 'discovery']),
    level: z.enum(['info', 'warn', 'error']),
    instance: z.string().exactOptional(),
    message: z.string(),
    lines: z.array(z.string()).exactOptional(),
  })
  .meta({ id: 'News' }) satisfies z.ZodType<News>;
