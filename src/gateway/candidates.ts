import type { Balancer, PickContext } from './balance/balancer.ts';
import { preferLoaded } from './balance/prefer-loaded.ts';
import type { Routable, Target } from './directory.ts';
import { rejection, type FilterContext, type Verdict } from './filters.ts';

/** Why an instance can't serve a call right now. */
export interface Rejection extends Verdict {
  readonly instance: string;
  readonly model: string;
}

export interface Selection<I extends Routable> {
  readonly candidates: readonly Target<I>[];
  readonly rejections: readonly Rejection[];
}

/** Sorts a step's targets into candidates and rejections. */
export function select<I extends Routable>(
  targets: readonly Target<I>[],
  context: FilterContext,
): Selection<I> {
  const candidates: Target<I>[] = [];
  const rejections: Rejection[] = [];
  for (const target of targets) {
    const rejected = rejection(target, context);
    if (rejected) {
      rejections.push({ instance: target.instance.name, model: target.model, ...rejected });
    } else {
      candidates.push(target);
    }
  }
  return { candidates, rejections };
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

/** @param candidates At least one. */
export function lowestTier<I extends Routable>(
  candidates: readonly Target<I>[],
): readonly Target<I>[] {
  const first = candidates[0]!.instance.priority;
  let lowest = first;
  let mixed = false;
  for (const { instance } of candidates) {
    if (instance.priority !== first) mixed = true;
    if (instance.priority < lowest) lowest = instance.priority;
  }
  return mixed ? candidates.filter(({ instance }) => instance.priority === lowest) : candidates;
}
