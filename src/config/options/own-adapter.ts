import { z } from 'zod';
import { OPERATIONS, SERVICES, type Operation } from '../../service.ts';
import { baseUrl, flag, headerName, numeric, text, urlPath } from '../fields.ts';

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
    .array(z.enum(SERVICES))
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
export type AdapterExtension = z.output<typeof adapterDefinition>;
