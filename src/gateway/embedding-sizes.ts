/** The length of a model's vectors, and who gave one first. */
interface Size {
  readonly instance: string;
  readonly numbers: number;
}

/** An instance whose vectors were others. */
interface Unlike {
  readonly reason: string;
  readonly at: number;
}

/** Milliseconds after which one that was unlike may show that it has been mended. */
const AGAIN = 600_000;
/** Models whose sizes are remembered; those not asked for the longest go first. */
const MOST = 2000;

/**
 * What the vectors of each embedding model have been like, so that those of another model under the
 * same name are noticed: mixed in one index, they make every search wrong without a word.
 */
export class EmbeddingSizes {
  readonly #sizes = new Map<string, Size>();
  readonly #unlike = new Map<string, Map<string, Unlike>>();

  /**
   * Takes note of a vector's length.
   * @param model As the client asked for it, and whatever else its vectors depend on.
   * @param vector.now Milliseconds, on the same clock as for `refused`.
   * @returns Why this instance must not serve the model, where its vectors are unlike those before.
   */
  see(
    model: string,
    instance: string,
    { numbers, now }: { readonly numbers: number; readonly now: number },
  ): string | undefined {
    const known = this.#sizes.get(model);
    // The one that was first may have another model now; then the others have to match that.
    if (!known || known.instance === instance) {
      if (known?.numbers !== numbers) this.#unlike.delete(model);
      this.#remember(model, { instance, numbers });
      return undefined;
    }
    if (known.numbers === numbers) {
      this.#unlike.get(model)?.delete(instance);
      return undefined;
    }
    const reason = `gives vectors of ${numbers} numbers, where ${known.instance} gives ${known.numbers}`;
    const unlike = this.#unlike.get(model) ?? new Map<string, Unlike>();
    this.#unlike.set(model, unlike.set(instance, { reason, at: now }));
    return reason;
  }

  /** @returns Why an instance must not serve a model; nothing when it may. */
  refusal(model: string, instance: string, now: number): string | undefined {
    const unlike = this.#unlike.get(model)?.get(instance);
    return unlike && now - unlike.at < AGAIN ? unlike.reason : undefined;
  }

  /** Names may stand for other models now. */
  clear(): void {
    this.#sizes.clear();
    this.#unlike.clear();
  }

  #remember(model: string, size: Size): void {
    this.#sizes.delete(model);
    this.#sizes.set(model, size);
    if (this.#sizes.size <= MOST) return;
    const [oldest] = this.#sizes.keys();
    this.#sizes.delete(oldest!);
    this.#unlike.delete(oldest!);
  }
}
