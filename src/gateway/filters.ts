import { serviceOf, type Operation } from '../service.ts';
import type { Hindrance, InstanceState, Target } from './directory.ts';
import { hasModel } from './resolve.ts';

/** Why an instance can't serve a call right now. */
export interface Verdict {
  /** `unsupported` and `no_model` are for good; an instance may come back from the others. */
  readonly kind:
    | 'unsupported'
    | 'no_model'
    | 'tried'
    | 'limited'
    | Hindrance['kind']
    | Exclude<InstanceState, 'healthy' | 'unknown'>;
  /** One clause, fit for an error message. */
  readonly reason: string;
  /** When it may serve again, on the clock of `now`; absent: nobody can say. */
  readonly until?: number | undefined;
  /** Of `limited`: where that limit stands in the config. */
  readonly limit?: string;
}

/** Why an instance's own rate limits refuse a call. */
export type Limited = Required<Pick<Verdict, 'reason' | 'limit'>> & { readonly until: number };

/** What the filters need to know of a call. */
export interface FilterContext {
  readonly operation: Operation;
  /** Names of instances that this call has already been to. */
  readonly tried: ReadonlySet<string>;
  /** Milliseconds, on the clock of the instances. */
  readonly now: number;
  /** An instance that the call has a slot on already: to be busy is no hindrance there. */
  readonly holds?: string | undefined;
  /** Why an instance's own rate limits refuse the call now. */
  readonly limited?: (instance: string) => Limited | undefined;
}

/** One thing that may stand against a target. */
interface Filter {
  readonly name: string;
  /** @returns Nothing when it lets the call through. */
  reject(target: Target, context: FilterContext): Verdict | undefined;
  /** What it has to say of a target that it lets through. */
  pass(target: Target, context: FilterContext): string;
}

/**
 * Everything that a target must pass, in this order; the first that does not let it through is what
 * its rejection tells. What has failed this call is not waited for, but a model that is loading is:
 * so `tried` stands between the two.
 */
export const FILTERS: readonly Filter[] = [
  {
    name: 'service',
    reject({ instance, entry }, { operation }) {
      const service = serviceOf(operation);
      if (!instance.supports(operation)) {
        return { kind: 'unsupported', reason: `does not offer ${service}` };
      }
      if (entry?.services && !entry.services.includes(service)) {
        return { kind: 'unsupported', reason: `has it for ${entry.services.join(', ')} only` };
      }
      return undefined;
    },
    pass: (_, { operation }) => `offers ${serviceOf(operation)}`,
  },
  {
    name: 'state',
    reject({ instance }, { now }) {
      const { state, stateDetail, nextLook } = instance;
      if (state === 'healthy' || state === 'unknown') return undefined;
      const detail = stateDetail === undefined ? '' : ` (${stateDetail})`;
      // A look changes nothing about one that is to be left alone.
      const until = state === 'draining' ? undefined : nextLook;
      const back = until === undefined ? '' : `, and is looked at again in ${seconds(until - now)}`;
      return { kind: state, reason: `is ${state}${detail}${back}`, until };
    },
    pass: ({ instance }) =>
      instance.state === 'unknown' ? 'is not probed yet, and may serve' : 'is healthy',
  },
  {
    name: 'model',
    reject(target) {
      if (hasModel(target)) return undefined;
      return { kind: 'no_model', reason: `has no model "${target.model}"` };
    },
    pass({ instance, entry }) {
      if (entry) return 'has the model';
      return instance.catalogue.known
        ? 'has a pattern for the model'
        : 'is not asked for models yet';
    },
  },
  {
    name: 'breaker',
    reject: ({ instance, model }, { now }) => instance.hindrance('open', model, now),
    pass: () => 'its circuit breaker lets calls through',
  },
  {
    name: 'rest',
    reject: ({ instance, model }, { now }) => instance.hindrance('resting', model, now),
    pass: () => 'does not ask to be left alone',
  },
  {
    name: 'loading',
    reject: ({ instance, model }, { now }) => instance.hindrance('loading', model, now),
    pass: ({ entry }) => (entry?.loaded === true ? 'has it in memory' : 'is not loading it'),
  },
  {
    name: 'tried',
    reject({ instance }, { tried }) {
      return tried.has(instance.name) ? { kind: 'tried', reason: 'has just failed' } : undefined;
    },
    pass: () => 'has not failed this call',
  },
  {
    name: 'room',
    reject({ instance, model }, { now, holds }) {
      return holds === instance.name ? undefined : instance.hindrance('busy', model, now);
    },
    pass: ({ instance }) => `has room (${instance.inFlight} in flight)`,
  },
  {
    name: 'limit',
    reject({ instance }, { limited }) {
      const refused = limited?.(instance.name);
      return refused && { kind: 'limited', ...refused };
    },
    pass: () => 'is within its own rate limits',
  },
];

/** @returns Why a target can't serve the call now; nothing when it can. */
export function rejection(target: Target, context: FilterContext): Verdict | undefined {
  for (const filter of FILTERS) {
    const verdict = filter.reject(target, context);
    if (verdict) return verdict;
  }
  return undefined;
}

/** Milliseconds as a person waits them. */
function seconds(milliseconds: number): string {
  return `${Math.max(1, Math.ceil(milliseconds / 1000))} s`;
}
