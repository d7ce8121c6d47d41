import { whyText } from '../observe/choice.ts';
import type { Choice } from '../observe/outcome.ts';
import type { Standing } from './balance/balancer.ts';
import { preferLoaded } from './balance/prefer-loaded.ts';
import { lowestTier } from './candidates.ts';
import type { Routable, Target } from './directory.ts';
import type { Step } from './resolve.ts';
import type { ServicePlan } from './snapshot.ts';

/** Where a target stands among all that can serve. */
interface Place {
  /** Only of those that the strategy chose among. */
  readonly standing: Standing | undefined;
  /** The likeliest, where it is drawn. */
  readonly first: boolean;
  /** Why it is the first, or why not; one clause without a subject. */
  readonly reason: string;
}

interface Balancing {
  readonly plan: ServicePlan;
  readonly affinity: string;
  readonly now: number;
}

/**
 * How those that can serve stand to one another, by the same rules as `choose`; no turn is moved.
 * @param able May be empty.
 */
export function contest<I extends Routable>(
  able: readonly Target<I>[],
  step: Step<I>,
  { plan, affinity, now }: Balancing,
): ReadonlyMap<Target<I>, Place> {
  const places = new Map<Target<I>, Place>();
  if (able.length === 0) return places;
  const lose = (from: readonly Target<I>[], to: readonly Target<I>[], reason: string): void => {
    for (const target of from) {
      if (!to.includes(target)) places.set(target, { standing: undefined, first: false, reason });
    }
  };
  const tier = lowestTier(able);
  const { priority } = tier[0]!.instance;
  lose(able, tier, `waits behind priority ${priority}`);
  const { strategy, preferLoaded: loadedFirst } = plan.loadBalance;
  const pool = loadedFirst ? preferLoaded(tier, ({ entry }) => entry?.loaded === true) : tier;
  lose(tier, pool, 'does not have the model in memory, as others have');

  if (pool.length === 1) {
    const by = able.length === 1 ? 'only' : tier.length === 1 ? 'priority' : 'loaded';
    const reason = first(by, by === 'priority' ? able.length : tier.length);
    places.set(pool[0]!, { standing: undefined, first: true, reason });
    return places;
  }
  const balancer = plan.balancerFor(step.via === 'wildcard' ? '*' : step.model);
  const instances = pool.map(({ instance }) => instance);
  const standings = balancer.rank(instances, { now, affinity });
  const best = Math.max(...standings.map(({ chance }) => chance));
  const winner = standings.findIndex(({ chance }) => chance === best);
  const method = first(strategy, pool.length);
  for (const [index, target] of pool.entries()) {
    const standing = standings[index]!;
    const wins = index === winner;
    const odds = `with a chance of ${Math.round(standing.chance * 100)} %`;
    const how = best < 1 ? `${method}, ${odds}` : wins ? method : 'not this time';
    places.set(target, { standing, first: wins, reason: `${how}: ${standing.text}` });
  }
  return places;
}

/** In the words that calls are recorded with. */
function first(by: Choice['by'], of: number): string {
  return whyText({ by, of, after: undefined, fallback: false });
}
