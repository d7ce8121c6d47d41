/** Milliseconds of rest after a refusal that names no time; doubled at each further one. */
const FIRST = 500;
const LONGEST = 30_000;

/**
 * The rest that an instance asks for: it is well, but wants no calls for now (429, "overloaded").
 * Not the breaker's concern, which is about failures.
 */
export class Cooling {
  #until = Number.NEGATIVE_INFINITY;
  #reason = '';
  #next = FIRST;

  /**
   * @param wait Milliseconds; `back-off` when the instance names none: half a second, then twice as
   *   long each time up to 30 s, until a call has gone well.
   * @param reason One clause, for messages.
   */
  cool(now: number, wait: number | 'back-off', reason: string): void {
    if (wait === 'back-off') {
      // The other calls that were on their way are refused for the same cause, and double nothing.
      if (now < this.#until) return;
      this.#until = now + this.#next;
      this.#next = Math.min(2 * this.#next, LONGEST);
    } else {
      if (now + wait <= this.#until) return;
      this.#until = now + wait;
    }
    this.#reason = reason;
  }

  /** A call went well. A rest that the instance asked for meanwhile still holds. */
  succeeded(now: number): void {
    if (now >= this.#until) this.#next = FIRST;
  }

  /** @returns When it ends and why it is; `undefined` when there is none. */
  rest(now: number): { readonly until: number; readonly reason: string } | undefined {
    return now < this.#until ? { until: this.#until, reason: this.#reason } : undefined;
  }

  /** Ends it, and forgets the back-off. */
  reset(): void {
    this.#until = Number.NEGATIVE_INFINITY;
    this.#next = FIRST;
  }
}
