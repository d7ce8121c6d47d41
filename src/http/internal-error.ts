import { gatewayError, HttpError } from './errors.ts';
import type { Gateway } from './gateway.ts';

/** What was thrown, as an answer. A bug tells the client that it is ours, and the log the rest. */
export function asHttpError(gateway: Gateway, thrown: unknown): HttpError {
  if (thrown instanceof HttpError) return thrown;
  const detail = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  gateway.log.say('error', `a bug in jairouter: ${detail}`);
  return gatewayError(
    'internal_error',
    'jairouter failed on this call; its log has the details. Please report it.',
  );
}
