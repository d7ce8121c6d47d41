import { z } from 'zod';
import type { InstanceDetail } from '../../observe/status.ts';
import type { Gateway } from '../gateway.ts';
import { outcomeOf, type Applied } from './config.ts';
import { instanceOf, oneInstance } from './instances.ts';

export const instancePatch = z
  .strictObject({
    enabled: z.boolean().optional().meta({ description: 'For the moment.' }),
    draining: z.boolean().optional().meta({
      description: 'For the moment: no new calls, those that run go on.',
    }),
    weight: z.number().positive('must be above 0').optional().meta({
      description: 'Written into the config.',
    }),
    maxConcurrency: z.number().int().min(1, 'must be 1 or more').nullable().optional().meta({
      description: 'Written into the config; `null` takes it out.',
    }),
  })
  .refine((patch) => Object.keys(patch).length > 0, 'must say what is to be changed');

export const newInstance = z.looseObject({
  name: z.string().min(1, 'must not be empty').meta({ description: 'Its key in `instances`.' }),
  adapter: z.string().meta({ description: 'Beside it, all that may stand in an instance.' }),
});

/**
 * What is configuration is written into the file, and comes back in from there; the rest is an order of
 * the moment.
 * @throws HttpError `instance_not_found` (404), `invalid_config` (422); EditError.
 */
export async function patchInstance(
  gateway: Gateway,
  name: string,
  { enabled, draining, ...options }: z.output<typeof instancePatch>,
): Promise<InstanceDetail> {
  instanceOf(gateway, name);
  if (Object.keys(options).length > 0) {
    outcomeOf(await gateway.live.edits.patchInstance(name, options));
  }
  instanceOf(gateway, name).order({ enabled, draining });
  return oneInstance(gateway, name);
}

/** @throws HttpError `invalid_config` (422); EditError. */
export async function addInstance(
  gateway: Gateway,
  { name, ...options }: z.output<typeof newInstance>,
): Promise<InstanceDetail> {
  outcomeOf(await gateway.live.edits.addInstance(name, options));
  return oneInstance(gateway, name);
}

/** @throws HttpError `instance_not_found` (404), `invalid_config` (422); EditError. */
export async function removeInstance(gateway: Gateway, name: string): Promise<Applied> {
  instanceOf(gateway, name);
  return outcomeOf(await gateway.live.edits.removeInstance(name));
}
