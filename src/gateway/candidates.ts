import { serviceOf, type Operation } from '../service.ts';
import type { Balancer, PickContext } from './balance/balancer.ts';
import { preferLoaded } from './balance/prefer-loaded.ts';
import type { Hindrance, InstanceState, Routable, Target } from './directory.ts';
import { hasModel } from './resolve.ts';

/** Why an instance can't serve a call right now. */
export interface Rejection {
  readonly instance: string;
  readonly model: string;
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
}

export interface Selection<I extends Routable> {
  readonly candidates: readonly Target<I>[];
  readonly rejections: readonly Rejection[];
}

export interface SelectOptions {
  readonly operation: Operation;
  /** Names of instances that this call has already been to. */
  readonly tried: ReadonlySet<string>;
  /** Milliseconds, on the clock of the instances. */
  readonly now: number;
  /** An instance that the call has a slot on already: to be busy is no hindrance there. */
  readonly holds?: string | undefined;
  /** Why an instance's own rate limits refuse the call now. */
  readonly limited?: (
    instance: string,
  ) => { readonly reason: string; readonly until: number } | undefined;
}

/** Sorts a step's targets into candidates and rejections. */
export function select<I extends Routable>(
  targets: readonly Target<I>[],
  options: SelectOptions,
): Selection<I> {
  const candidates: Target<I>[] = [];
  const rejections: Rejection[] = [];
  for (const target of targets) {
    const rejected = reject(target, options);
    if (rejected) {
      rejections.push({ instance: target.instance.name, model: target.model, ...rejected });
    } else {
      candidates.push(target);
    }
  }
  return { candidates, rejections };
}

function reject(
  target: Target,
  { operation, tried, now, holds, limited }: SelectOptions,
): Pick<Rejection, 'kind' | 'reason' | 'until'> | undefined {
  const { instance, entry } = target;
  const service = serviceOf(operation);
  if (!instance.supports(operation)) {
    return { kind: 'unsupported', reason: `does not offer ${service}` };
  }
  if (entry?.services && !entry.services.includes(service)) {
    return { kind: 'unsupported', reason: `has it for ${entry.services.join(', ')} only` };
  }
  const { state } = instance;
  if (state !== 'healthy' && state !== 'unknown') {
    const detail = instance.stateDetail === undefined ? '' : ` (${instance.stateDetail})`;
    const back =
      instance.nextLook === undefined
        ? ''
        : `, and is looked at again in ${seconds(instance.nextLook - now)}`;
    return { kind: state, reason: `is ${state}${detail}${back}`, until: instance.nextLook };
  }
  if (!hasModel(target)) {
    return { kind: 'no_model', reason: `has no model "${target.model}"` };
  }
  const holdsSlot = holds === instance.name;
  const hindrance = instance.hindrance(target.model, { now, holdsSlot });
  // What has failed this call is not waited for, but a model that is loading is.
  if (hindrance && hindrance.kind !== 'busy') return hindrance;
  if (tried.has(instance.name)) return { kind: 'tried', reason: 'has just failed' };
  if (hindrance) return hindrance;
  const refused = limited?.(instance.name);
  return refused && { kind: 'limited', ...refused };
}

/** A choice and what made it. */
export interface Chosen<I extends Routable> {
  readonly target: Target<I>;
  /** `only`: there was no other; `priority`, `loaded`: that left one; else it was the strategy. */
  readonly by: 'only' | 'priority' | 'loaded' | 'strategy';
  /** Instances that it was chosen from. */
  readonly of: number;
}

/**
 * Picks one candidate: the lowest priority tier, in it those that have the model in memory when
 * that is preferred, among them the strategy's choice.
 * @param candidates At least one.
 */
export function choose<I extends Routable>(
  candidates: readonly Target<I>[],
  balancer: Balancer,
  options: { readonly preferLoaded: boolean; readonly context: PickContext },
): Chosen<I> {
  if (candidates.length === 1) return { target: candidates[0]!, by: 'only', of: 1 };
  const tier = lowestTier(candidates);
  if (tier.length === 1) return { target: tier[0]!, by: 'priority', of: candidates.length };
  const pool = options.preferLoaded
    ? preferLoaded(tier, ({ entry }) => entry?.loaded === true)
    : tier;
  if (pool.length === 1) return { target: pool[0]!, by: 'loaded', of: tier.length };
  const instances = pool.map(({ instance }) => instance);
  const index = instances.indexOf(balancer.pick(instances, options.context));
  return { target: pool[index]!, by: 'strategy', of: pool.length };
}

/** Milliseconds as a person waits them. */
function seconds(milliseconds: number): string {
  return `${Math.max(1, Math.ceil(milliseconds / 1000))} s`;
}

function lowestTier<I extends Routable>(candidates: readonly Target<I>[]): readonly Target<I>[] {
  const first = candidates[0]!.instance.priority;
  let lowest = first;
  let mixed = false;
  for (const { instance } of candidates) {
    if (instance.priority !== first) mixed = true;
    if (instance.priority < lowest) lowest = instance.priority;
  }
  return mixed ? candidates.filter(({ instance }) => instance.priority === lowest) : candidates;
}
