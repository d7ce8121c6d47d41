import { z } from 'zod';
import { SERVICES } from '../service.ts';
import { flag, text } from './fields.ts';
import { instances } from './options/instance.ts';
import { capture, telemetry } from './options/observing.ts';
import { adapterDefinition } from './options/own-adapter.ts';
import { rateLimit } from './options/protection.ts';
import { server } from './options/server.ts';
import { defaults, serviceBlock } from './options/service.ts';

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

/**
 * The whole configuration, as one schema: the types, the JSON Schema that editors use and the
 * option list of the docs all come from here. Blocks that layer (`defaults` < service < instance)
 * have no default of their own here; `BUILT_IN` is the lowest layer, and only named beside them.
 */
export const schema = z
  .strictObject({
    $schema: z.string().optional().meta({ description: 'Where editors find the JSON Schema.' }),
    server: server.prefault({}).meta({ description: 'The endpoint that your tools talk to.' }),
    defaults: defaults
      .prefault({})
      .meta({ description: 'What holds where a service or an instance says nothing else.' }),
    services: z
      .partialRecord(z.enum(SERVICES), serviceBlock)
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
