import { z } from 'zod';
import { address, flag, numeric, size, text } from '../fields.ts';
import { CAPTURE, TRACES, type CaptureSettings, type TraceSettings } from '../settings.ts';

export const capture = z
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

export const telemetry = z.strictObject({
  traces: traces.optional().meta({
    description: 'Tells OpenTelemetry of each call and its attempts. Unset: nobody is told.',
  }),
});
