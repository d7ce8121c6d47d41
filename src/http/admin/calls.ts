import { z } from 'zod';
import { hideSecrets, secretsOf } from '../../observe/secrets.ts';
import type { CapturedCall, RecentCall } from '../../observe/status.ts';
import { gatewayError } from '../errors.ts';
import type { Gateway } from '../gateway.ts';
import { flag, whole } from './fields.ts';
import { call } from './schemas.ts';

export const callsQuery = z.strictObject({
  limit: whole({ min: 1, max: 1000 }).optional().meta({ description: 'Absent: 100.' }),
  errors: flag.optional().meta({ description: 'Only those that failed or broke off.' }),
  model: z.string().optional().meta({ description: 'Only those for it, as clients ask for it.' }),
  instance: z.string().optional().meta({ description: 'Only those with an attempt on it.' }),
});

export const calls = z.array(call);
export const callId = z.object({ id: z.string() });

/** The latest first. */
export function recentCalls(
  { observe }: Gateway,
  { limit = 100, ...filter }: z.output<typeof callsQuery>,
): RecentCall[] {
  return observe.recent({ limit, ...filter });
}

/** @throws HttpError `call_not_found` (404). */
export function oneCall({ observe, snapshot }: Gateway, id: string): CapturedCall {
  const secrets = secretsOf(snapshot.config);
  const found = observe.call(id, (text) => hideSecrets(text, secrets));
  if (found) return found;
  throw gatewayError(
    'call_not_found',
    `No call "${id}" is kept: it is running still, or the last 1,000 do not reach back to it.`,
    { param: 'id' },
  );
}
