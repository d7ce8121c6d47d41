import type { AttemptRecord, Outcome } from './outcome.ts';
import { Tally } from './tally.ts';

/** Models that have a row of their own. */
export const MOST_MODELS = 200;
/** A row that has been silent for this many milliseconds may give way to a model without one. */
const SILENT = 600_000;
const MOST_ERRORS = 10;

/** An attempt that failed, as an instance's page shows it. */
export interface LastError {
  readonly at: number;
  /** The call's id. */
  readonly call: string;
  readonly model: string;
  readonly message: string;
}

interface InstanceRow {
  readonly tally: Tally;
  /** The latest first. */
  readonly lastErrors: LastError[];
}

interface ModelRow {
  readonly tally: Tally;
  lastAt: number;
}

/**
 * What is counted of all calls: over all, by instance and by model. All of it is read from outcomes,
 * once each, so that the parts always add up to the whole.
 */
export class Statistics {
  /** All calls. */
  readonly whole = new Tally();
  #instances = new Map<string, InstanceRow>();
  readonly #models = new Map<string, ModelRow>();

  /** Gives these instances a row each; those of others vanish, also from calls that still run on them. */
  keep(instances: Iterable<string>): void {
    const previous = this.#instances;
    this.#instances = new Map();
    for (const name of instances) {
      this.#instances.set(name, previous.get(name) ?? { tally: new Tally(), lastErrors: [] });
    }
  }

  /** @param now Milliseconds of a clock that does not step back. */
  add(outcome: Outcome, now: number): void {
    this.whole.add(outcome, now);
    for (const attempt of outcome.attempts) this.#addAttempt(outcome, attempt, now);
    // A client must not be able to fill the memory with names of its own.
    if (outcome.model === undefined || !outcome.modelKnown) return;
    const row = this.#models.get(outcome.model) ?? this.#openModel(outcome.model, now);
    if (!row) return;
    row.tally.add(outcome, now);
    row.lastAt = now;
  }

  instance(name: string): InstanceRow | undefined {
    return this.#instances.get(name);
  }

  models(): IterableIterator<[name: string, row: { readonly tally: Tally }]> {
    return this.#models.entries();
  }

  #addAttempt(outcome: Outcome, attempt: AttemptRecord, now: number): void {
    const row = this.#instances.get(attempt.instance);
    if (!row) return;
    row.tally.add(attempt, now);
    const { error, ending, model } = attempt;
    if (error === undefined || ending === 'aborted') return;
    const at = outcome.at + attempt.startedAfter + attempt.duration;
    row.lastErrors.unshift({ at, call: outcome.id, model, message: error });
    if (row.lastErrors.length > MOST_ERRORS) row.lastErrors.pop();
  }

  /** @returns Nothing when there are too many, and all of them in use. */
  #openModel(name: string, now: number): ModelRow | undefined {
    if (this.#models.size >= MOST_MODELS) {
      let silent: string | undefined;
      let since = now - SILENT;
      for (const [other, { lastAt }] of this.#models) {
        if (lastAt > since) continue;
        silent = other;
        since = lastAt;
      }
      if (silent === undefined) return undefined;
      this.#models.delete(silent);
    }
    const row = { tally: new Tally(), lastAt: now };
    this.#models.set(name, row);
    return row;
  }
}
