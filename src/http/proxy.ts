import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestRefused } from '../adapters/adapter.ts';
import { affinityOf } from '../gateway/balance/affinity.ts';
import { choose, select, type Rejection } from '../gateway/candidates.ts';
import type { Target } from '../gateway/directory.ts';
import { mostTelling } from '../gateway/policy.ts';
import { resolve, type Step } from '../gateway/resolve.ts';
import type { ServicePlan, Snapshot } from '../gateway/snapshot.ts';
import type { Instance } from '../instances/instance.ts';
import { serviceOf, type Operation } from '../service.ts';
import { mayUse, presentedKey } from './auth.ts';
import { ClientGone } from './body.ts';
import {
  clientAddress,
  openCall,
  outcomeOf,
  readRequest,
  type Call,
  type ClientRequest,
} from './call.ts';
import { gatewayError, HttpError, renderError } from './errors.ts';
import type { Failure } from './failure.ts';
import type { Gateway } from './gateway.ts';
import { attemptHeaders, attemptRequest } from './outgoing.ts';
import { asHttpError } from './internal-error.ts';
import { missingModel, noInstance, unknownModel, unsupportedService } from './refusal.ts';
import { Attempt } from './relay.ts';

/** Serves one call, from its first byte to its record. Rejects only on a bug. */
export async function proxy(
  gateway: Gateway,
  operation: Operation,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const call = openCall(operation, request, response);
  response.on('close', () => {
    gateway.calls.delete(call);
    if (response.writableFinished) return;
    call.gone = true;
    call.current?.abort();
  });
  gateway.calls.add(call);
  try {
    if (gateway.draining) throw shuttingDown();
    const { snapshot } = gateway;
    const client = await readRequest(call, snapshot.config.server);
    if (call.gone) throw new ClientGone();
    await route(gateway, snapshot, call, client);
  } catch (error) {
    refuse(gateway, call, error);
  }
  gateway.log.call(outcomeOf(call));
}

/** The attempt loop: over the model's instances, then over its fallback models. */
async function route(
  gateway: Gateway,
  snapshot: Snapshot,
  call: Call,
  client: ClientRequest,
): Promise<void> {
  const { fleet } = gateway;
  const { operation } = call;
  const plan = snapshot.services[serviceOf(operation)];
  const offered = () => [...fleet.instances()].some((instance) => instance.supports(operation));
  call.model = client.model ?? plan.defaultModel;
  const { model } = call;
  if (model === undefined) {
    throw offered() ? missingModel(operation) : unsupportedService(operation, undefined);
  }
  if (!mayUse(call.key, model)) throw notAllowed(call, model);

  for (let looked = false; ; looked = true) {
    const steps = resolve(model, snapshot.aliases, fleet.directory);
    const tally: Tally = { failures: [], rejections: [], unreachable: new Set() };
    for (const step of steps) {
      if (await trySteps(step, { snapshot, plan, call, client, tally })) return;
    }
    if (tally.failures.length > 0) throw finalError(call, tally.failures);
    if (looked) {
      if (!offered()) throw unsupportedService(operation, undefined);
      if (steps.length === 0)
        throw unknownModel(model, snapshot.aliases, fleet.directory, performance.now());
      if (tally.rejections.some(({ kind }) => kind !== 'unsupported')) {
        throw noInstance(model, tally.rejections);
      }
      throw tally.rejections.length > 0
        ? unsupportedService(operation, model)
        : noInstance(model, []);
    }
    await fleet.lookAgain();
    if (call.gone) throw new ClientGone();
  }
}

interface Tally {
  readonly failures: Failure[];
  readonly rejections: Rejection[];
  /** Instances that no other model will bring back either. */
  readonly unreachable: Set<string>;
}

interface Road {
  readonly snapshot: Snapshot;
  readonly plan: ServicePlan;
  readonly call: Call;
  readonly client: ClientRequest;
  readonly tally: Tally;
}

/** @returns Whether the call is over; if not, the next step may serve it. */
async function trySteps(step: Step<Instance>, road: Road): Promise<boolean> {
  const { plan, call, client, tally } = road;
  const balancer = plan.balancerFor(step.via === 'wildcard' ? '*' : step.model);
  const tried = new Set(tally.unreachable);
  for (;;) {
    const now = performance.now();
    const { candidates, rejections } = select(step.targets, {
      operation: call.operation,
      tried,
      now,
    });
    if (candidates.length === 0) {
      tally.rejections.push(...rejections);
      return false;
    }
    const target = choose(candidates, balancer, {
      preferLoaded: plan.loadBalance.preferLoaded,
      context: {
        now,
        random: Math.random,
        affinity: affinity(plan, call, client),
      },
    });
    const { name } = target.instance;
    tried.add(name);
    const failure = await attempt(target, road);
    if (!failure) return true;
    tally.failures.push(failure);
    if (failure.kind === 'unreachable') tally.unreachable.add(name);
    if (!failure.retryable || call.attempts.length >= plan.attempts) {
      throw finalError(call, tally.failures);
    }
  }
}

/** @returns Why it failed; nothing when the call is over, well or not. */
async function attempt(target: Target<Instance>, road: Road): Promise<Failure | undefined> {
  const { plan, call, client } = road;
  const { instance, model } = target;
  let attempt: Attempt;
  try {
    attempt = new Attempt(attemptRequest(target, { plan, call, client }));
  } catch (error) {
    if (error instanceof RequestRefused) return refusedBy(instance, error);
    throw error;
  }
  call.current = attempt;
  call.upstreamModel = model;
  instance.inFlight += 1;
  const report = await attempt.report.finally(() => {
    instance.inFlight -= 1;
    call.current = undefined;
  });

  const { end, firstByte, duration } = report;
  const failure = 'failure' in end ? end.failure : undefined;
  call.attempts.push({
    instance: instance.name,
    model,
    duration,
    firstByte,
    status: report.status,
    error: failure?.body.message,
  });
  if (end.kind === 'failed') return failure;

  const now = performance.now();
  if (firstByte !== undefined) {
    call.firstByte = now - call.began - duration + firstByte;
    if (end.kind === 'done') instance.observeLatency(firstByte, now);
  }
  call.ending = end.kind === 'done' ? 'ok' : end.kind;
  call.error = failure?.body.message;
  call.events = report.events;
  call.bytesOut = report.bytes;
  call.usage = report.usage;
  return undefined;
}

function affinity({ loadBalance }: ServicePlan, call: Call, client: ClientRequest): string {
  const { strategy, key } = loadBalance;
  const ip = clientAddress(call.request);
  if (strategy !== 'consistent-hash') return ip;
  const { headers } = call.request;
  const apiKey = presentedKey(headers);
  return affinityOf(key, {
    ip,
    headers,
    fields: client.fields,
    ...(apiKey === undefined ? {} : { apiKey }),
  });
}

/** The backend can't do what the client asks; another one may. */
function refusedBy(instance: Instance, { message, param }: RequestRefused): Failure {
  const error = gatewayError('unsupported_parameter', `${message} (instance "${instance.name}")`, {
    param,
  });
  return { kind: 'answer', status: error.status, body: error.body, headers: {}, retryable: true };
}

/** What the client is told when all attempts have failed. */
function finalError(call: Call, failures: readonly Failure[]): HttpError {
  const { status, body, headers } = mostTelling(failures);
  const others = failures.length > 1 && failures.every(({ kind }) => kind === 'unreachable');
  const message = others ? failures.map((failure) => failure.body.message).join(' ') : body.message;
  // The SDKs would multiply our retries by their own.
  const spent = call.attempts.length > 1 ? { 'x-should-retry': 'false' } : {};
  return new HttpError(status, { ...body, message }, { ...headers, ...spent });
}

function notAllowed(call: Call, model: string): HttpError {
  return gatewayError(
    'model_not_allowed',
    `The API key "${call.key!.name}" may not use the model "${model}": it is for ${call.key!.models.join(', ')}.`,
    { param: 'model' },
  );
}

function shuttingDown(): HttpError {
  return gatewayError('shutting_down', 'jairouter is shutting down; try again in a moment.', {
    headers: { connection: 'close', 'retry-after': '1' },
  });
}

/** Answers with an error, if there is anyone to answer. */
function refuse(gateway: Gateway, call: Call, thrown: unknown): void {
  const { response } = call;
  if (thrown instanceof ClientGone || call.gone) {
    call.ending = 'aborted';
    response.destroy();
    return;
  }
  const error = asHttpError(gateway, thrown);
  call.ending = 'error';
  call.error = error.message;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = renderError(error.body);
  const last = call.attempts.at(-1);
  response.writeHead(error.status, {
    ...error.headers,
    ...(last ? attemptHeaders(last.instance, last.model, call.attempts.length) : {}),
    ...call.ownHeaders,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
