/** An instance as a strategy sees it, for one call. */
export interface Candidate {
  /** The instance's name: the key of whatever a strategy remembers. */
  readonly name: string;
  /** Its share of the work; above 0. */
  readonly weight: number;
  /** Attempts running on it now. */
  readonly inFlight: number;
  /** Peak-EWMA of its time to first byte in milliseconds at `now`; 0 when never measured. */
  latency(now: number): number;
}

export interface PickContext {
  /** Milliseconds, of the caller's clock. */
  readonly now: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** What hashing strategies hash: the client's address, or what `key:` chooses. */
  readonly affinity: string;
}

/** How one candidate stands before the next pick. */
export interface Standing {
  /** What the strategy goes by, as a number; whether more or less of it is better is its own. */
  readonly score: number;
  /** The same in words, with what it is made of. */
  readonly text: string;
  /** How likely it is picked, from 0 to 1; the candidates' chances add up to 1. */
  readonly chance: number;
}

/** One strategy's state for one stream of calls. The candidates may differ from call to call. */
export interface Balancer {
  /** @param candidates At least one. */
  pick<C extends Candidate>(candidates: readonly C[], context: PickContext): C;
  /**
   * What `pick` would go by now. Nothing is moved by asking.
   * @param candidates At least one.
   * @returns One for each, in their order.
   */
  rank(candidates: readonly Candidate[], context: Omit<PickContext, 'random'>): Standing[];
}
