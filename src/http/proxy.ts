import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Rejection } from '../gateway/candidates.ts';
import { resolve, withoutTag } from '../gateway/resolve.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import { serviceOf, type Operation } from '../service.ts';
import { admit } from './admission.ts';
import { finalError, tryStep } from './attempts.ts';
import { mayUse } from './auth.ts';
import { ClientGone } from './body.ts';
import {
  capture,
  openCall,
  outcomeOf,
  readRequest,
  type Call,
  type ClientRequest,
} from './call.ts';
import { errorShapeOf } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { keepAlive } from './keep-alive.ts';
import { asHttpError } from './internal-error.ts';
import { answerLocally, loadsOnly } from './local-answers.ts';
import { waiting } from './pause.ts';
import { attemptHeaders } from './outgoing.ts';
import {
  missingModel,
  noneLeft,
  notAllowed,
  previousNotFound,
  shuttingDown,
  unknownModel,
} from './refusal.ts';
import { recordCall } from './recorded.ts';
import type { Only, Road } from './road.ts';
import { replay } from './replay.ts';
import { standOn } from './standing.ts';
import { waitForModel, waitForRoom, waitToTryAgain } from './waiting.ts';

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
    for (const step of call.steps) step.abort();
  });
  gateway.calls.add(call);
  const { snapshot } = gateway;
  call.trace = gateway.observe.traces?.open(request.headers);
  if (snapshot.config.capture) capture(call, snapshot.config.capture);
  try {
    if (gateway.draining) throw shuttingDown();
    const client = await readRequest(call, snapshot.config.server);
    if (call.gone) throw new ClientGone();
    if (gateway.replay) await replay(gateway, gateway.replay, call, client);
    else await route(gateway, snapshot, call, client);
  } catch (error) {
    refuse(gateway, call, error);
  }
  const outcome = outcomeOf(call);
  recordCall(gateway, call, outcome);
  gateway.observe.record(outcome, call.capture);
}

/** Resolves the model, lets the call in, and sees it through its attempts. */
async function route(
  gateway: Gateway,
  snapshot: Snapshot,
  call: Call,
  asked: ClientRequest,
): Promise<void> {
  const { fleet } = gateway;
  const plan = snapshot.services[serviceOf(call.operation)];
  const name = asked.model ?? plan.defaultModel;
  call.model = name && withoutTag(name, snapshot.aliases, fleet.directory);
  const { model } = call;
  if (model === undefined) throw missingModel(call.operation, fleet.directory);
  if (call.key && !mayUse(call.key, model)) throw notAllowed(call.key, model);
  if (!known(model, snapshot, gateway)) {
    await waiting(call, fleet.lookAgain());
    if (call.gone) throw new ClientGone();
    if (!known(model, snapshot, gateway)) {
      throw unknownModel({ model, operation: call.operation }, snapshot.aliases, fleet.directory);
    }
  }
  call.modelKnown = true;

  const standing = call.operation === 'responses' ? standOn(gateway, call, asked) : undefined;
  const client = standing?.client ?? asked;
  const admission = await admit(snapshot.limits, call, client);
  const comments = keepAlive(call, plan.keepAlive);
  const road: Road = {
    gateway,
    plan,
    call,
    client,
    admission,
    failures: [],
    lost: new Set(),
    mayPass: false,
    standing,
    only: standing?.only ?? (loadsOnly(call, client) ? speakers(call.operation) : undefined),
  };
  try {
    await overSteps(road, snapshot, model);
  } finally {
    comments.close();
    road.slot?.release();
    road.place?.leave();
    admission.close(call.attempts.length > 0, call.usage);
  }
}

/** Over the model's instances, then over its fallback models; waits where all of them are busy. */
async function overSteps(road: Road, snapshot: Snapshot, model: string): Promise<void> {
  const { gateway, call, failures } = road;
  for (let looked = false; ;) {
    const rejections: Rejection[] = [];
    const steps = resolve(model, snapshot.aliases, gateway.fleet.directory);
    for (const step of steps) {
      const left = await tryStep(step, road);
      if (left === 'served') return;
      rejections.push(...left);
    }
    if (call.gone) throw new ClientGone();
    if (rejections.some(({ kind }) => kind === 'busy')) {
      await waitForRoom(road, rejections);
      continue;
    }
    if (rejections.some(({ kind }) => kind === 'loading') && (await waitForModel(road, rejections)))
      continue;
    if (failures.length > 0) {
      if (await waitToTryAgain(road, rejections)) continue;
      throw finalError(call, failures);
    }
    if (answerLocally(call, road.client, steps)) return;
    if (looked) {
      const { missing } = road.standing ?? {};
      if (missing !== undefined && rejections.every(({ kind }) => kind === 'unsupported')) {
        throw previousNotFound(missing);
      }
      throw noneLeft({ model, operation: call.operation }, rejections, gateway.fleet.directory);
    }
    looked = true;
    await waiting(call, gateway.fleet.lookAgain());
    if (call.gone) throw new ClientGone();
  }
}

/** Those that speak the client's dialect themselves. */
function speakers(operation: Operation): Only {
  return {
    has: (instance) => instance.asked(operation) === operation,
    reason: 'has its models loaded by others',
  };
}

function known(model: string, { aliases }: Snapshot, { fleet }: Gateway): boolean {
  return resolve(model, aliases, fleet.directory).length > 0;
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
  call.errorKind = error.errorKind;
  call.limit = error.limit;
  call.code = error.body.code ?? undefined;
  const shape = errorShapeOf(call.operation);
  const place = { status: error.status, requestId: call.id };
  if (response.headersSent) {
    if (!call.keptAlive) {
      response.destroy();
      return;
    }
    const event = shape.event(error.body, place);
    call.bytesOut += Buffer.byteLength(event);
    response.end(event);
    return;
  }
  const body = JSON.stringify(shape.body(error.body, place));
  call.bytesOut = Buffer.byteLength(body);
  const last = call.attempts.at(-1);
  response.writeHead(error.status, {
    ...error.headers,
    ...(last ? attemptHeaders(last.instance, last.model, call.attempts.length) : {}),
    ...call.ownHeaders,
    'content-type': 'application/json',
    'content-length': call.bytesOut,
  });
  response.end(body);
}
