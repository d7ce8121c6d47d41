import { setTimeout as sleep } from 'node:timers/promises';

/** How fast the mock speaks. */
export interface Speed {
  /** Milliseconds until the first token. */
  readonly ttft: number;
  /** Tokens per second after it; `Infinity`: all at once. */
  readonly tps: number;
}

/** The clock of one answer. All its waits reject when the client goes. */
export interface Pace {
  /** Waits for the first token. */
  first(): Promise<void>;
  /** Waits until `count` more tokens would have been made. */
  tokens(count: number): Promise<void>;
}

export function startPace({ ttft, tps }: Speed, signal: AbortSignal): Pace {
  let due = 0;
  // Due times are summed rather than pauses: a timer's lateness must not slow the whole answer down.
  const wait = async (): Promise<void> => {
    signal.throwIfAborted();
    const pause = due - performance.now();
    if (pause >= 1) await sleep(pause, undefined, { signal });
  };
  return {
    first() {
      due = performance.now() + ttft;
      return wait();
    },
    tokens(count) {
      due += (count * 1000) / tps;
      return wait();
    },
  };
}
