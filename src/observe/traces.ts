import type * as Api from '@opentelemetry/api';
import type * as Otlp from '@opentelemetry/exporter-trace-otlp-http';
import type * as Resources from '@opentelemetry/resources';
import type * as Sdk from '@opentelemetry/sdk-trace-base';
import type { IncomingHttpHeaders } from 'node:http';
import type { TraceSettings } from '../config/settings.ts';
import type { Outcome } from './outcome.ts';
import { spansOf, type Scheme, type Span } from './spans.ts';
import { openTrace, type Trace } from './trace-context.ts';

type Packages = [typeof Api, typeof Sdk, typeof Resources, typeof Otlp];

/** What traces are made with; nobody has to install it who has none. */
const PACKAGES = [
  '@opentelemetry/api',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/resources',
  '@opentelemetry/exporter-trace-otlp-http',
] as const;

/** Milliseconds that the last spans have to be delivered at the end. */
const LAST_WORDS = 2000;

/** Tells OpenTelemetry of calls. */
export interface Traces {
  readonly settings: TraceSettings;
  /** Gives a call its place in a trace. */
  open(headers: IncomingHttpHeaders): Trace;
  /** Takes the record of a call that is over. */
  record(outcome: Outcome): void;
  /** Delivers what is left, as far as that goes quickly. */
  close(): Promise<void>;
}

interface TracesOptions {
  /** Goes with everything that is told. */
  readonly version: string;
  /** What the server is reached by. */
  readonly scheme: () => Scheme;
  /** Deliveries fail; called again only after they have worked meanwhile. */
  readonly onFailure: (reason: string) => void;
  /** Imports a package. */
  readonly load?: (name: string) => Promise<unknown>;
}

/**
 * Loads OpenTelemetry and opens the way to the collector.
 * @throws MissingPackages
 */
export async function openTraces(
  settings: TraceSettings,
  { version, scheme, onFailure, load = (name) => import(name) }: TracesOptions,
): Promise<Traces> {
  const [api, sdk, resources, { OTLPTraceExporter }] = await loadAll(load);
  const exporter = new OTLPTraceExporter({
    ...(settings.endpoint !== undefined && { url: tracesUrl(settings.endpoint) }),
    headers: settings.headers,
  });
  let failing = false;
  const provider = new sdk.BasicTracerProvider({
    resource: resourceOf(settings, version, resources),
    // Who is sampled is decided as a call comes in, since its backend has to be told.
    sampler: new sdk.AlwaysOnSampler(),
    idGenerator: {
      generateTraceId: () => next.traceId,
      generateSpanId: () => next.spanId,
    },
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        export(spans, done) {
          exporter.export(spans, (result) => {
            const failed = result.error !== undefined;
            if (failed && !failing) onFailure(result.error?.message ?? 'no reason was given');
            failing = failed;
            done(result);
          });
        },
        shutdown: () => exporter.shutdown(),
        forceFlush: () => exporter.forceFlush(),
      }),
    ],
  });
  const tracer = provider.getTracer('jairouter', version);
  /** The ids of the span that is started now: they went to the backend long ago. */
  let next = { traceId: '', spanId: '' };

  const tell = (span: Span, traceId: string): void => {
    const { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } = api;
    const { name, spanId, parentId, error, firstByte } = span;
    const parent = parentId && { traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED };
    next = { traceId, spanId };
    const told = tracer.startSpan(
      name,
      {
        kind: span.kind === 'server' ? SpanKind.SERVER : SpanKind.CLIENT,
        startTime: hrTime(span.start),
        attributes: { ...span.attributes },
      },
      parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT,
    );
    if (firstByte !== undefined) told.addEvent('first byte', hrTime(firstByte));
    if (error !== undefined) told.setStatus({ code: SpanStatusCode.ERROR, message: error });
    told.end(hrTime(span.end));
  };

  return {
    settings,
    open: ({ traceparent }) => openTrace(traceparent, settings.sampleRatio, Math.random),
    record(outcome) {
      for (const span of spansOf(outcome, scheme())) tell(span, outcome.trace!.traceId);
    },
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, LAST_WORDS);
      });
      // What could not be delivered has been told by `onFailure`.
      await Promise.race([provider.shutdown().catch(() => {}), late]);
      clearTimeout(timer);
    },
  };
}

/** Traces are wanted, and what they are made with is not installed. */
export class MissingPackages extends Error {
  constructor() {
    super(
      `telemetry.traces needs packages that are not installed beside jairouter: npm install ${PACKAGES.join(' ')} (with -g when jairouter is installed so)`,
    );
    this.name = 'MissingPackages';
  }
}

async function loadAll(load: (name: string) => Promise<unknown>): Promise<Packages> {
  try {
    return (await Promise.all(PACKAGES.map(load))) as Packages;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND')
      throw new MissingPackages();
    throw error;
  }
}

/** Who tells: by what is built in, then the usual variables, then the config. */
function resourceOf(
  { serviceName }: TraceSettings,
  version: string,
  { defaultResource, detectResources, envDetector, resourceFromAttributes }: typeof Resources,
): Resources.Resource {
  return defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'jairouter', 'service.version': version }))
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(
      resourceFromAttributes(serviceName === undefined ? {} : { 'service.name': serviceName }),
    );
}

/** Collectors are named by their address; whoever names a path means it. */
function tracesUrl(endpoint: string): string {
  const url = new URL(endpoint);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return url.href;
}

/** Seconds and nanoseconds: as a plain number, OpenTelemetry would take small times for others. */
function hrTime(milliseconds: number): [number, number] {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)];
}
