/** Who waits. */
interface Waiting {
  /** A wait is over; another one may be begun. */
  overdue(): void;
}

/**
 * How long one attempt is waited for, again and again: for its connection, its answer, each of its
 * bytes. One timer serves all of these waits. It is only set again when it would come too late, and
 * looks at the deadline when it comes, since setting one for every byte would cost more than the byte.
 */
export class Patience {
  readonly #owner: Waiting;
  readonly #longest: number;
  /** Milliseconds of the wait that runs. */
  length = 0;
  /** On the clock of `performance.now()`, as the timer's due time. */
  #deadline = 0;
  #timer: NodeJS.Timeout | undefined;
  #due = Infinity;

  /**
   * @param longest Milliseconds that the timer is set for at the most: those of the usual last wait.
   */
  constructor(owner: Waiting, longest: number) {
    this.#longest = longest;
    this.#owner = owner;
  }

  /** Begins a wait, in the place of the one that runs. */
  begin(length: number): void {
    this.length = length;
    this.#deadline = performance.now() + length;
    // Set for the wait that comes next too, if that is shorter, it has to be set once only.
    if (this.#deadline < this.#due) this.#set(Math.min(length, this.#longest));
  }

  /** What was waited for has come; the next of its kind is waited for as long. */
  again(): void {
    this.#deadline = performance.now() + this.length;
  }

  /** Asks once more after so many milliseconds, and does not count them. */
  look(delay: number): void {
    this.#set(delay);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #set(delay: number): void {
    clearTimeout(this.#timer);
    this.#due = performance.now() + delay;
    this.#timer = setTimeout(lookAtTheClock, delay, this);
  }

  /** Called by its timer. */
  expire(): void {
    const left = this.#deadline - performance.now();
    // Timers may come a part of a millisecond early.
    if (left > 1) this.#set(left);
    else {
      this.#due = Infinity;
      this.#owner.overdue();
    }
  }
}

/** One function for all: a closure for each wait is more to make, and to collect. */
function lookAtTheClock(patience: Patience): void {
  patience.expire();
}
