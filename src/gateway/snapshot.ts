import type { Config } from '../config/schema.ts';
import {
  serviceSettings,
  timeoutsFor,
  type LoadBalance,
  type Timeouts,
} from '../config/settings.ts';
import { SERVICES, type Service } from '../service.ts';
import type { Balancer } from './balance/balancer.ts';
import { BALANCERS } from './balance/index.ts';

/** A model name of the user's own. */
export interface Alias {
  readonly targets: readonly { readonly instance: string; readonly model: string }[];
  /** Model names that are tried in this order when no target can serve. */
  readonly fallback: readonly string[];
}

/** How one service is routed. */
export interface ServicePlan {
  readonly loadBalance: LoadBalance;
  /** Attempts of one call at the most. */
  readonly attempts: number;
  readonly defaultModel: string | undefined;
  /** Time-outs on an instance, by its name. */
  readonly timeouts: ReadonlyMap<string, Timeouts>;
  /**
   * The strategy's state for the calls of one model: models have different candidates, and what
   * one model's calls did must not shift another's turns.
   */
  balancerFor(model: string): Balancer;
}

/** The immutable plan compiled from one valid config. */
export interface Snapshot {
  readonly config: Config;
  readonly aliases: ReadonlyMap<string, Alias>;
  readonly services: Readonly<Record<Service, ServicePlan>>;
}

/** Compiles a valid config; fails only on a bug. */
export function compile(config: Config): Snapshot {
  const instances = Object.keys(config.instances);
  const plan = (service: Service): ServicePlan => {
    const settings = serviceSettings(config, service);
    const balancers = new Map<string, Balancer>();
    return {
      ...settings,
      timeouts: new Map(instances.map((name) => [name, timeoutsFor(config, service, name)])),
      balancerFor(model) {
        let balancer = balancers.get(model);
        if (!balancer) {
          balancer = BALANCERS[settings.loadBalance.strategy]();
          balancers.set(model, balancer);
        }
        return balancer;
      },
    };
  };
  return {
    config,
    aliases: new Map(
      Object.entries(config.models).map(([name, model]) => [
        name,
        { targets: model.targets.map(splitTarget), fallback: model.fallback },
      ]),
    ),
    services: Object.fromEntries(SERVICES.map((service) => [service, plan(service)])) as Record<
      Service,
      ServicePlan
    >,
  };
}

/** `gpu-1/Qwen/Qwen3` is the model `Qwen/Qwen3` on `gpu-1`: instance names have no slash. */
function splitTarget(target: string): { instance: string; model: string } {
  const slash = target.indexOf('/');
  return { instance: target.slice(0, slash), model: target.slice(slash + 1) };
}
