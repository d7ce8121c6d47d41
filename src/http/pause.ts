import { ClientGone } from './body.ts';
import type { Call } from './call.ts';
import { shuttingDown } from './refusal.ts';

/** Waits this long, in milliseconds, unless the client goes away or the server stops. @throws ClientGone, HttpError `shutting_down`. */
export async function pause(call: Call, delay: number): Promise<void> {
  let stopped = false;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, delay);
    const end = (): void => {
      clearTimeout(timer);
      stopped = true;
      resolve();
    };
    call.current = { abort: end, stop: end };
  });
  call.current = undefined;
  if (stopped) throw leaving(call);
}

/** A wait ends early because the client is gone, or because we go. */
export function leaving(call: Call): Error {
  return call.gone ? new ClientGone() : shuttingDown();
}
