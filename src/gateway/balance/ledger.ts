interface Entry {
  readonly name: string;
}

/** Names remembered in one generation; at most twice as many are held. */
const GENERATION = 8192;

/**
 * What a strategy remembers of each instance, by name. Bounded: a name that no call has shown for
 * a whole generation of other names is forgotten, so that instances which come and go under ever
 * new names cannot fill the memory.
 */
export class Ledger<E extends Entry> {
  readonly #create: (name: string) => E;
  readonly #generation: number;
  #young = new Map<string, E>();
  #old = new Map<string, E>();
  // Candidates mostly come in the same order: then one comparison saves the look-up in the map.
  readonly #slots: E[] = [];

  constructor(create: (name: string) => E, generation: number = GENERATION) {
    this.#create = create;
    this.#generation = generation;
  }

  /** Entries held now. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** @param position Where the name stands among this call's candidates, from 0. */
  entry(name: string, position: number): E {
    const slot = this.#slots[position];
    if (slot !== undefined && slot.name === name) return slot;
    const entry = this.#find(name);
    // Never leave holes: an array with holes is slow for good.
    this.#slots[Math.min(position, this.#slots.length)] = entry;
    return entry;
  }

  /** @returns What is remembered of a name, without remembering that it was asked for. */
  peek(name: string): E | undefined {
    return this.#young.get(name) ?? this.#old.get(name);
  }

  #find(name: string): E {
    const known = this.#young.get(name);
    if (known !== undefined) return known;
    const entry = this.#old.get(name) ?? this.#create(name);
    this.#old.delete(name);
    if (this.#young.size >= this.#generation) {
      this.#old = this.#young;
      this.#young = new Map();
      // A slot must not keep alive what the maps forget: one name would have two entries.
      this.#slots.length = 0;
    }
    this.#young.set(name, entry);
    return entry;
  }
}
