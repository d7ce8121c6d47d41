import type { Candidate, PickContext } from '../../../src/gateway/balance/balancer.ts';

/** An instance whose numbers a test can move. */
export interface Member extends Candidate {
  weight: number;
  inFlight: number;
  /** Milliseconds that `latency` gives. */
  measured: number;
}

export function member(name: string, weight = 1): Member {
  return {
    name,
    weight,
    inFlight: 0,
    measured: 100,
    latency() {
      return this.measured;
    },
  };
}

/** One instance a weight: `i0`, `i1`, … */
export function fleet(weights: readonly number[]): Member[] {
  return weights.map((weight, index) => member(`i${index}`, weight));
}

/** A die that falls the same in every run (mulberry32). */
export function die(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function context(part: Partial<PickContext> = {}): PickContext {
  return { now: 0, random: die(), affinity: '127.0.0.1', ...part };
}

/** @returns How often each name was picked. */
export function count(picks: Iterable<Candidate>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { name } of picks) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** @returns The largest relative distance of any instance's picks from its share by weight. */
export function imbalance(
  members: readonly Candidate[],
  counts: ReadonlyMap<string, number>,
): number {
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const picks = [...counts.values()].reduce((sum, n) => sum + n, 0);
  return Math.max(
    ...members.map(({ name, weight }) => {
      const share = (picks * weight) / total;
      return Math.abs((counts.get(name) ?? 0) - share) / share;
    }),
  );
}
