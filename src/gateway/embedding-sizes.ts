/** The length of a model's vectors, and who gave one first. */
interface Size {
  readonly instance: string;
  readonly numbers: number;
}

/** Models whose sizes are remembered; those not asked for the longest go first. */
const MOST = 2000;

/**
 * What the vectors of each embedding model have been like, so that those of another model under the
 * same name are noticed: mixed in one index, they make every search wrong without a word.
 */
export class EmbeddingSizes {
  readonly #sizes = new Map<string, Size>();
  /** Instances whose vectors were others, with the reason, by model. */
  readonly #others = new Map<string, Map<string, string>>();

  /**
   * Takes note of a vector's length.
   * @param model As the client asked for it, and whatever else its vectors depend on.
   * @returns Why this instance must not serve the model, where its vectors are unlike those before.
   */
  see(model: string, instance: string, numbers: number): string | undefined {
    const known = this.#sizes.get(model);
    // The one that was first may have another model now; then the others have to match that.
    if (!known || known.instance === instance) {
      if (known?.numbers !== numbers) this.#others.delete(model);
      this.#remember(model, { instance, numbers });
      return undefined;
    }
    if (known.numbers === numbers) {
      this.#others.get(model)?.delete(instance);
      return undefined;
    }
    const reason = `gives vectors of ${numbers} numbers, where ${known.instance} gives ${known.numbers}`;
    const others = this.#others.get(model) ?? new Map<string, string>();
    this.#others.set(model, others.set(instance, reason));
    return reason;
  }

  /** @returns The instances that must not serve a model, with the reason. */
  refused(model: string): ReadonlyMap<string, string> | undefined {
    return this.#others.get(model);
  }

  /** An instance is gone, or is another one now. */
  forget(instance: string): void {
    for (const [model, size] of this.#sizes) {
      if (size.instance !== instance) continue;
      this.#sizes.delete(model);
      this.#others.delete(model);
    }
    for (const others of this.#others.values()) others.delete(instance);
  }

  #remember(model: string, size: Size): void {
    this.#sizes.delete(model);
    this.#sizes.set(model, size);
    if (this.#sizes.size <= MOST) return;
    const [oldest] = this.#sizes.keys();
    this.#sizes.delete(oldest!);
    this.#others.delete(oldest!);
  }
}
