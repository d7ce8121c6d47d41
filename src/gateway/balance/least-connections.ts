import type { Balancer, Candidate } from './balancer.ts';
import { Rotation } from './rotation.ts';

/** Least in-flight/weight; among equals the turn goes round by weight. */
export function leastConnections(): Balancer {
  const rotation = new Rotation();
  const idlest: Candidate[] = [];
  return {
    pick<C extends Candidate>(candidates: readonly C[]): C {
      let least = Infinity;
      let ties = 0;
      let best = candidates[0]!;
      for (let index = 0; index < candidates.length; index++) {
        const candidate = candidates[index]!;
        const load = candidate.inFlight / candidate.weight;
        if (load < least) {
          least = load;
          ties = 1;
          best = candidate;
        } else if (load === least) ties++;
      }
      if (ties === 1) return best;
      if (ties === candidates.length) return rotation.next(candidates);
      for (let index = 0; index < candidates.length; index++) {
        const candidate = candidates[index]!;
        if (candidate.inFlight / candidate.weight === least) idlest.push(candidate);
      }
      const next = rotation.next(idlest as C[]);
      // Emptied at once: between calls it would keep removed instances alive.
      idlest.length = 0;
      return next;
    },
  };
}
