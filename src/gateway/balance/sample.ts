import type { Candidate } from './balancer.ts';

export function totalWeight(candidates: readonly Candidate[]): number {
  let total = 0;
  for (let index = 0; index < candidates.length; index++) total += candidates[index]!.weight;
  return total;
}

/**
 * Draws by weight.
 * @param total The weights' sum, without that of `skip`.
 * @param uniform The die, in [0, 1).
 * @param skip An index that is not to be drawn; there must be another.
 * @returns An index of `candidates`.
 */
export function sample(
  candidates: readonly Candidate[],
  total: number,
  uniform: number,
  skip = -1,
): number {
  let left = uniform * total;
  let last = 0;
  for (let index = 0; index < candidates.length; index++) {
    if (index === skip) continue;
    last = index;
    left -= candidates[index]!.weight;
    if (left < 0) return index;
  }
  // Rounding can leave a crumb beyond the last one.
  return last;
}
