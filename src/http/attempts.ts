import { RequestRefused } from '../adapters/adapter.ts';
import { affinityOf } from '../gateway/balance/affinity.ts';
import { choose, select, type Rejection } from '../gateway/candidates.ts';
import type { Target } from '../gateway/directory.ts';
import { classify, mostTelling } from '../gateway/protect/classify.ts';
import type { Place, Slot } from '../gateway/protect/queue.ts';
import type { Step } from '../gateway/resolve.ts';
import type { ServicePlan } from '../gateway/snapshot.ts';
import type { Instance } from '../instances/instance.ts';
import type { Admission } from './admission.ts';
import { presentedKey } from './auth.ts';
import { clientAddress, type Call, type ClientRequest } from './call.ts';
import { objectionTo, withoutUnlike } from './embedding-care.ts';
import { gatewayError, HttpError } from './errors.ts';
import type { Failure } from './failure.ts';
import type { Gateway } from './gateway.ts';
import { hedged, hedgeDelay, type Failed } from './hedge.ts';
import { attemptRequest } from './outgoing.ts';
import type { AttemptRequest } from './outlet.ts';
import { Attempt, type AttemptReport } from './relay.ts';
import { pause } from './pause.ts';

/** What a call carries along its attempts. */
export interface Road {
  readonly gateway: Gateway;
  readonly plan: ServicePlan;
  readonly call: Call;
  readonly client: ClientRequest;
  readonly admission: Admission;
  readonly failures: Failure[];
  /** Instances that no other model will bring back either. */
  readonly lost: Set<string>;
  /** Attempts that run now: one, or two when a late one is hedged. */
  readonly running: Set<Attempt>;
  /** Its turn in the queue, once it has had to wait. */
  place?: Place | undefined;
  /** What it got in the queue, and has not used yet. */
  slot?: Slot | undefined;
}

/** @returns `served` when the call is over; else why nobody is left, and the next step may serve it. */
export async function tryStep(
  step: Step<Instance>,
  road: Road,
): Promise<'served' | readonly Rejection[]> {
  const { gateway, plan, call, client, admission, failures, lost } = road;
  const balancer = plan.balancerFor(step.via === 'wildcard' ? '*' : step.model);
  const tried = new Set(lost);
  for (;;) {
    const now = performance.now();
    const { targets, unlike } = withoutUnlike(step.targets, gateway, call, client);
    const { candidates, rejections } = select(targets, {
      operation: call.operation,
      tried,
      now,
      holds: road.slot?.instance,
      ...(admission.byInstance && {
        limited: (instance: string) => admission.limited(instance, now),
      }),
    });
    if (candidates.length === 0) return [...rejections, ...unlike];
    const { retryBudget } = gateway.fleet;
    const open = reserved(candidates, road.slot);
    const allowed = failures.length > 0 ? retryBudget.retryOn(open, now) : open;
    if (allowed.length === 0) {
      // Somebody sound may only be busy, and is worth the wait.
      if (rejections.some(({ kind }) => kind === 'busy')) return rejections;
      throw finalError(call, failures);
    }
    const target = choose(allowed, balancer, {
      preferLoaded: plan.loadBalance.preferLoaded,
      context: { now, random: Math.random, affinity: affinity(plan, call, client) },
    });
    const { name } = target.instance;
    tried.add(name);
    const failed = await hedged({
      target,
      after: hedgeDelay(plan.hedge, target.instance),
      run: (on) => attempt(on, road),
      spare() {
        const spare = allowed.find((other) => canHedge(other, { tried, admission }));
        if (spare) tried.add(spare.instance.name);
        return spare;
      },
    });
    if (failed === 'served') return 'served';
    for (const { failure, instance } of failed) {
      failures.push(failure);
      if (failure.kind === 'unreachable') lost.add(instance);
    }
    const spent = call.attempts.length >= plan.attempts || gateway.draining;
    if (spent || failed.some(({ retry }) => retry === 'never')) throw finalError(call, failures);
  }
}

/** The candidate that a slot was waited for, if it is one. */
function reserved(
  candidates: readonly Target<Instance>[],
  slot: Slot | undefined,
): readonly Target<Instance>[] {
  const held = slot && candidates.find(({ instance }) => instance.name === slot.instance);
  return held ? [held] : candidates;
}

/** Another one for the same call costs nothing: it is idle, and nobody pays for it. */
function canHedge(
  { instance, model }: Target<Instance>,
  { tried, admission }: { tried: ReadonlySet<string>; admission: Admission },
): boolean {
  if (tried.has(instance.name) || instance.paid || instance.inFlight > 0) return false;
  const now = performance.now();
  const hindrance = instance.hindrance(model, { now, holdsSlot: false });
  return !hindrance && !admission.limited(instance.name, now);
}

/** The slot that was waited for, when it is this instance's; the turn in the queue is over. */
function takeSlot(instance: Instance, road: Road): Slot {
  const { slot, place } = road;
  road.slot = undefined;
  road.place = undefined;
  place?.leave();
  if (slot?.instance === instance.name) return slot;
  slot?.release();
  return instance.slots.take()!;
}

/** @returns Why it failed; `served` when the call is over, well or not; `outrun` by another attempt. */
async function attempt(
  target: Target<Instance>,
  road: Road,
): Promise<Failed | 'served' | 'outrun'> {
  const { gateway, plan, call, client, admission } = road;
  const { instance, model } = target;
  let request: AttemptRequest;
  try {
    request = attemptRequest(target, {
      plan,
      call,
      client,
      beside: road.running.size,
      objection: objectionTo(target, gateway, call, client),
    });
  } catch (error) {
    if (error instanceof RequestRefused) return refusedBy(instance, error);
    throw error;
  }
  // Selection has just found room and leave for it, in this very turn of the event loop.
  const slot = takeSlot(instance, road);
  const permit = instance.breaker.acquire(performance.now())!;
  let report: AttemptReport;
  try {
    const delay = admission.enter(instance.name);
    if (delay > 0) await pause(call, delay);
    if (call.attempts.length === 0) gateway.fleet.retryBudget.call(performance.now());
    const running = new Attempt(request, {
      onFirstByte: () => permit.answering(performance.now()),
      onCommit() {
        call.answering = true;
        // The others have lost the race.
        for (const other of road.running) if (other !== running) other.abort();
      },
    });
    road.running.add(running);
    call.current = everyOne(road.running);
    report = await running.report.finally(() => road.running.delete(running));
  } catch (error) {
    permit.release();
    throw error;
  } finally {
    slot.release();
    if (road.running.size === 0) call.current = undefined;
  }

  const { end, firstByte, duration } = report;
  const failure = 'failure' in end ? end.failure : undefined;
  const meaning = classify(
    failure ? { ...failure, committed: end.kind === 'broken' } : { kind: end.kind as 'done' },
  );
  const outrun = end.kind === 'aborted' && !call.gone;
  const now = performance.now();
  instance.conclude(permit, meaning, {
    now,
    model,
    reason: failure?.body.message ?? meaning.name,
    wait: failure?.wait,
  });
  gateway.fleet.retryBudget.learn(instance.name, meaning);
  call.attempts.push({
    instance: instance.name,
    model,
    duration,
    firstByte,
    status: report.status,
    error: outrun ? 'another attempt was faster' : failure?.body.message,
  });
  if (outrun) return 'outrun';
  if (end.kind === 'failed') {
    return { failure: end.failure, retry: meaning.retry, instance: instance.name };
  }
  call.upstreamModel = model;

  if (firstByte !== undefined) {
    call.firstByte = now - call.began - duration + firstByte;
    if (end.kind === 'done') instance.observeLatency(firstByte, now);
  }
  call.ending = end.kind === 'done' ? 'ok' : end.kind;
  call.error = failure?.body.message;
  call.events = report.events;
  call.bytesOut = report.bytes;
  call.usage = report.usage;
  return 'served';
}

/** All attempts of a call that run now, as one. */
function everyOne(running: ReadonlySet<Attempt>): Call['current'] {
  return {
    abort() {
      for (const one of running) one.abort();
    },
    stop(failure) {
      for (const one of running) one.stop(failure);
    },
  };
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
function refusedBy(instance: Instance, { message, param }: RequestRefused): Failed {
  const error = gatewayError('unsupported_parameter', `${message} (instance "${instance.name}")`, {
    param,
  });
  const failure: Failure = { kind: 'answer', status: error.status, body: error.body, headers: {} };
  const { retry } = classify({ kind: 'untranslatable' });
  return { failure, retry, instance: instance.name };
}

/** What the client is told when all attempts have failed. */
export function finalError(call: Call, failures: readonly Failure[]): HttpError {
  const { status, body, headers } = mostTelling(failures);
  const others = failures.length > 1 && failures.every(({ kind }) => kind === 'unreachable');
  const message = others ? failures.map((failure) => failure.body.message).join(' ') : body.message;
  // The SDKs would multiply our retries by their own.
  const spent = call.attempts.length > 1 ? { 'x-should-retry': 'false' } : {};
  return new HttpError(status, { ...body, message }, { ...headers, ...spent });
}
