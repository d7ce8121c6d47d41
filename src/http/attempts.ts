import { RequestRefused } from '../adapters/adapter.ts';
import { affinityOf } from '../gateway/balance/affinity.ts';
import { choose, select, type Rejection } from '../gateway/candidates.ts';
import type { Target } from '../gateway/directory.ts';
import { rejection } from '../gateway/filters.ts';
import { classify, mostTelling } from '../gateway/protect/classify.ts';
import type { Place, Slot } from '../gateway/protect/queue.ts';
import type { Step } from '../gateway/resolve.ts';
import type { ServicePlan } from '../gateway/snapshot.ts';
import type { Instance } from '../instances/instance.ts';
import type { Choice, Ending } from '../observe/outcome.ts';
import { short } from '../observe/short.ts';
import { newSpanId } from '../observe/trace-context.ts';
import { guessTokens } from '../observe/usage.ts';
import type { Admission } from './admission.ts';
import { presentedKey } from './auth.ts';
import { clientAddress, type Call, type ClientRequest } from './call.ts';
import { notesOn } from './context-care.ts';
import { objectionTo, withoutUnlike } from './embedding-care.ts';
import { gatewayError, HttpError } from './errors.ts';
import type { Failure } from './failure.ts';
import type { Gateway } from './gateway.ts';
import { hedged, hedgeDelay, type Failed } from './hedge.ts';
import { attemptRequest, isSentOnce } from './outgoing.ts';
import type { AttemptRequest } from './outlet.ts';
import { keeperOf } from './response-keeper.ts';
import type { Standing } from './standing.ts';
import { Attempt, type AttemptEnd, type AttemptReport } from './relay.ts';
import { pause } from './pause.ts';

/** Instances that alone can serve a call. */
export interface Only {
  has(instance: Instance): boolean;
  /** Why another can't; one clause. */
  readonly reason: string;
}

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
  /** What a call of Responses stands upon. */
  readonly standing: Standing | undefined;
  /** The only instances that can serve it, whatever else they can; absent: all. */
  readonly only: Only | undefined;
  /** The instance that failed it last. */
  failedOn?: string | undefined;
  /** The last failure was one that may pass: with nobody else left, its instance may be tried again. */
  mayPass: boolean;
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
    const { able, others } = among(step.targets, road.only);
    const { targets, unlike } = withoutUnlike(able, gateway, call, client);
    const { candidates, rejections } = select(targets, {
      operation: call.operation,
      tried,
      now,
      holds: road.slot?.instance,
      ...(admission.byInstance && {
        limited: (instance: string) => admission.limited(instance, now),
      }),
    });
    if (candidates.length === 0) return [...rejections, ...unlike, ...others];
    const { retryBudget } = gateway.fleet;
    const open = reserved(candidates, road.slot);
    const allowed = failures.length > 0 ? retryBudget.retryOn(open, now) : open;
    if (allowed.length === 0) {
      // Somebody sound may only be busy, and is worth the wait.
      if (rejections.some(({ kind }) => kind === 'busy')) return rejections;
      throw finalError(call, failures);
    }
    const { target, by, of } = choose(allowed, balancer, {
      preferLoaded: plan.loadBalance.preferLoaded,
      context: { now, random: Math.random, affinity: affinity(plan, call, client) },
    });
    const { name } = target.instance;
    const chosen = by === 'strategy' ? plan.loadBalance.strategy : by;
    const choice: Choice = {
      by: road.slot?.instance === name ? 'slot' : chosen,
      of,
      after: road.failedOn,
      fallback: step.model !== call.model,
    };
    tried.add(name);
    const failed = await hedged({
      target,
      after: isSentOnce(client, plan) ? undefined : hedgeDelay(plan.hedge, target.instance),
      run: (on) => attempt(on, road, on === target ? choice : hedgeOf(choice, name)),
      spare() {
        const spare = allowed.find((other) => canHedge(other, { call, tried, admission }));
        if (spare) tried.add(spare.instance.name);
        return spare;
      },
    });
    if (failed === 'served') return 'served';
    road.mayPass = failed.some(({ retry }) => retry === 'again');
    for (const { failure, instance } of failed) {
      failures.push(failure);
      road.failedOn = instance;
      if (failure.kind === 'unreachable') lost.add(instance);
    }
    const spent = call.attempts.length >= plan.retry.attempts || client.gone || gateway.draining;
    if (spent || failed.some(({ retry }) => retry === 'never')) throw finalError(call, failures);
  }
}

/** Those that can serve the call at all. */
function among(
  targets: readonly Target<Instance>[],
  only: Only | undefined,
): { able: readonly Target<Instance>[]; others: readonly Rejection[] } {
  if (!only) return { able: targets, others: [] };
  return {
    able: targets.filter(({ instance }) => only.has(instance)),
    others: targets
      .filter(({ instance }) => !only.has(instance))
      .map(({ instance, model }) => ({
        instance: instance.name,
        model,
        kind: 'unsupported',
        reason: only.reason,
      })),
  };
}

function hedgeOf(choice: Choice, late: string): Choice {
  return { ...choice, by: 'hedge', of: 1, after: late };
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
  target: Target<Instance>,
  { call, tried, admission }: { call: Call; tried: ReadonlySet<string>; admission: Admission },
): boolean {
  const { instance } = target;
  if (instance.paid || instance.inFlight > 0) return false;
  const now = performance.now();
  const limited = (name: string) => admission.limited(name, now);
  return !rejection(target, { operation: call.operation, tried, now, limited });
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
  choice: Choice,
): Promise<Failed | 'served' | 'outrun'> {
  const { gateway, plan, call, client, admission } = road;
  const { instance, model } = target;
  const spanId = call.trace && newSpanId();
  let request: AttemptRequest;
  try {
    request = attemptRequest(target, {
      plan,
      call,
      client,
      spanId,
      objection: objectionTo(target, gateway, call, client),
      notes: notesOn(target, gateway, call, client),
      ...(road.standing?.kept && { keeper: keeperOf(target, road, road.standing) }),
      ...(road.standing && { answerId: road.standing.id }),
    });
  } catch (error) {
    if (error instanceof RequestRefused) return refusedBy(instance, error);
    throw error;
  }
  // Selection has just found room and leave for it, in this very turn of the event loop.
  const slot = takeSlot(instance, road);
  instance.connections.enter();
  const permit = instance.breaker.acquire(performance.now())!;
  let report: AttemptReport;
  let startedAfter: number;
  try {
    const delay = admission.enter(instance.name);
    if (delay > 0) await pause(call, delay);
    if (call.attempts.length === 0) gateway.fleet.retryBudget.call(performance.now());
    const running = new Attempt(request, {
      onFirstByte: () => permit.answering(performance.now()),
      onCommit() {
        call.answering = true;
        // The others have lost the race.
        for (const other of call.steps) if (other !== running) other.abort();
      },
    });
    call.started += 1;
    startedAfter = running.began - call.began;
    call.steps.add(running);
    report = await running.report;
    request.keeper?.close();
    call.steps.delete(running);
  } catch (error) {
    permit.release();
    // It was still waiting for a limit when the other one won.
    if (call.answering) return 'outrun';
    throw error;
  } finally {
    slot.release();
    instance.connections.leave();
  }

  const { end, firstByte, duration } = report;
  const failure = 'failure' in end ? end.failure : undefined;
  const meaning = classify(
    failure
      ? { ...failure, committed: end.kind === 'broken' }
      : { kind: end.kind === 'done' ? 'done' : 'aborted' },
  );
  const outrun = end.kind === 'aborted' && !call.gone;
  const now = performance.now();
  instance.conclude(permit, meaning, {
    now,
    model,
    reason: failure?.clause ?? failure?.body.message ?? meaning.name,
    wait: failure?.wait,
  });
  gateway.fleet.retryBudget.learn(instance.name, meaning);
  call.attempts.push({
    instance: instance.name,
    adapter: instance.adapter.name,
    origin: instance.origin,
    spanId,
    model: short(model),
    choice,
    startedAfter,
    duration,
    firstByte,
    status: report.status,
    phase: report.phase,
    ending: ENDINGS[end.kind],
    error: outrun ? 'another attempt was faster' : short(failure?.body.message),
    errorKind: end.kind === 'crashed' ? 'internal_error' : failure?.errorKind,
    events: report.events,
    bytesIn: report.asked,
    bytesOut: report.bytes,
    usage: report.usage,
    tokensGuessed: guessTokens(call.operation, report.events, report.usage),
  });
  if (end.kind === 'crashed') throw end.bug;
  if (outrun) return 'outrun';
  if (end.kind === 'failed') {
    return { failure: end.failure, retry: meaning.retry, instance: instance.name };
  }
  call.upstreamModel = model;

  if (firstByte !== undefined) {
    call.firstByte = now - call.began - duration + firstByte;
    if (end.kind === 'done') instance.firstBytes.observe(firstByte, now);
  }
  call.ending = end.kind === 'done' ? 'ok' : end.kind;
  call.error = failure?.body.message;
  call.errorKind = failure?.errorKind;
  call.code = failure?.body.code ?? undefined;
  call.events = report.events;
  call.bytesOut += report.sent;
  call.usage = report.usage;
  return 'served';
}

const ENDINGS = {
  done: 'ok',
  failed: 'error',
  broken: 'broken',
  aborted: 'aborted',
  crashed: 'error',
} as const satisfies Record<AttemptEnd['kind'], Ending>;

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
function refusedBy(instance: Instance, { message, param, details }: RequestRefused): Failed {
  const error = gatewayError('unsupported_parameter', `${message} (instance "${instance.name}")`, {
    param,
    ...(details && { details }),
  });
  const { status, body, errorKind } = error;
  const failure: Failure = { kind: 'answer', status, body, errorKind, headers: {} };
  const { retry } = classify({ kind: 'untranslatable' });
  return { failure, retry, instance: instance.name };
}

/** What the client is told when all attempts have failed. */
export function finalError(call: Call, failures: readonly Failure[]): HttpError {
  const { status, body, errorKind, headers } = mostTelling(failures);
  const others = failures.length > 1 && failures.every(({ kind }) => kind === 'unreachable');
  const message = others ? failures.map((failure) => failure.body.message).join(' ') : body.message;
  // The SDKs would multiply our retries by their own.
  const spent = call.attempts.length > 1 ? { 'x-should-retry': 'false' } : {};
  return new HttpError({
    status,
    body: { ...body, message },
    errorKind,
    headers: { ...headers, ...spent },
  });
}
