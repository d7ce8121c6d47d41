/** The latest so many of something. */
export class Ring<T> {
  readonly #size: number;
  readonly #items: T[] = [];
  /** Where the next one goes, once it is full. */
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  push(item: T): void {
    if (this.#items.length < this.#size) {
      this.#items.push(item);
      return;
    }
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.#size;
  }

  /** The latest first. */
  *[Symbol.iterator](): Generator<T> {
    const { length } = this.#items;
    for (let back = 1; back <= length; back++)
      yield this.#items[(this.#next + length - back) % length]!;
  }
}
