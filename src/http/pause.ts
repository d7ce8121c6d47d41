import { ClientGone } from './body.ts';
import type { Call } from './call.ts';
import { shuttingDown } from './refusal.ts';

/** Waits this long, in milliseconds, unless the client goes away or the server stops. @throws ClientGone, HttpError `shutting_down`. */
export async function pause(call: Call, delay: number): Promise<void> {
  let stopped = false;
  let end!: () => void;
  const over = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, delay);
    end = () => {
      clearTimeout(timer);
      stopped = true;
      resolve();
    };
  });
  await waiting(call, over, end);
  if (stopped) throw leaving(call);
}

/**
 * Counts a wait as such, for the call's record.
 * @param end Ends it early, when the client goes away or the server stops.
 */
export async function waiting<T>(
  call: Call,
  over: Promise<T>,
  end: () => void = () => {},
): Promise<T> {
  const step = { abort: end, stop: end };
  const since = performance.now();
  call.waitsSince = since;
  call.steps.add(step);
  try {
    return await over;
  } finally {
    call.steps.delete(step);
    call.waitsSince = undefined;
    call.waited += performance.now() - since;
  }
}

/** A wait ends early because the client is gone, or because we go. */
export function leaving(call: Call): Error {
  return call.gone ? new ClientGone() : shuttingDown();
}
