import { RequestRefused } from '../adapters/adapter.ts';
import type { Target } from '../gateway/directory.ts';
import { classify } from '../gateway/protect/classify.ts';
import type { Slot } from '../gateway/protect/queue.ts';
import type { Instance } from '../instances/instance.ts';
import type { Choice, Ending } from '../observe/outcome.ts';
import { short } from '../observe/short.ts';
import { newSpanId } from '../observe/trace-context.ts';
import { guessTokens } from '../observe/usage.ts';
import { notesOn } from './context-care.ts';
import { objectionTo } from './embedding-care.ts';
import { gatewayError } from './errors.ts';
import type { Failure } from './failure.ts';
import type { Failed } from './hedge.ts';
import { attemptRequest } from './outgoing.ts';
import type { AttemptRequest } from './outlet.ts';
import { pause } from './pause.ts';
import { Attempt, type AttemptEnd, type AttemptReport } from './relay.ts';
import { keeperOf } from './response-keeper.ts';
import type { Road } from './road.ts';

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
export async function attempt(
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
