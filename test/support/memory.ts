import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Throws away what nobody holds. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
}

/** Bytes of the heap that somebody holds. */
export function usedHeap(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
