import { ADAPTERS } from '../adapters/index.ts';
import { select, type Rejection } from '../gateway/candidates.ts';
import type { Directory } from '../gateway/directory.ts';
import { retryAfterSeconds } from '../gateway/protect/limit-headers.ts';
import { nearestModels } from '../gateway/resolve.ts';
import type { Alias } from '../gateway/snapshot.ts';
import { serviceOf, type Operation } from '../service.ts';
import { gatewayError, type HttpError } from './errors.ts';

/** Nobody offers the service at all. */
export function unsupportedService(operation: Operation, model: string | undefined): HttpError {
  const service = serviceOf(operation);
  const able = Object.values(ADAPTERS)
    .filter((adapter) => operation in adapter.operations)
    .map((adapter) => adapter.name);
  const wanted = service === operation ? service : `${service} (${operation})`;
  const who = model === undefined ? 'No instance' : `No instance that has "${model}"`;
  return gatewayError(
    'unsupported_service',
    `${who} offers ${wanted}. Adapters that can: ${able.join(', ')}.`,
    { param: 'model' },
  );
}

export function missingModel(operation: Operation): HttpError {
  const service = serviceOf(operation);
  return gatewayError(
    'missing_model',
    `The request names no "model", and services.${service}.defaultModel is not set. GET /v1/models lists what there is.`,
    { param: 'model' },
  );
}

export function unknownModel(
  model: string,
  aliases: ReadonlyMap<string, Alias>,
  directory: Directory,
  now: number,
): HttpError {
  // Who was never reached may well have it: that is no 404.
  const silent = [...directory.instances.values()].filter(
    (instance) => !instance.catalogue.known && instance.state === 'unhealthy',
  );
  if (silent.length > 0) {
    const targets = silent.map((instance) => ({ instance, model, entry: undefined }));
    const options = { operation: 'chat', tried: new Set<string>(), now } as const;
    return noInstance(model, select(targets, options).rejections, now);
  }
  const near = nearestModels(model, aliases, directory);
  const hint =
    near.length > 0
      ? `Did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`
      : 'GET /v1/models lists what there is.';
  return gatewayError('model_not_found', `No instance has a model "${model}". ${hint}`, {
    param: 'model',
  });
}

/** There are instances for it, and none can serve now. */
export function noInstance(
  model: string,
  rejections: readonly Rejection[],
  now: number,
): HttpError {
  const clauses = rejections.map(({ instance, reason }) => `${instance} ${reason}`);
  const soonest = Math.min(...rejections.map(({ until }) => until ?? Infinity));
  return gatewayError(
    'no_instance_available',
    clauses.length > 0
      ? `No instance can serve "${model}" right now: ${clauses.join('; ')}. Start one of them, or see that baseUrl and apiKey are right.`
      : `No instance can serve "${model}": its targets are not configured.`,
    soonest === Infinity ? {} : { headers: { 'retry-after': retryAfterSeconds(soonest - now) } },
  );
}

/** No new calls, and no further waits. */
export function shuttingDown(): HttpError {
  return gatewayError('shutting_down', 'jairouter is shutting down; try again in a moment.', {
    headers: { connection: 'close', 'retry-after': '1' },
  });
}
