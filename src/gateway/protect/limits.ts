import { Limit, limitId, type Caller, type LimitRule, type LimitScope } from './limit.ts';

const NONE: readonly Limit[] = [];

/** Every limit of one config, found by what a call is about. */
export class Limits {
  /** Whether any limit counts tokens, so that a call's have to be estimated. */
  readonly countTokens: boolean;
  /** Whether any counts by instance, so that each candidate has to be asked for. */
  readonly countInstances: boolean;
  readonly #byId = new Map<string, Limit>();
  readonly #ofCall = new LimitTable();
  readonly #ofInstance = new LimitTable();

  /** @param previous Limits that mean the same as before keep their counts. */
  constructor(rules: readonly LimitRule[], previous?: Limits) {
    for (const rule of rules) {
      const limit = (previous && previous.#byId.get(limitId(rule))) ?? new Limit(rule);
      this.#byId.set(limit.id, limit);
      (limit.needsInstance ? this.#ofInstance : this.#ofCall).add(limit);
    }
    this.countInstances = [...this.#byId.values()].some(({ needsInstance }) => needsInstance);
    this.countTokens = [...this.#byId.values()].some(({ unit }) => unit === 'tokens');
  }

  /** Those that a call is charged for once, before an instance is chosen. */
  ofCall(caller: Caller): readonly Limit[] {
    return this.#ofCall.find(caller);
  }

  /** Those of one instance, and those that count by instance; for each attempt on another one. */
  ofInstance(caller: Caller): readonly Limit[] {
    return this.#ofInstance.find(caller);
  }
}

class LimitTable {
  readonly #scopes: Record<LimitScope, Map<string, Limit>> = {
    all: new Map(),
    service: new Map(),
    model: new Map(),
    instance: new Map(),
    key: new Map(),
  };
  #empty = true;

  add(limit: Limit): void {
    this.#scopes[limit.rule.scope].set(limit.rule.name, limit);
    this.#empty = false;
  }

  find({ service, model, key, instance }: Caller): readonly Limit[] {
    if (this.#empty) return NONE;
    const { all, service: services, model: models, key: keys, instance: instances } = this.#scopes;
    const found: Limit[] = [];
    push(found, all.get(''));
    push(found, services.get(service));
    push(found, models.get(model));
    if (key !== undefined) push(found, keys.get(key));
    if (instance !== undefined) push(found, instances.get(instance));
    return found.length > 0 ? found : NONE;
  }
}

function push(found: Limit[], limit: Limit | undefined): void {
  if (limit !== undefined) found.push(limit);
}
