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

/** One strategy's state for one stream of calls. The candidates may differ from call to call. */
export interface Balancer {
  /** @param candidates At least one. */
  pick<C extends Candidate>(candidates: readonly C[], context: PickContext): C;
}
