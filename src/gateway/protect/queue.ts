/** Where calls of one service wait. */
export interface Line {
  readonly name: string;
  /** Calls that may wait at once; 0: none. */
  readonly size: number;
  /** Milliseconds that one call waits at the most, from its `enter`. */
  readonly maxWait: number;
}

/** Leave to run one attempt on an instance. */
export interface Slot {
  /** The instance's name. */
  readonly instance: string;
  /**
   * Gives it to the first who waits for it. Whoever has a slot must release it; again does nothing.
   * @param declinedBy The place of a call that was given the slot and can't use it: this slot does not
   *   come back to it, or two such calls would hand it to each other for ever.
   */
  release(declinedBy?: Place): void;
}

/**
 * How a wait ended: with a slot, which is then the caller's; `look`: something has changed, select
 * again; `timeout`: it has waited for `maxWait`, and has left; `left`: `leave` was called.
 */
export type Wake = Slot | 'look' | 'timeout' | 'left';

/** A call in the queue. It keeps its turn over several waits, until it leaves. */
export interface Place {
  /** Calls of its line that are before it, and itself: from 1. */
  readonly position: number;
  /**
   * Waits for a slot on one of these instances, all of which the caller has found full in this very
   * turn of the event loop: a slot that is free already wakes nobody.
   * @param instances Names.
   * @param lookAt When to wake it with `look` at the latest, such as when a breaker lets trials through.
   */
  wait(instances: Iterable<string>, now: number, lookAt?: number): Promise<Wake>;
  /** Gives the place up: the client is gone, or the call is served. A slot on its way to it goes on. */
  leave(): void;
}

/**
 * The calls that wait because all their candidates are full, in the order they came, over all
 * services: instances are shared between them. A slot that gets free is handed to the first who
 * waits for that instance, and is never free in between, so that no newcomer can take it first.
 */
export class Queue {
  readonly #places = new Set<Waiter>();
  readonly #lengths = new Map<string, number>();

  /**
   * @param now Milliseconds, of the clock that `wait` gets too.
   * @returns A place at the end; `undefined` when the line is full. Its owner must leave it.
   */
  enter(line: Line, now: number): Place | undefined {
    const length = this.length(line.name);
    if (length >= line.size) return undefined;
    this.#lengths.set(line.name, length + 1);
    const waiter = new Waiter(line.name, now + line.maxWait, {
      ahead: () => this.#ahead(waiter),
      left: () => {
        this.#places.delete(waiter);
        this.#lengths.set(line.name, this.length(line.name) - 1);
      },
    });
    this.#places.add(waiter);
    return waiter;
  }

  /** @returns Calls of that line that have a place. */
  length(line: string): number {
    return this.#lengths.get(line) ?? 0;
  }

  /** @returns How many wait for room on each instance, on it alone or among others, by its name. */
  waitingFor(): ReadonlyMap<string, number> {
    const waiting = new Map<string, number>();
    for (const { wanted } of this.#places) {
      for (const instance of wanted) waiting.set(instance, (waiting.get(instance) ?? 0) + 1);
    }
    return waiting;
  }

  /**
   * Hands a slot that gets free to the first who waits for it.
   * @param declined Those who could not use it.
   * @returns Whether anybody takes it.
   */
  offer(slot: Slot, declined: ReadonlySet<Place>): boolean {
    for (const waiter of this.#places) {
      if (!declined.has(waiter) && waiter.accept(slot)) return true;
    }
    return false;
  }

  /**
   * Wakes all, in their order, to select again: an instance has come back, or the config, a limit
   * or a breaker was changed.
   */
  reconsider(): void {
    for (const waiter of this.#places) waiter.wake('look');
  }

  #ahead(waiter: Waiter): number {
    let ahead = 0;
    for (const other of this.#places) {
      if (other === waiter) break;
      if (other.line === waiter.line) ahead += 1;
    }
    return ahead;
  }
}

const NOBODY: ReadonlySet<Place> = new Set();

/** The slots of one instance. */
export class Slots {
  readonly #instance: string;
  readonly #queue: Queue;
  #limit: number | undefined;
  #taken = 0;
  #retired = false;

  /**
   * @param instance Its name.
   * @param limit Attempts at once; `undefined`: no limit.
   */
  constructor(instance: string, limit: number | undefined, queue: Queue) {
    this.#instance = instance;
    this.#limit = limit;
    this.#queue = queue;
  }

  /** Attempts running now, and slots on their way to one who waited. */
  get taken(): number {
    return this.#taken;
  }

  get limit(): number | undefined {
    return this.#limit;
  }

  /** What runs beyond a lower limit runs on. */
  set limit(limit: number | undefined) {
    this.#limit = limit;
    if (!this.full) this.#queue.reconsider();
  }

  get full(): boolean {
    return this.#limit !== undefined && this.#taken >= this.#limit;
  }

  /** The instance is gone: what gets free is offered to nobody, even if another takes its name. */
  retire(): void {
    this.#retired = true;
  }

  /** @returns A slot; `undefined` when it is full. */
  take(): Slot | undefined {
    if (this.full) return undefined;
    this.#taken += 1;
    return this.#slot(NOBODY);
  }

  #slot(declined: ReadonlySet<Place>): Slot {
    let held = true;
    return {
      instance: this.#instance,
      release: (by) => {
        if (!held) return;
        held = false;
        this.#free(by ? new Set([...declined, by]) : NOBODY);
      },
    };
  }

  #free(declined: ReadonlySet<Place>): void {
    const over = this.#retired || (this.#limit !== undefined && this.#taken > this.#limit);
    // Each holder has a slot of its own, or one's second release would end the next one's.
    if (over || !this.#queue.offer(this.#slot(declined), declined)) this.#taken -= 1;
  }
}

class Waiter implements Place {
  readonly line: string;
  readonly #deadline: number;
  readonly #queue: { readonly ahead: () => number; readonly left: () => void };
  #wanted: ReadonlySet<string> = new Set();
  #settle: ((wake: Wake) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #here = true;

  constructor(
    line: string,
    deadline: number,
    queue: { readonly ahead: () => number; readonly left: () => void },
  ) {
    this.line = line;
    this.#deadline = deadline;
    this.#queue = queue;
  }

  get position(): number {
    return this.#queue.ahead() + 1;
  }

  /** Names of the instances that it waits for. */
  get wanted(): ReadonlySet<string> {
    return this.#wanted;
  }

  async wait(instances: Iterable<string>, now: number, lookAt = Infinity): Promise<Wake> {
    if (!this.#here) return 'left';
    this.#wanted = new Set(instances);
    const wake = await new Promise<Wake>((settle) => {
      this.#settle = settle;
      // Its own timer: only who waits pays for it, and there are at most `size` of them.
      const due = Math.min(this.#deadline, lookAt);
      this.#timer = setTimeout(
        () => {
          this.wake(due < this.#deadline ? 'look' : 'timeout');
        },
        Math.max(0, Math.ceil(due - now)),
      );
    });
    if (!this.#here) {
      // It left between the wake and this line.
      if (typeof wake !== 'string') wake.release();
      return 'left';
    }
    if (wake === 'timeout') this.leave();
    return wake;
  }

  leave(): void {
    if (!this.#here) return;
    this.#here = false;
    this.#queue.left();
    this.wake('left');
  }

  accept(slot: Slot): boolean {
    if (!this.#settle || !this.#wanted.has(slot.instance)) return false;
    this.wake(slot);
    return true;
  }

  wake(wake: Wake): void {
    const settle = this.#settle;
    this.#settle = undefined;
    clearTimeout(this.#timer);
    settle?.(wake);
  }
}
