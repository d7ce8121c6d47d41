import type { Balancer } from './balancer.ts';
import { Rotation } from './rotation.ts';

/** Smooth weighted round robin: never random, and nobody waits behind a burst of the heavy ones. */
export function roundRobin(): Balancer {
  const rotation = new Rotation();
  return {
    pick: (candidates) => rotation.next(candidates),
    rank(candidates) {
      const credits = rotation.credits(candidates);
      const next = credits.indexOf(Math.max(...credits));
      return candidates.map(({ weight }, index) => ({
        score: credits[index]!,
        text: `weight ${weight}, is owed ${credits[index]!.toFixed(2)} calls`,
        chance: index === next ? 1 : 0,
      }));
    },
  };
}
