import type { Balancer } from './balancer.ts';
import { sample, totalWeight } from './sample.ts';

/** Weighted random: remembers nothing. */
export function random(): Balancer {
  return {
    pick: (candidates, { random }) =>
      candidates[sample(candidates, totalWeight(candidates), random())]!,
    rank(candidates) {
      const total = totalWeight(candidates);
      return candidates.map(({ weight }) => ({
        score: weight,
        text: `weight ${weight} of ${total}`,
        chance: weight / total,
      }));
    },
  };
}
