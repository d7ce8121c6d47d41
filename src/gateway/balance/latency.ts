import type { Balancer, Candidate, PickContext } from './balancer.ts';
import { sample, totalWeight } from './sample.ts';

/** Milliseconds counted for an instance on its first try: worse than any that has answered. */
const UNPROVEN = 1e9;

/**
 * Power of two choices: of two drawn by weight, the one with the less of
 * latency × (in flight + 1) / weight. Looking at two keeps a crowd from running to the one
 * instance that looked best a moment ago.
 */
export function latency(): Balancer {
  return {
    pick<C extends Candidate>(candidates: readonly C[], { now, random }: PickContext): C {
      if (candidates.length === 1) return candidates[0]!;
      const total = totalWeight(candidates);
      const first = sample(candidates, total, random());
      const one = candidates[first]!;
      const other = candidates[sample(candidates, total - one.weight, random(), first)]!;
      return cost(other, now) < cost(one, now) ? other : one;
    },
    rank(candidates, { now }) {
      const costs = candidates.map((candidate) => cost(candidate, now));
      return candidates.map((candidate, index) => ({
        score: costs[index]!,
        text: words(candidate, now),
        chance: chanceOf(index, candidates, costs),
      }));
    },
  };
}

/** How likely it is drawn first and not beaten by the second, or drawn second and better. */
function chanceOf(
  index: number,
  candidates: readonly Candidate[],
  costs: readonly number[],
): number {
  if (candidates.length === 1) return 1;
  const total = totalWeight(candidates);
  const own = candidates[index]!.weight;
  let chance = 0;
  for (let other = 0; other < candidates.length; other++) {
    if (other === index) continue;
    const { weight } = candidates[other]!;
    if (costs[other]! >= costs[index]!) chance += (own / total) * (weight / (total - own));
    if (costs[index]! < costs[other]!) chance += (weight / total) * (own / (total - weight));
  }
  return chance;
}

function words(candidate: Candidate, now: number): string {
  const { inFlight, weight } = candidate;
  const measured = candidate.latency(now);
  const latency = measured > 0 ? `${measured.toFixed(0)} ms to first byte` : 'not measured yet';
  return `${latency}, ${inFlight} in flight for weight ${weight}`;
}

function cost(candidate: Candidate, now: number): number {
  const measured = candidate.latency(now);
  // A never measured one is tried at once, but with one call: what it is worth is not known
  // until that answers, and it may be a black hole.
  const expected = measured > 0 ? measured : candidate.inFlight === 0 ? 0 : UNPROVEN;
  return (expected * (candidate.inFlight + 1)) / candidate.weight;
}
