import type { Balancer, Candidate, PickContext } from './balancer.ts';
import { HASH_START, hashText, mix } from './hash.ts';
import { Ledger } from './ledger.ts';

interface Seed {
  readonly name: string;
  readonly first: number;
  readonly second: number;
}

/**
 * Weighted rendezvous hashing of the affinity: each instance draws a number from the affinity and
 * its own name, the best one for its weight wins. No ring, no state but the hashed names: an
 * instance that leaves moves only its own clients, one whose weight grows takes only what it must.
 */
export function rendezvous(): Balancer {
  const seeds = new Ledger<Seed>(seedOf);
  return {
    pick<C extends Candidate>(candidates: readonly C[], { affinity }: PickContext): C {
      const key = mix(hashText(HASH_START, affinity));
      let best = candidates[0]!;
      let bestScore = -1;
      let bestDraw = -1;
      for (let index = 0; index < candidates.length; index++) {
        const candidate = candidates[index]!;
        const draw = drawFor(key, seeds.entry(candidate.name, index));
        // Among equal weights the larger draw scores more: no logarithm for those that lose so.
        if (candidate.weight === best.weight && draw <= bestDraw) continue;
        const score = scoreOf(draw, candidate.weight);
        if (score > bestScore) {
          best = candidate;
          bestScore = score;
          bestDraw = draw;
        }
      }
      return best;
    },
    rank(candidates, { affinity }) {
      const key = mix(hashText(HASH_START, affinity));
      const scores = candidates.map(({ name, weight }) =>
        scoreOf(drawFor(key, seeds.peek(name) ?? seedOf(name)), weight),
      );
      const best = scores.indexOf(Math.max(...scores));
      return candidates.map(({ weight }, index) => ({
        score: scores[index]!,
        text: `hashes to ${scores[index]!.toFixed(3)} with weight ${weight}`,
        chance: index === best ? 1 : 0,
      }));
    },
  };
}

function drawFor(key: number, { first, second }: Seed): number {
  return mix((Math.imul(key ^ first, 0x9e3779b1) + second) | 0);
}

function scoreOf(draw: number, weight: number): number {
  return -weight / Math.log((draw + 0.5) / 2 ** 32);
}

/** Two hashes, since with one some pair among thousands of names would be twins. */
function seedOf(name: string): Seed {
  const first = mix(hashText(HASH_START, name));
  return { name, first, second: mix(hashText(first, name)) };
}
