/** Charges that fit before the log first grows. */
const FIRST_ROOM = 4;

/**
 * What was charged when, oldest first: a ring of (time, cost) pairs that doubles as it fills.
 * Charges of one moment share a place, so it holds no more of them than their total cost.
 */
export class ChargeLog {
  /** The cost of all charges in it, expired ones too until `expire` drops them. */
  total = 0;
  // One array of pairs: two small arrays would weigh more than what is in them.
  #ring = new Float64Array(2 * FIRST_ROOM);
  #head = 0;
  #size = 0;

  /** Places in use. */
  get size(): number {
    return this.#size;
  }

  /** When the last charge was; `-Infinity` when there is none. */
  get lastTime(): number {
    return this.#size > 0 ? this.#ring[this.#slot(this.#size - 1)]! : -Infinity;
  }

  /** The cost of all charges less than a `span` ago. */
  totalAt(now: number, span: number): number {
    let { total } = this;
    for (let place = 0; place < this.#size; place++) {
      const slot = this.#slot(place);
      if (this.#ring[slot]! + span > now) break;
      total -= this.#ring[slot + 1]!;
    }
    return total;
  }

  /** Forgets what was charged a whole `span` ago or earlier. */
  expire(now: number, span: number): void {
    while (this.#size > 0) {
      const slot = this.#slot(0);
      if (this.#ring[slot]! + span > now) return;
      this.total -= this.#ring[slot + 1]!;
      this.#dropOldest();
    }
  }

  /** @returns The time that it is noted under: `now`, or the last charge's if that is later. */
  add(now: number, cost: number): number {
    this.total += cost;
    if (this.#size > 0) {
      const last = this.#slot(this.#size - 1);
      const time = this.#ring[last]!;
      if (time >= now) {
        this.#ring[last + 1]! += cost;
        return time;
      }
    }
    if (this.#size * 2 === this.#ring.length) this.#makeRoom();
    const slot = this.#slot(this.#size++);
    this.#ring[slot] = now;
    this.#ring[slot + 1] = cost;
    return now;
  }

  /** Takes up to `cost` off what was noted under exactly that time, if it has not expired. */
  reduce(time: number, cost: number): void {
    const slot = this.#find(time);
    if (slot === undefined) return;
    const taken = Math.min(cost, this.#ring[slot + 1]!);
    this.#ring[slot + 1]! -= taken;
    this.total -= taken;
    while (this.#size > 0 && this.#ring[this.#slot(this.#size - 1) + 1] === 0) this.#size--;
  }

  /** @returns The time of the charge with whose end the total is down to `rest` at the most. */
  timeBelow(rest: number): number {
    let total = this.total;
    for (let place = 0; place < this.#size; place++) {
      const slot = this.#slot(place);
      total -= this.#ring[slot + 1]!;
      if (total <= rest) return this.#ring[slot]!;
    }
    return -Infinity;
  }

  #slot(place: number): number {
    const pairs = this.#ring.length / 2;
    const index = this.#head + place;
    return 2 * (index < pairs ? index : index - pairs);
  }

  #dropOldest(): void {
    this.#head = (this.#head + 1) % (this.#ring.length / 2);
    this.#size--;
  }

  #find(time: number): number | undefined {
    let low = 0;
    let high = this.#size - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const slot = this.#slot(middle);
      const found = this.#ring[slot]!;
      if (found === time) return slot;
      if (found < time) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /** Places that were given back come first: else charging and refunding would grow it for ever. */
  #makeRoom(): void {
    let used = 0;
    const packed = new Float64Array(this.#ring.length * 2);
    for (let place = 0; place < this.#size; place++) {
      const slot = this.#slot(place);
      if (this.#ring[slot + 1] === 0) continue;
      packed[used++] = this.#ring[slot]!;
      packed[used++] = this.#ring[slot + 1]!;
    }
    this.#size = used / 2;
    this.#head = 0;
    this.#ring = used > this.#ring.length / 2 ? packed : packed.slice(0, this.#ring.length);
  }
}
