import type { Rejection } from '../gateway/candidates.ts';
import { serviceOf } from '../service.ts';
import type { Road } from './road.ts';
import { ClientGone } from './body.ts';
import { leaving, pause, waiting } from './pause.ts';
import { queueFull, queueTimeout } from './refusal.ts';

/**
 * Waits in the queue until one of the busy instances has room, or something else has changed.
 * @throws HttpError `queue_full`, `queue_timeout` (429); ClientGone.
 */
export async function waitForRoom(road: Road, rejections: readonly Rejection[]): Promise<void> {
  const { gateway, plan, call } = road;
  const service = serviceOf(call.operation);
  const now = performance.now();
  // What was waited for and could not be used after all goes to the next one.
  road.slot?.release(road.place);
  road.slot = undefined;
  road.place ??= gateway.fleet.queue.enter({ name: service, ...plan.queue }, now);
  const { place } = road;
  if (!place) throw queueFull(service, plan.queue.size);
  const busy = rejections.filter(({ kind }) => kind === 'busy').map(({ instance }) => instance);
  const soonest = Math.min(...rejections.map(({ until }) => until ?? Infinity));
  const wake = await waiting(call, place.wait(new Set(busy), now, soonest), () => place.leave());
  if (wake === 'left') throw leaving(call);
  if (wake === 'timeout') throw queueTimeout(service, plan.queue.maxWait);
  if (wake !== 'look') road.slot = wake;
}

/** Milliseconds between two looks at a backend that is loading. */
const LOADING_LOOK = 1000;

/**
 * Waits a moment for a backend that says it is loading: a cold load is no failure.
 * @returns False when the call has waited as long as `timeouts.loading` allows.
 */
export async function waitForModel(
  { gateway, plan, call }: Road,
  rejections: readonly Rejection[],
): Promise<boolean> {
  const limits = rejections
    .filter(({ kind }) => kind === 'loading')
    .map(({ instance }) => plan.timeoutsOn(instance).loading);
  const limit = Math.max(...limits);
  if (call.attempts.length >= plan.retry.attempts) return false;
  if (performance.now() - call.began + LOADING_LOOK > limit) return false;
  await pause(call, LOADING_LOOK);
  await waiting(call, gateway.fleet.lookAgain());
  if (call.gone) throw new ClientGone();
  return true;
}

/** Milliseconds before the first further try in the same place; doubled for each one after it. */
const FIRST_PAUSE = 250;
/** A longer rest is the client's to wait for: it gets the error, and when to come back. */
const LONGEST_PAUSE = 5000;

/**
 * Waits a moment when nobody is left but instances that have just failed in a way that may pass.
 * @returns False when there is no use in trying again.
 */
export async function waitToTryAgain(
  { plan, call, mayPass }: Road,
  rejections: readonly Rejection[],
): Promise<boolean> {
  if (!mayPass || call.attempts.length >= plan.retry.attempts) return false;
  const now = performance.now();
  const rests = rejections
    .filter(({ kind }) => kind === 'tried' || kind === 'resting')
    .map(({ until }) => (until ?? now) - now);
  const backOff = FIRST_PAUSE * 2 ** (call.attempts.length - 1) * (1 + Math.random() / 4);
  const delay = Math.max(backOff, Math.min(...rests));
  if (delay > LONGEST_PAUSE) return false;
  await pause(call, delay);
  return true;
}
