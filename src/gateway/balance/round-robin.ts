import type { Balancer } from './balancer.ts';
import { Rotation } from './rotation.ts';

/** Smooth weighted round robin: never random, and nobody waits behind a burst of the heavy ones. */
export function roundRobin(): Balancer {
  const rotation = new Rotation();
  return { pick: (candidates) => rotation.next(candidates) };
}
