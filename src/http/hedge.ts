import type { Target } from '../gateway/directory.ts';
import type { Meaning } from '../gateway/protect/classify.ts';
import type { Instance } from '../instances/instance.ts';
import type { Failure } from './failure.ts';

/** An attempt that gave no answer. */
export interface Failed {
  readonly failure: Failure;
  readonly retry: Meaning['retry'];
  /** The instance's name. */
  readonly instance: string;
}

type Ended = Failed | 'served' | 'outrun';

/** When a second attempt may start: after this many milliseconds, or the usual time to first byte. */
export type Hedge = number | 'p95' | undefined;

/** @returns Milliseconds; `undefined`: never, as it is off, or as the instance is not known enough. */
export function hedgeDelay(hedge: Hedge, instance: Instance): number | undefined {
  return hedge === 'p95' ? instance.firstBytes.usual() : hedge;
}

interface Options {
  readonly target: Target<Instance>;
  /** Milliseconds until a second attempt; absent: never. */
  readonly after: number | undefined;
  readonly run: (target: Target<Instance>) => Promise<Ended>;
  /** Another target that may be tried beside the first. */
  readonly spare: () => Target<Instance> | undefined;
}

/**
 * Makes an attempt, and a second one on another instance when the first one's answer is late. The
 * first to answer wins, and ends the other.
 */
export async function hedged({ target, after, run, spare }: Options): Promise<'served' | Failed[]> {
  if (after === undefined) return together([await run(target)]);
  let second: Promise<Ended> | undefined;
  const timer = setTimeout(() => {
    const other = spare();
    second = other && run(other);
    // It is waited for below; until then, nobody else would hear of a bug in it.
    second?.catch(() => {});
  }, after);
  try {
    const first = await run(target);
    return together(second ? [first, await second] : [first]);
  } finally {
    clearTimeout(timer);
    // Also when the first one throws: the record of the other belongs to the call too.
    await second?.catch(() => {});
  }
}

function together(ends: readonly Ended[]): 'served' | Failed[] {
  if (ends.includes('served')) return 'served';
  return ends.filter((end) => typeof end === 'object');
}
