import type { Config } from '../config/schema.ts';
import type { Strategy } from '../config/options/service.ts';
import {
  serviceSettings,
  timeoutsFor,
  type LoadBalance,
  type QueueSettings,
  type RetrySettings,
  type Timeouts,
  type Unsupported,
} from '../config/settings.ts';
import { SERVICES, type Service } from '../service.ts';
import type { Balancer } from './balance/balancer.ts';
import { BALANCERS } from './balance/index.ts';
import { limitRules } from './protect/limit-rules.ts';
import { Limits } from './protect/limits.ts';

/** A model name of the user's own. */
export interface Alias {
  readonly targets: readonly { readonly instance: string; readonly model: string }[];
  /** Model names that are tried in this order when no target can serve. */
  readonly fallback: readonly string[];
}

/** How one service is routed. */
export interface ServicePlan {
  readonly loadBalance: LoadBalance;
  readonly retry: RetrySettings;
  readonly queue: QueueSettings;
  /** Milliseconds between comments to a client that waits for a stream; absent: none are sent. */
  readonly keepAlive: number | undefined;
  /** Milliseconds, or the usual time to first byte, after which a late attempt gets company. */
  readonly hedge: number | 'p95' | undefined;
  readonly defaultModel: string | undefined;
  /** What becomes of what a backend of another dialect can't be told. */
  readonly unsupported: Unsupported;
  /**
   * Time-outs on an instance, by its name. A call may meet one that the config got later than it
   * started: that one has what holds for the service.
   */
  readonly timeoutsOn: (instance: string) => Timeouts;
  /**
   * The strategy's state for the calls of one model: models have different candidates, and what
   * one model's calls did must not shift another's turns.
   */
  readonly balancerFor: (model: string) => Balancer;
}

/** The immutable plan compiled from one valid config. */
export interface Snapshot {
  readonly config: Config;
  readonly aliases: ReadonlyMap<string, Alias>;
  readonly services: Readonly<Record<Service, ServicePlan>>;
  readonly limits: Limits;
}

/**
 * Compiles a valid config; fails only on a bug.
 * @param previous What it follows: rate limits that mean the same as before keep their counts, and a
 * service that is balanced as before keeps its turns.
 */
export function compile(config: Config, previous?: Snapshot): Snapshot {
  const plans = SERVICES.map((service) => {
    const before = previous?.services[service];
    return [service, planFor(service, config, before)] as const;
  });
  return {
    config,
    aliases: new Map(
      Object.entries(config.models).map(([name, model]) => [
        name,
        { targets: model.targets.map(splitTarget), fallback: model.fallback },
      ]),
    ),
    services: Object.fromEntries(plans) as Record<Service, ServicePlan>,
    limits: new Limits(limitRules(config), previous?.limits),
  };
}

function planFor(service: Service, config: Config, before: ServicePlan | undefined): ServicePlan {
  const settings = serviceSettings(config, service);
  const { strategy } = settings.loadBalance;
  return {
    ...settings,
    timeoutsOn: timeoutsIn(config, service),
    balancerFor:
      before?.loadBalance.strategy === strategy ? before.balancerFor : balancersFor(strategy),
  };
}

/** Apart, as what a function closes over it keeps alive: the plan before, and the one before that. */
function timeoutsIn(config: Config, service: Service): ServicePlan['timeoutsOn'] {
  const names = Object.keys(config.instances);
  const own = new Map(names.map((name) => [name, timeoutsFor(config, service, name)] as const));
  const usual = timeoutsFor(config, service);
  return (instance) => own.get(instance) ?? usual;
}

function balancersFor(strategy: Strategy): ServicePlan['balancerFor'] {
  const balancers = new Map<string, Balancer>();
  return (model) => {
    let balancer = balancers.get(model);
    if (!balancer) {
      balancer = BALANCERS[strategy]();
      balancers.set(model, balancer);
    }
    return balancer;
  };
}

/** `gpu-1/Qwen/Qwen3` is the model `Qwen/Qwen3` on `gpu-1`: instance names have no slash. */
function splitTarget(target: string): { instance: string; model: string } {
  const slash = target.indexOf('/');
  return { instance: target.slice(0, slash), model: target.slice(slash + 1) };
}
