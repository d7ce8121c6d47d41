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
    rank(candidates) {
      const loads = candidates.map(({ inFlight, weight }) => inFlight / weight);
      const least = Math.min(...loads);
      const ties = candidates.filter((_, index) => loads[index] === least);
      const credits = rotation.credits(ties);
      const next = ties[credits.indexOf(Math.max(...credits))];
      return candidates.map((candidate, index) => {
        const { inFlight, weight } = candidate;
        const isNext = candidate === next;
        const tied = loads[index] === least && ties.length > 1;
        const turn = tied ? `, ${isNext ? 'and it is its turn' : 'not its turn'}` : '';
        return {
          score: loads[index]!,
          text: `${inFlight} in flight for weight ${weight}${turn}`,
          chance: isNext ? 1 : 0,
        };
      });
    },
  };
}
