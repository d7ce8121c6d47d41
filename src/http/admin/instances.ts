import { z } from 'zod';
import type { Instance } from '../../instances/instance.ts';
import type { InstanceDetail } from '../../observe/status.ts';
import { gatewayError } from '../errors.ts';
import type { Gateway } from '../gateway.ts';
import { readInstance } from '../instance-status.ts';

export const instanceName = z.object({ name: z.string() });

export const breakerOrder = z.strictObject({
  action: z.enum(['open', 'close', 'reset']).meta({
    description: '`open` and `close` hold, whatever calls do, until `reset`.',
  }),
});
type BreakerOrder = z.output<typeof breakerOrder>;

/** @throws HttpError `instance_not_found` (404). */
export function oneInstance(gateway: Gateway, name: string): InstanceDetail {
  return readInstance(gateway, name) ?? notFound(gateway, name);
}

/** Gives an order to an instance's circuit breaker. @throws HttpError `instance_not_found` (404). */
export function orderBreaker(
  gateway: Gateway,
  name: string,
  { action }: BreakerOrder,
): InstanceDetail {
  const { breaker, cooling } = instanceOf(gateway, name);
  const now = performance.now();
  if (action === 'reset') {
    breaker.reset(now);
    cooling.reset();
  } else breaker.force(action === 'open' ? 'open' : 'closed', now);
  gateway.fleet.queue.reconsider();
  return oneInstance(gateway, name);
}

/** @throws HttpError `instance_not_found` (404). */
export function instanceOf(gateway: Gateway, name: string): Instance {
  return gateway.fleet.directory.instances.get(name) ?? notFound(gateway, name);
}

function notFound({ fleet }: Gateway, name: string): never {
  const names = [...fleet.directory.instances.keys()];
  const known = names.length > 0 ? `there are ${names.join(', ')}` : 'there is none';
  throw gatewayError('instance_not_found', `There is no instance "${name}": ${known}.`, {
    param: 'name',
  });
}
