import { known } from '../observe/known.ts';
import type { Recent, RunningCall } from '../observe/status.ts';
import { guessTokens } from '../observe/usage.ts';
import { clientAddress, type Call } from './call.ts';
import { Attempt } from './relay.ts';

/** A call that is not over, as it is shown. It costs the call nothing until somebody looks. */
export function runningCall(call: Call): RunningCall {
  const attempts = [...call.steps].filter((step) => step instanceof Attempt);
  // Of two, the one that answers has won already.
  const attempt = attempts.find(({ committed }) => committed) ?? attempts[0];
  const progress = attempt?.progress;
  const { id, at, operation, key, model, stream } = call;
  return known({
    id,
    at,
    operation,
    client: clientAddress(call.request),
    key: key?.name,
    model,
    instance: attempt?.request.instance.name ?? call.attempts.at(-1)?.instance,
    stream,
    phase: phaseOf(call, progress?.phase),
    attempts: call.started,
    firstByte:
      attempt && progress?.firstByte !== undefined
        ? attempt.began - call.began + progress.firstByte
        : call.firstByte,
    events: progress?.events ?? call.events,
    bytesOut: call.bytesOut + (progress?.sent ?? 0),
  });
}

function phaseOf(
  call: Call,
  attempt: Attempt['progress']['phase'] | undefined,
): RunningCall['phase'] {
  if (attempt !== undefined && attempt !== 'over') return attempt;
  if (call.waitsSince !== undefined) return 'queued';
  // What is over for us has not been read to its end by the client.
  return call.answering || call.attempts.length > 0 ? 'answering' : 'reading';
}

/** Output tokens per second of the last minute that come from streams which are not over. */
export interface TokenFlow {
  readonly whole: number;
  readonly instances: ReadonlyMap<string, number>;
  readonly models: ReadonlyMap<string, number>;
}

/**
 * Statistics hear of a stream when it is over; until then its tokens are guessed from its events,
 * so that one that runs for minutes is no silence.
 * @param now Milliseconds since the epoch.
 */
export function tokenFlow(running: readonly RunningCall[], now: number): TokenFlow {
  let whole = 0;
  const instances = new Map<string, number>();
  const models = new Map<string, number>();
  for (const { at, operation, events, firstByte, instance, model } of running) {
    const tokens = guessTokens(operation, events, undefined);
    if (tokens === 0 || firstByte === undefined) continue;
    const span = Math.max(1, now - at - firstByte);
    const flow = (tokens * Math.min(1, MINUTE / span)) / 60;
    whole += flow;
    if (instance !== undefined) instances.set(instance, (instances.get(instance) ?? 0) + flow);
    if (model !== undefined) models.set(model, (models.get(model) ?? 0) + flow);
  }
  return { whole, instances, models };
}

const MINUTE = 60_000;

/** The last minute, with what still streams. */
export function withFlow(recent: Recent, flow = 0): Recent {
  if (flow === 0) return recent;
  return { ...recent, tokensPerSecond: recent.tokensPerSecond + flow, tokensGuessed: true };
}
