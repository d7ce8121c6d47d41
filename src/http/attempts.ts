import { affinityOf } from '../gateway/balance/affinity.ts';
import { choose, select, type Rejection } from '../gateway/candidates.ts';
import type { Target } from '../gateway/directory.ts';
import { rejection } from '../gateway/filters.ts';
import { mostTelling } from '../gateway/protect/classify.ts';
import type { Slot } from '../gateway/protect/queue.ts';
import type { Step } from '../gateway/resolve.ts';
import type { ServicePlan } from '../gateway/snapshot.ts';
import type { Instance } from '../instances/instance.ts';
import type { Choice } from '../observe/outcome.ts';
import type { Admission } from './admission.ts';
import { attempt } from './attempt.ts';
import { presentedKey } from './auth.ts';
import { clientAddress, type Call, type ClientRequest } from './call.ts';
import { withoutUnlike } from './embedding-care.ts';
import { HttpError } from './errors.ts';
import type { Failure } from './failure.ts';
import { hedged, hedgeDelay } from './hedge.ts';
import { isSentOnce } from './outgoing.ts';
import type { Only, Road } from './road.ts';

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
