import type { Candidate } from './balancer.ts';
import { Ledger } from './ledger.ts';
import { totalWeight } from './sample.ts';

interface Turn {
  readonly name: string;
  /** What it is owed, where `call` is what one whole call is worth. */
  credit: number;
  call: number;
}

/**
 * Smooth weighted round robin, as nginx does it: each call credits every candidate with its
 * weight, and the richest pays for all of them. Credits add up to nothing, so a candidate that
 * was away owes and is owed no more than it was when it left.
 */
export class Rotation {
  readonly #turns = new Ledger<Turn>((name) => ({ name, credit: 0, call: 1 }));

  /** @param candidates At least one. */
  next<C extends Candidate>(candidates: readonly C[]): C {
    const call = totalWeight(candidates);
    let best = candidates[0]!;
    let richest: Turn | undefined;
    for (let index = 0; index < candidates.length; index++) {
      const candidate = candidates[index]!;
      const turn = this.#turns.entry(candidate.name, index);
      // Weights of another set of candidates are another currency: unconverted, a call that few
      // could serve would count for less than one that many could.
      if (turn.call !== call) {
        turn.credit *= call / turn.call;
        turn.call = call;
      }
      turn.credit += candidate.weight;
      if (richest === undefined || turn.credit > richest.credit) {
        richest = turn;
        best = candidate;
      }
    }
    richest!.credit -= call;
    return best;
  }

  /**
   * What each would have when it came to the next turn, in whole calls; the richest is next, among
   * equals the first.
   * @param candidates At least one.
   */
  credits(candidates: readonly Candidate[]): number[] {
    const call = totalWeight(candidates);
    return candidates.map(({ name, weight }) => {
      const { credit, call: worth } = this.#turns.peek(name) ?? { credit: 0, call };
      // As `next` has it, digit for digit, or ties would not be the same ones.
      return ((worth === call ? credit : credit * (call / worth)) + weight) / call;
    });
  }
}
