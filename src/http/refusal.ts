import { ADAPTERS } from '../adapters/index.ts';
import { select, type Rejection } from '../gateway/candidates.ts';
import type { Directory } from '../gateway/directory.ts';
import type { Refusal } from '../gateway/protect/admit.ts';
import { retryAfterSeconds } from '../gateway/protect/limit-headers.ts';
import { nearestModels } from '../gateway/resolve.ts';
import type { Alias } from '../gateway/snapshot.ts';
import { serviceOf, type Operation } from '../service.ts';
import type { ApiKey } from './auth.ts';
import { gatewayError, type HttpError } from './errors.ts';
import { answeredAbout } from './local-answers.ts';

/** What a call asks for. */
interface Wanted {
  readonly model: string;
  readonly operation: Operation;
}

/** The call names no model, and nothing stands in for it. */
export function missingModel(operation: Operation, directory: Directory): HttpError {
  if (!isOffered(operation, directory)) return unsupportedService(operation, undefined);
  const service = serviceOf(operation);
  return gatewayError(
    'missing_model',
    `The request names no "model", and services.${service}.defaultModel is not set. GET /v1/models lists what there is.`,
    { param: 'model' },
  );
}

export function notAllowed(key: ApiKey, model: string): HttpError {
  return gatewayError(
    'model_not_allowed',
    `The API key "${key.name}" may not use the model "${model}": it is for ${key.models.join(', ')}.`,
    { param: 'model' },
  );
}

/** Nobody is known to have it. */
export function unknownModel(
  { model, operation }: Wanted,
  aliases: ReadonlyMap<string, Alias>,
  directory: Directory,
): HttpError {
  if (!isOffered(operation, directory)) return unsupportedService(operation, undefined);
  // Who was never reached may well have it: that is no 404.
  const silent = [...directory.instances.values()].filter(
    (instance) => !instance.catalogue.known && instance.state === 'unhealthy',
  );
  if (silent.length > 0) {
    const now = performance.now();
    const targets = silent.map((instance) => ({ instance, model, entry: undefined }));
    const context = { operation: 'chat', tried: new Set<string>(), now } as const;
    return noInstance(model, select(targets, context).rejections, now);
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

/** A limit on the call as a whole. */
export function rateLimited({ limit, retryAfter }: Refusal): HttpError {
  const seconds = retryAfterSeconds(retryAfter);
  return gatewayError(
    'rate_limit_exceeded',
    `Rate limited: more than ${limit.text}. Try again in ${seconds} s.`,
    { headers: { 'retry-after': seconds }, limit: limit.place },
  );
}

/** Why a known model can't be served. */
export function noneLeft(
  { model, operation }: Wanted,
  rejections: readonly Rejection[],
  directory: Directory,
): HttpError {
  if (!isOffered(operation, directory)) return unsupportedService(operation, undefined);
  const others = rejections.filter(({ kind }) => kind !== 'unsupported');
  if (others.length === 0 && rejections.length > 0) return unsupportedService(operation, model);
  const now = performance.now();
  const limited = others.filter(({ kind }) => kind === 'limited');
  if (limited.length > 0 && limited.length === others.length) return atTheirLimits(limited, now);
  return noInstance(model, rejections, now);
}

export function queueFull(service: string, size: number): HttpError {
  return gatewayError(
    'queue_full',
    `Every instance is busy and ${size} calls wait already: try again in a moment, or raise services.${service}.queue.size.`,
    { headers: { 'retry-after': '1' } },
  );
}

export function queueTimeout(service: string, maxWait: number): HttpError {
  return gatewayError(
    'queue_timeout',
    `Every instance was busy for ${maxWait / 1000} s: try again in a moment, or raise services.${service}.queue.maxWait.`,
    { headers: { 'retry-after': '1' } },
  );
}

/** No new calls, and no further waits. */
export function shuttingDown(): HttpError {
  return gatewayError('shutting_down', 'jairouter is shutting down; try again in a moment.', {
    headers: { connection: 'close', 'retry-after': '1' },
  });
}

function isOffered(operation: Operation, { instances }: Directory): boolean {
  const about = answeredAbout(operation) ?? operation;
  return [...instances.values()].some((instance) => instance.supports(about));
}

/** Nobody offers the service at all, or nobody who has the model. */
function unsupportedService(operation: Operation, model: string | undefined): HttpError {
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

/** Every instance that could serve is at its own limit. */
function atTheirLimits(limited: readonly Rejection[], now: number): HttpError {
  const soonest = Math.min(...limited.map(({ until }) => until ?? now));
  return gatewayError('rate_limit_exceeded', `Rate limited: ${clauses(limited).join('; ')}.`, {
    headers: { 'retry-after': retryAfterSeconds(soonest - now) },
    limit: limited[0]!.limit,
  });
}

/** There are instances for it, and none can serve now. */
function noInstance(model: string, rejections: readonly Rejection[], now: number): HttpError {
  const soonest = Math.min(...rejections.map(({ until }) => until ?? Infinity));
  return gatewayError(
    'no_instance_available',
    rejections.length > 0
      ? `No instance can serve "${model}" right now: ${clauses(rejections).join('; ')}. Start one of them, or see that baseUrl and apiKey are right.`
      : `No instance can serve "${model}": its targets are not configured.`,
    soonest === Infinity ? {} : { headers: { 'retry-after': retryAfterSeconds(soonest - now) } },
  );
}

/** What a call of Responses stands upon is nowhere. */
export function previousNotFound(id: string): HttpError {
  return gatewayError(
    'previous_response_not_found',
    `Previous response with id '${id}' not found: it was never made here, its "store" was false, or it has been forgotten for newer ones.`,
    { param: 'previous_response_id' },
  );
}

function clauses(rejections: readonly Rejection[]): string[] {
  return rejections.map(({ instance, reason }) => `${instance} ${reason}`);
}
