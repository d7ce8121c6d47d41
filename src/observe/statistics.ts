import { serviceOf, type Service } from '../service.ts';
import type { AttemptRecord, Outcome } from './outcome.ts';
import { AttemptSeries, CallSeries, ServiceSeries } from './series.ts';
import { increase } from './counts.ts';
import { Tally } from './tally.ts';

/** Models that have a row of their own. */
export const MOST_MODELS = 200;
/** A row that has been silent for this many milliseconds may give way to a model without one. */
const SILENT = 600_000;
const MOST_ERRORS = 10;
/** Series of calls; beyond them, those of one model are not told apart by instance any more. */
const MOST_SERIES = 2000;
/** Stands for all models without a row. */
const OTHERS = 'other';
/** Rate limits whose refusals are counted; a config has a few dozens. */
const MOST_LIMITS = 1000;

/** An attempt that failed, as an instance's page shows it. */
interface LastError {
  readonly at: number;
  /** The call's id. */
  readonly call: string;
  readonly model: string;
  readonly message: string;
}

class InstanceRow {
  readonly tally = new Tally();
  /** Absent: there was no attempt yet. */
  series: AttemptSeries | undefined;
  /** The latest first. */
  readonly lastErrors: LastError[] = [];
  /** How often its circuit breaker came into each state. */
  readonly transitions = new Map<string, number>();
}

class ModelRow {
  readonly tally = new Tally();
  lastAt = 0;
  /** By the instance on which the calls ended; seldom more than one service. */
  readonly #series = new Map<string, CallSeries[]>();

  *series(): Generator<CallSeries> {
    for (const ofInstance of this.#series.values()) yield* ofInstance;
  }

  find(service: Service, instance: string): CallSeries | undefined {
    return this.#series.get(instance)?.find((one) => one.service === service);
  }

  open(service: Service, instance: string): CallSeries {
    const series = new CallSeries(service, instance);
    this.#series.set(instance, [...(this.#series.get(instance) ?? []), series]);
    return series;
  }

  /** Forgets what ended on instances that are gone. */
  keep(instances: ReadonlyMap<string, unknown>): void {
    for (const name of this.#series.keys())
      if (name !== '' && !instances.has(name)) this.#series.delete(name);
  }
}

/**
 * What is counted of all calls: over all, by instance, model and service. All of it is read from
 * outcomes, once each, so that the parts always add up to the whole.
 */
export class Statistics {
  /** All calls. */
  readonly whole = new Tally();
  readonly services = new Map<Service, ServiceSeries>();
  /** Calls that rate limits refused, by where the limit stands: `service chat`. */
  readonly refusals = new Map<string, number>();
  #instances = new Map<string, InstanceRow>();
  readonly #models = new Map<string, ModelRow>();
  /** Of calls whose model has no row: nobody has it, or there are too many. */
  readonly #others = new ModelRow();
  /** Series of calls, over all models. */
  #series = 0;

  /** Gives these instances a row each; those of others vanish, also from calls that still run on them. */
  keep(instances: Iterable<string>): void {
    const previous = this.#instances;
    this.#instances = new Map();
    for (const name of instances)
      this.#instances.set(name, previous.get(name) ?? new InstanceRow());
    for (const [, row] of this.allModels()) row.keep(this.#instances);
    this.#countSeries();
  }

  /** @param now Milliseconds of a clock that does not step back. */
  add(outcome: Outcome, now: number): void {
    this.whole.add(outcome, now);
    for (const attempt of outcome.attempts) this.#addAttempt(outcome, attempt, now);
    const row = this.#rowOf(outcome, now);
    row.tally.add(outcome, now);
    row.lastAt = now;
    this.#seriesOf(outcome, row).add(outcome);
    this.#service(outcome.operation).add(outcome);
    const { limit } = outcome;
    if (limit === undefined) return;
    if (this.refusals.has(limit) || this.refusals.size < MOST_LIMITS)
      increase(this.refusals, limit);
  }

  /** An instance's circuit breaker came into a state. */
  breakerChanged(instance: string, to: string): void {
    const row = this.#instances.get(instance);
    if (row) increase(row.transitions, to);
  }

  instance(name: string): InstanceRow | undefined {
    return this.#instances.get(name);
  }

  instances(): IterableIterator<[name: string, row: InstanceRow]> {
    return this.#instances.entries();
  }

  /** Those with a row of their own. */
  models(): IterableIterator<[name: string, row: ModelRow]> {
    return this.#models.entries();
  }

  /** Those, and all others together as `other`. */
  *allModels(): Generator<[name: string, row: ModelRow]> {
    yield* this.#models;
    yield [OTHERS, this.#others];
  }

  #addAttempt(outcome: Outcome, attempt: AttemptRecord, now: number): void {
    const row = this.#instances.get(attempt.instance);
    if (!row) return;
    row.tally.add(attempt, now);
    row.series ??= new AttemptSeries();
    row.series.add(attempt);
    const { error, ending, model } = attempt;
    if (error === undefined || ending === 'aborted') return;
    const at = outcome.at + attempt.startedAfter + attempt.duration;
    row.lastErrors.unshift({ at, call: outcome.id, model, message: error });
    if (row.lastErrors.length > MOST_ERRORS) row.lastErrors.pop();
  }

  #service(operation: Outcome['operation']): ServiceSeries {
    const name = serviceOf(operation);
    let service = this.services.get(name);
    if (!service) this.services.set(name, (service = new ServiceSeries()));
    return service;
  }

  #rowOf({ model, modelKnown }: Outcome, now: number): ModelRow {
    // A client must not be able to fill the memory with names of its own.
    if (model === undefined || model === OTHERS || !modelKnown) return this.#others;
    const row = this.#models.get(model);
    if (row) return row;
    if (this.#models.size >= MOST_MODELS && !this.#makeRoom(now)) return this.#others;
    const fresh = new ModelRow();
    this.#models.set(model, fresh);
    return fresh;
  }

  /** Lets the row go that was silent longest; @returns false when all are in use. */
  #makeRoom(now: number): boolean {
    let silent: string | undefined;
    let since = now - SILENT;
    for (const [name, { lastAt }] of this.#models) {
      if (lastAt > since) continue;
      silent = name;
      since = lastAt;
    }
    if (silent === undefined) return false;
    this.#models.delete(silent);
    this.#countSeries();
    return true;
  }

  #seriesOf({ operation, instance }: Outcome, row: ModelRow): CallSeries {
    const service = serviceOf(operation);
    const name = instance !== undefined && this.#instances.has(instance) ? instance : '';
    const known = row.find(service, name);
    if (known) return known;
    const crowded = name !== '' && this.#series >= MOST_SERIES;
    const joint = crowded ? row.find(service, '') : undefined;
    if (joint) return joint;
    this.#series += 1;
    return row.open(service, crowded ? '' : name);
  }

  #countSeries(): void {
    this.#series = 0;
    for (const [, row] of this.allModels()) this.#series += [...row.series()].length;
  }
}
