import { isDeepStrictEqual } from 'node:util';
import type {
  Adapter,
  CatalogueModel,
  Facts,
  OperationSpec,
  ProbeResult,
} from '../adapters/adapter.ts';
import type { Catalogue } from '../gateway/directory.ts';
import { askedFor, OPERATIONS, type Operation } from '../service.ts';
import { catalogueOf } from './catalogue.ts';
import type { InstanceSettings } from './settings.ts';

/** What an instance can do, and which models it has: as its config says, and its probes find. */
export class Abilities {
  catalogue: Catalogue;
  version: string | undefined;
  facts: Facts = {};
  readonly #adapter: Adapter;
  #settings: InstanceSettings;
  #listed: readonly CatalogueModel[] | undefined;
  /** What its probe says that it has. */
  #offered: readonly Operation[] | undefined;
  /** Those that only some servers of the kind have, and this one has shown. */
  #shown: readonly Operation[] = [];
  #operations: ReadonlySet<Operation>;
  readonly #has = (operation: Operation): boolean => this.#operations.has(operation);

  /** @param known Those of the same backend, from before. */
  constructor(settings: InstanceSettings, known: Abilities | undefined) {
    this.#adapter = settings.adapter;
    this.#settings = settings;
    if (known) {
      this.#listed = known.#listed;
      this.#offered = known.#offered;
      this.#shown = known.#shown;
      this.version = known.version;
      this.facts = known.facts;
    }
    this.catalogue = catalogueOf(settings.models, this.#listed);
    this.#operations = this.#allowed();
  }

  update(settings: InstanceSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    if (!isDeepStrictEqual(settings.models, before.models)) {
      this.catalogue = catalogueOf(settings.models, this.#listed);
    }
    this.#operations = this.#allowed();
  }

  learn(result: ProbeResult): void {
    if (result.version !== undefined) this.version = result.version;
    if (result.facts) this.facts = result.facts;
    // The same list again must not look like a change: an index over all models depends on it.
    if (result.models && !isDeepStrictEqual(result.models, this.#listed)) {
      this.#listed = result.models;
      this.catalogue = catalogueOf(this.#settings.models, result.models);
    }
    if (result.operations) this.#offered = result.operations;
    this.#operations = this.#allowed();
  }

  /** @param shown Operations that only some servers of the kind have, and this one has shown. */
  learnShown(shown: readonly Operation[]): void {
    this.#shown = shown;
    this.#operations = this.#allowed();
  }

  /** What the server is asked for an operation: that, or what it is translated to. */
  asked(operation: Operation): Operation | undefined {
    return askedFor(operation, this.#has);
  }

  #allowed(): ReadonlySet<Operation> {
    const { services } = this.#settings;
    const own = Object.entries(this.#adapter.operations) as [Operation, OperationSpec][];
    const unused = this.#unused();
    const allowed = own.filter(
      ([operation, { shownBy }]) =>
        !unused.includes(operation) &&
        (this.#shown.includes(operation) ||
          (this.#offered?.includes(operation) ?? shownBy === undefined)) &&
        (services?.includes(OPERATIONS[operation].service) ?? true),
    );
    return new Set(allowed.map(([operation]) => operation));
  }

  /** Operations that the server has, and others have to stand in for. */
  #unused(): readonly Operation[] {
    const { options, repairToolCalls } = this.#settings;
    const own = this.#adapter.unused?.(options) ?? [];
    // Tool calls are put right in chat completions alone.
    const repaired = repairToolCalls && 'chat' in this.#adapter.operations;
    return repaired ? [...own, 'messages', 'responses'] : own;
  }
}
